// Pages through all tracks: forward and backward, with ties and NULLs in the order, by keyset and by number.

#include "support.hpp"

#include <algorithm>

namespace chinook {
namespace {

using bw::asc;
using bw::col;
using bw::desc;

constexpr std::int64_t page_size = 100;

/// What walking through all pages found.
struct walk {
  lines forward;
  lines backward;  // from in front of the last page to the first, put into the query's order
  std::size_t pages = 0;
  std::size_t last = 0;  // rows on the last page
  std::string error;
};

/// By next_cursor to the last page, and by previous_cursor back to the first.
template <class Query, class Show>
walk walked(const Query& query, std::int64_t size, const Show& show) {
  walk seen;
  const auto keep = [&](const auto& page, lines& to) {
    for (const auto& item : page.items) to.push_back(show(item));
    ++seen.pages;
  };
  auto page = query.page(size);
  for (; page; page = query.after(page.value().next_cursor).page(size)) {
    keep(page.value(), seen.forward);
    seen.last = page.value().items.size();
    if (page.value().next_cursor.empty()) break;
    EXPECT_EQ(page.value().items.size(), static_cast<std::size_t>(size)) << "only the last page may be short";
  }
  std::vector<lines> back;
  while (page && !page.value().previous_cursor.empty()) {
    page = query.before(page.value().previous_cursor).page(size);
    if (page) keep(page.value(), back.emplace_back());
  }
  std::reverse(back.begin(), back.end());
  for (const lines& one : back) seen.backward.insert(seen.backward.end(), one.begin(), one.end());
  if (!page) seen.error = page.error().message();
  return seen;
}

/// All of it forward, and all but the last page backward, once each and in SQL's order.
::testing::AssertionResult walks_as(const walk& seen, lines expected) {
  if (!seen.error.empty()) return ::testing::AssertionFailure() << seen.error;
  if (auto forward = same(seen.forward, expected); !forward) return forward << "\n(forward)";
  expected.resize(expected.size() - seen.last);
  if (expected.empty() && seen.backward.empty()) return ::testing::AssertionSuccess();  // there is but one page
  return same(seen.backward, expected) << "\n(backward)";
}

class chinook_pages : public chinook_test {
 protected:
  [[nodiscard]] bw::query<Track> tracks() const { return all_of<Track>().query(); }
  static std::string id_of(const Track& track) { return line(track.id); }
  [[nodiscard]] static lines ids_by(const std::string& order) {
    return plain_sql("select track_id from track order by " + order);
  }
};

TEST_F(chinook_pages, by_length_down_and_key) {
  const auto seen = walked(tracks().order_by(desc<&Track::milliseconds>), page_size, id_of);
  EXPECT_TRUE(walks_as(seen, ids_by("milliseconds desc, track_id")));
  EXPECT_EQ(seen.pages, 36U + 35U);
  std::string expected = "track.select";
  for (std::size_t i = 1; i < seen.pages; ++i) expected += " track.select";
  EXPECT_EQ(statements(), expected) << "each page is one statement";
}

TEST_F(chinook_pages, by_length_and_key_both_down) {
  EXPECT_TRUE(walks_as(walked(tracks().order_by(desc<&Track::milliseconds>, desc<&Track::id>), page_size, id_of),
                       ids_by("milliseconds desc, track_id desc")));
}

TEST_F(chinook_pages, by_composers_of_whom_many_are_null) {
  EXPECT_TRUE(walks_as(walked(tracks().order_by(asc<&Track::composer>, asc<&Track::name>), page_size, id_of),
                       ids_by("composer, name, track_id")));
  EXPECT_TRUE(
      walks_as(walked(tracks().order_by(asc<&Track::composer>.nulls_first(), asc<&Track::name>), page_size, id_of),
               ids_by("composer nulls first, name, track_id")));
  EXPECT_TRUE(walks_as(walked(tracks().order_by(desc<&Track::composer>, desc<&Track::name>), page_size, id_of),
                       ids_by("composer desc, name desc, track_id")));
  EXPECT_TRUE(
      walks_as(walked(tracks().order_by(desc<&Track::composer>.nulls_last(), asc<&Track::name>), page_size, id_of),
               ids_by("composer desc nulls last, name, track_id")));
}

TEST_F(chinook_pages, by_an_order_that_is_nearly_all_ties) {
  EXPECT_TRUE(walks_as(walked(tracks().order_by(desc<&Track::unit_price>), page_size, id_of),
                       ids_by("unit_price desc, track_id")));
  EXPECT_TRUE(walks_as(walked(tracks().order_by(asc<&Track::genre_id>, desc<&Track::unit_price>), page_size, id_of),
                       ids_by("genre_id, unit_price desc, track_id")));
}

TEST_F(chinook_pages, of_another_size_and_of_a_part) {
  const auto long_ones = tracks().where(col<&Track::milliseconds> > 300'000).order_by(asc<&Track::name>);
  const lines expected = plain_sql("select track_id from track where milliseconds > 300000 order by name, track_id");
  for (const std::int64_t size : {7, 500, 5000}) EXPECT_TRUE(walks_as(walked(long_ones, size, id_of), expected));
}

TEST_F(chinook_pages, by_a_key_of_two_columns) {
  const auto links = all_of<PlaylistTrack>().query();
  const auto show = [](const PlaylistTrack& link) { return line(link.playlist_id, link.track_id); };
  EXPECT_TRUE(
      walks_as(walked(links, 1000, show), plain_sql("select playlist_id, track_id from playlist_track order by 1, 2")));
  EXPECT_TRUE(walks_as(walked(links.order_by(desc<&PlaylistTrack::track_id>), 1000, show),
                       plain_sql("select playlist_id, track_id from playlist_track order by 2 desc, 1")));
}

TEST_F(chinook_pages, by_times_and_exact_numbers) {
  const auto show = [](const Invoice& invoice) { return line(invoice.id); };
  const auto invoices = all_of<Invoice>().query();
  EXPECT_TRUE(walks_as(walked(invoices.order_by(desc<&Invoice::invoice_date>), 50, show),
                       plain_sql("select invoice_id from invoice order by invoice_date desc, invoice_id")));
  EXPECT_TRUE(walks_as(walked(invoices.order_by(desc<&Invoice::total>), 50, show),
                       plain_sql("select invoice_id from invoice order by total desc, invoice_id")));
}

TEST_F(chinook_pages, by_what_is_joined_and_computed) {
  const auto joined = tracks()
                          .left_join<Album>(col<&Track::album_id> == col<&Album::id>)
                          .left_join<Genre>(col<&Track::genre_id> == col<&Genre::id>)
                          .order_by(desc<&Genre::name>, asc<&Album::title>,
                                    bw::descending(bw::length(col<&Track::composer>)).nulls_last());
  EXPECT_TRUE(walks_as(walked(joined, page_size, id_of),
                       plain_sql("select track_id from track t left join album using (album_id)"
                                 " left join genre g using (genre_id) order by g.name desc, title,"
                                 " length(composer) desc nulls last, track_id")));
}

TEST_F(chinook_pages, of_selected_columns_and_with_relations) {
  const auto named = tracks().order_by(asc<&Track::name>).select(col<&Track::name>, col<&Track::composer>);
  EXPECT_TRUE(walks_as(walked(named, page_size, [](const auto& row) { return line(row); }),
                       plain_sql("select name, composer from track order by name, track_id")));

  (void)statements();
  const auto with_albums = tracks().order_by(asc<&Track::id>).include<&Track::album, &Album::artist>();
  const auto seen = walked(with_albums, 2000, [](const Track& track) {
    return line(track.id, track.album->title, track.album->artist->name);
  });
  EXPECT_TRUE(walks_as(seen, plain_sql("select track_id, title, artist.name from track join album using (album_id)"
                                       " join artist using (artist_id) order by track_id")));
  EXPECT_EQ(statements(),
            "track.select track.album album.artist track.select track.album album.artist "
            "track.select track.album album.artist");
}

TEST_F(chinook_pages, begin_and_end_at_any_values) {
  const auto by_composer = tracks().order_by(asc<&Track::composer>, asc<&Track::name>);
  const std::optional<std::string> unknown;
  EXPECT_TRUE(same(listed(by_composer.after(unknown, "M", 0).limit(5).all(), id_of),
                   plain_sql("select track_id from track where composer is null and name >= 'M'"
                             " order by name, track_id limit 5")));
  EXPECT_TRUE(same(listed(by_composer.before("U2", "A", 0).limit(3).all(), id_of),
                   plain_sql("select track_id from (select * from track where composer < 'U2'"
                             " or (composer = 'U2' and name < 'A') order by composer desc, name desc, track_id desc"
                             " limit 3) t order by composer, name, track_id")));
  EXPECT_TRUE(same({line(by_composer.after("U2", "A", 0).before(unknown, "A", 0).count().value())},
                   plain_sql("select count(*) from track where (composer > 'U2' or composer = 'U2' and name >= 'A')"
                             " or (composer is null and name < 'A')")));
}

TEST_F(chinook_pages, by_number_know_the_total) {
  const auto by_name = tracks().order_by(asc<&Track::name>, asc<&Track::id>);
  lines found;
  for (std::int64_t number = 1; number <= 36; ++number) {
    const auto page = by_name.page(number, page_size);
    ASSERT_TRUE(succeeds(page));
    EXPECT_EQ(page.value().total, 3503);
    EXPECT_EQ(page.value().page_count(), 36);
    EXPECT_EQ(page.value().number, number);
    for (const Track& track : page.value().items) found.push_back(id_of(track));
    EXPECT_EQ(statements(), "track.select");
  }
  EXPECT_TRUE(same(found, ids_by("name, track_id")));

  const auto behind = by_name.page(37, page_size);
  ASSERT_TRUE(succeeds(behind));
  EXPECT_TRUE(behind.value().items.empty());
  EXPECT_EQ(behind.value().total, 3503);

  const auto groups = tracks()
                          .select(col<&Track::composer>, bw::count())
                          .group_by(col<&Track::composer>)
                          .order_by(bw::descending(bw::count()), asc<&Track::composer>)
                          .page(2, 10);
  ASSERT_TRUE(succeeds(groups));
  EXPECT_TRUE(
      same(listed(bw::result<std::vector<std::tuple<std::optional<std::string>, std::int64_t>>>(groups.value().items)),
           plain_sql("select composer, count(*) from track group by 1 order by 2 desc, 1 limit 10 offset 10")));
  EXPECT_TRUE(
      same({line(groups.value().total)}, plain_sql("select count(*) from (select composer from track group by 1) c")));
}

}  // namespace
}  // namespace chinook
