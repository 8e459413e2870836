// Changes in transactions that are rolled back: what they see of themselves, and that nothing of them stays.

#include "support.hpp"

namespace chinook {
namespace {

using bw::asc;
using bw::col;

class chinook_writes : public chinook_test {
 protected:
  /// Every row of every table.
  [[nodiscard]] static lines everything() {
    lines all;
    for (const char* const table : {"album", "artist", "customer", "employee", "genre", "invoice", "invoice_line",
                                    "media_type", "playlist", "playlist_track", "track"}) {
      const std::string name(table);
      const lines sum = plain_sql("select '" + name +
                                  "', count(*), md5(string_agg(t::text, ';' order by t::text)) from " + name + " t");
      all.insert(all.end(), sum.begin(), sum.end());
    }
    return all;
  }
  void SetUp() override {
    chinook_test::SetUp();
    before_ = everything();
  }
  void TearDown() override { EXPECT_TRUE(same(everything(), before_)) << "the transaction left something behind"; }

  /// Runs the body in a transaction that is then rolled back. Errors of the body are failures.
  template <class Body>
  void rolled_back(const Body& body) {
    bool done = false;
    const auto outcome = session.transact([&](bw::transaction& tx) -> bw::result<void> {
      BOOST_OUTCOME_TRY(body(tx));
      done = true;
      return bw::error(errc::validation_failed, "rolled back on purpose");
    });
    EXPECT_TRUE(done && fails_with(outcome, errc::validation_failed)) << outcome.error().message();
  }

 private:
  lines before_;
};

/// An artist, an album with three tracks, a playlist of two of them and a customer who bought one, all with key 9000.
bw::result<void> open_a_label(bw::transaction& tx) {
  constexpr std::int32_t key = 9000;
  BOOST_OUTCOME_TRY(tx.repository<Artist>().insert({.id = key, .name = "Zoë & the “Quotes”"}));
  BOOST_OUTCOME_TRY(tx.repository<Album>().insert({.id = key, .title = "It's; -- \\ %_", .artist_id = key}));
  for (std::int32_t i = 0; i < 3; ++i) {
    BOOST_OUTCOME_TRY(tx.repository<Track>().insert({.id = key + i,
                                                     .name = "song " + std::to_string(i),
                                                     .album_id = key,
                                                     .media_type_id = 1,
                                                     .genre_id = i == 0 ? std::nullopt : std::optional(i),
                                                     .milliseconds = 1000 * i,
                                                     .unit_price = bw::numeric{"0.99"}}));
  }
  BOOST_OUTCOME_TRY(tx.repository<Playlist>().insert({.id = key, .name = "new"}));
  for (const std::int32_t i : {0, 2}) {
    BOOST_OUTCOME_TRY(tx.repository<PlaylistTrack>().insert({.playlist_id = key, .track_id = key + i}));
  }
  BOOST_OUTCOME_TRY(tx.repository<Customer>().insert(
      {.id = key, .first_name = "Ada", .last_name = "L", .email = "ada@example.org", .support_rep_id = 3}));
  BOOST_OUTCOME_TRY(tx.repository<Invoice>().insert({.id = key,
                                                     .customer_id = key,
                                                     .invoice_date = bw::timestamp{"2026-01-31 23:59:59.999999"},
                                                     .total = bw::numeric{"1.98"}}));
  BOOST_OUTCOME_TRY(tx.repository<InvoiceLine>().insert(
      {.id = key, .invoice_id = key, .track_id = key, .unit_price = bw::numeric{"0.99"}, .quantity = 2}));
  return bw::success();
}

TEST_F(chinook_writes, what_is_inserted_is_found_along_its_relations) {
  rolled_back([](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(open_a_label(tx));
    BOOST_OUTCOME_TRY(const Artist artist, tx.repository<Artist>()
                                               .where(col<&Artist::id> == 9000)
                                               .include<&Artist::albums, &Album::tracks, &Track::genre>()
                                               .include<&Artist::albums, &Album::tracks, &Track::playlists>()
                                               .one());
    EXPECT_EQ(artist.name, "Zoë & the “Quotes”");
    EXPECT_EQ(artist.albums.size(), 1U);
    EXPECT_EQ(artist.albums[0].title, "It's; -- \\ %_");
    EXPECT_EQ(artist.albums[0].tracks.size(), 3U);
    EXPECT_FALSE(artist.albums[0].tracks[0].genre);
    EXPECT_EQ(artist.albums[0].tracks[2].genre->name, "Jazz");
    EXPECT_TRUE(artist.albums[0].tracks[1].playlists.empty());
    EXPECT_EQ(artist.albums[0].tracks[2].playlists[0].name, "new");

    BOOST_OUTCOME_TRY(const Customer ada, tx.repository<Customer>()
                                              .where(col<&Customer::email> == "ada@example.org")
                                              .include<&Customer::support_rep>()
                                              .include<&Customer::invoices, &Invoice::lines, &InvoiceLine::track>()
                                              .one());
    EXPECT_EQ(ada.support_rep->last_name, "Peacock");
    EXPECT_EQ(ada.invoices[0].invoice_date, bw::timestamp{"2026-01-31 23:59:59.999999"});
    EXPECT_EQ(ada.invoices[0].lines[0].track->name, "song 0");
    EXPECT_EQ(ada.invoices[0].lines[0].unit_price * ada.invoices[0].lines[0].quantity, ada.invoices[0].total);
    EXPECT_TRUE(plain_sql("select 1 from artist where artist_id = 9000").empty()) << "nobody else sees it";
    return bw::success();
  });
}

TEST_F(chinook_writes, an_update_and_a_patch_return_the_row) {
  rolled_back([](bw::transaction& tx) -> bw::result<void> {
    const auto tracks = tx.repository<Track>();
    BOOST_OUTCOME_TRY(Track track, tracks.get(1));
    track.unit_price = bw::numeric{"1.29"};
    track.composer = std::nullopt;
    BOOST_OUTCOME_TRY(const Track updated, tracks.update(track));
    EXPECT_EQ(line(updated.unit_price, updated.composer), "1.29|NULL");
    BOOST_OUTCOME_TRY(const Track patched, tracks.patch(1, bw::set<&Track::composer>("Young"),
                                                        bw::set<&Track::unit_price>(bw::numeric{"2"})));
    EXPECT_EQ(line(patched.unit_price, patched.composer, patched.name), "2.00|Young|" + track.name)
        << "numeric(10,2) has two digits, whatever was sent";
    return bw::success();
  });
}

TEST_F(chinook_writes, a_bulk_update_computes_exactly) {
  const lines expected = plain_sql(
      "select count(*), sum(round(unit_price * 1.10, 2)) from track"
      " where genre_id in (select genre_id from genre where name in ('Rock', 'Metal'))");
  rolled_back([&](bw::transaction& tx) -> bw::result<void> {
    const auto loud = bw::from<Genre>().where(col<&Genre::name>.in("Rock", "Metal")).pluck<&Genre::id>();
    const auto tracks = tx.repository<Track>().where(col<&Track::genre_id>.in(loud));
    BOOST_OUTCOME_TRY(const std::size_t changed,
                      tracks.update_all(bw::set<&Track::unit_price>(col<&Track::unit_price> * bw::numeric{"1.10"})));
    BOOST_OUTCOME_TRY(const auto sum, tracks.sum<&Track::unit_price>());
    EXPECT_TRUE(same({line(changed, sum)}, expected));
    return bw::success();
  });
}

TEST_F(chinook_writes, a_bulk_delete_goes_by_its_condition) {
  const lines expected = plain_sql(
      "select count(*) from playlist_track where track_id in"
      " (select track_id from track where composer is null)");
  rolled_back([&](bw::transaction& tx) -> bw::result<void> {
    const auto anonymous = bw::from<Track>().where(col<&Track::composer> == std::nullopt).pluck<&Track::id>();
    const auto links = tx.repository<PlaylistTrack>().where(col<&PlaylistTrack::track_id>.in(anonymous));
    BOOST_OUTCOME_TRY(const std::size_t gone, links.delete_all());
    EXPECT_TRUE(same({line(gone)}, expected));
    BOOST_OUTCOME_TRY(const bool any_left, links.exists());
    EXPECT_FALSE(any_left);
    BOOST_OUTCOME_TRY(tx.repository<PlaylistTrack>().remove(18, 597));
    EXPECT_TRUE(fails_with(tx.repository<PlaylistTrack>().remove(18, 597), errc::not_found));
    return bw::success();
  });
}

TEST_F(chinook_writes, what_the_tables_refuse_is_a_typed_error_and_a_savepoint_undoes_it) {
  rolled_back([](bw::transaction& tx) -> bw::result<void> {
    const auto inside = [&](const auto& body) {
      return tx.transact([&](bw::transaction& savepoint) -> bw::result<void> {
        BOOST_OUTCOME_TRY(savepoint.repository<Genre>().insert({.id = 9000, .name = "undone"}));
        BOOST_OUTCOME_TRY(body(savepoint));
        return bw::success();
      });
    };
    const auto orphans = inside([](bw::transaction& at) { return at.repository<Artist>().remove(1); });
    EXPECT_TRUE(fails_with(orphans, errc::foreign_key_violation));
    EXPECT_EQ(orphans.error().constraint(), "album_artist_id_fkey");
    EXPECT_EQ(orphans.error().table(), "album");

    const auto twice = inside([](bw::transaction& at) {
      return at.repository<PlaylistTrack>().insert({.playlist_id = 18, .track_id = 597});
    });
    EXPECT_TRUE(fails_with(twice, errc::unique_violation));
    EXPECT_EQ(twice.error().constraint(), "playlist_track_pkey");

    const auto nobody = inside([](bw::transaction& at) {
      return at.repository<Album>().insert({.id = 9000, .title = "no such artist", .artist_id = 9000});
    });
    EXPECT_TRUE(fails_with(nobody, errc::foreign_key_violation));

    const auto too_long = inside([](bw::transaction& at) {
      return at.repository<Artist>().insert({.id = 9000, .name = std::string(121, 'x')});
    });
    EXPECT_TRUE(fails_with(too_long, errc::data_error));
    EXPECT_EQ(too_long.error().column(), "name");

    const auto too_much = inside([](bw::transaction& at) {
      return at.repository<Track>().patch(1, bw::set<&Track::unit_price>(bw::numeric{"100000000"}));
    });
    EXPECT_TRUE(fails_with(too_much, errc::data_error));
    EXPECT_EQ(too_much.error().column(), "unit_price");

    BOOST_OUTCOME_TRY(const bool undone, tx.repository<Genre>().exists(9000));
    EXPECT_FALSE(undone);
    BOOST_OUTCOME_TRY(const std::string name,
                      tx.query("select name from artist where artist_id = 1").one<std::string>());
    EXPECT_EQ(name, "AC/DC") << "the transaction goes on";
    return bw::success();
  });
}

TEST_F(chinook_writes, pages_by_keyset_do_not_shift_when_rows_come_and_go) {
  const lines expected = plain_sql("select track_id from track order by milliseconds desc, track_id limit 20");
  rolled_back([&](bw::transaction& tx) -> bw::result<void> {
    const auto longest = tx.repository<Track>().query().order_by(bw::desc<&Track::milliseconds>);
    const auto id_of = [](const Track& track) { return line(track.id); };
    BOOST_OUTCOME_TRY(const bw::page<Track> first, longest.page(10));
    // A new first one, and the old first one goes.
    BOOST_OUTCOME_TRY(tx.repository<Track>().insert({.id = 9000,
                                                     .name = "endless",
                                                     .media_type_id = 1,
                                                     .milliseconds = 2'000'000'000,
                                                     .unit_price = bw::numeric{"0.99"}}));
    BOOST_OUTCOME_TRY(tx.repository<Track>().patch(first.items[0].id, bw::set<&Track::milliseconds>(0)));
    BOOST_OUTCOME_TRY(const bw::page<Track> second, longest.after(first.next_cursor).page(10));
    lines found = listed(bw::result<std::vector<Track>>(first.items), id_of);
    for (const Track& track : second.items) found.push_back(id_of(track));
    EXPECT_TRUE(same(found, expected));
    BOOST_OUTCOME_TRY(const auto now_first, longest.first());
    EXPECT_EQ(now_first->name, "endless");
    return bw::success();
  });
}

}  // namespace
}  // namespace chinook
