// Related rows, several levels deep: the rows are those of SQL's joins, and each relation is one statement.

#include "support.hpp"

namespace chinook {
namespace {

using bw::asc;
using bw::col;

const std::optional<std::string> null;

/// What the path found of a belongs_to, or NULL.
template <class T, class V>
std::optional<std::string> of(const bw::one<T>& row, V T::*member) {
  return row ? std::optional(shown((*row).*member)) : std::nullopt;
}

class chinook_relations : public chinook_test {
 protected:
  [[nodiscard]] bw::query<Artist> artists() const { return all_of<Artist>().query().order_by(asc<&Artist::id>); }
  [[nodiscard]] bw::query<Customer> customers() const {
    return all_of<Customer>().query().order_by(asc<&Customer::id>);
  }
};

TEST_F(chinook_relations, artists_have_albums_have_tracks_have_genres) {
  const auto found = artists().include<&Artist::albums, &Album::tracks, &Track::genre>().all();
  EXPECT_EQ(statements(), "artist.select artist.albums album.tracks track.genre");
  ASSERT_TRUE(succeeds(found));
  lines rows;
  for (const Artist& artist : found.value()) {
    if (artist.albums.empty()) rows.push_back(line(artist.name, null, null, null));
    for (const Album& album : artist.albums) {
      for (const Track& track : album.tracks) {
        rows.push_back(line(artist.name, album.title, track.name, of(track.genre, &Genre::name)));
      }
    }
  }
  EXPECT_TRUE(same(rows, plain_sql("select artist.name, album.title, track.name, genre.name from artist"
                                   " left join album using (artist_id) left join track using (album_id)"
                                   " left join genre using (genre_id)"
                                   " order by artist_id, album.title, album_id, track_id")));
}

TEST_F(chinook_relations, customers_have_invoices_have_lines_have_tracks) {
  const auto found = customers().include<&Customer::invoices, &Invoice::lines, &InvoiceLine::track>().all();
  EXPECT_EQ(statements(), "customer.select customer.invoices invoice.lines invoice_line.track");
  ASSERT_TRUE(succeeds(found));
  lines rows;
  for (const Customer& customer : found.value()) {
    for (const Invoice& invoice : customer.invoices) {
      for (const InvoiceLine& sold : invoice.lines) {
        rows.push_back(line(customer.last_name, invoice.id, invoice.invoice_date, invoice.total, sold.id,
                            sold.unit_price, sold.quantity, of(sold.track, &Track::name)));
      }
    }
  }
  EXPECT_TRUE(same(rows, plain_sql("select last_name, invoice_id, invoice_date, total, invoice_line_id, l.unit_price,"
                                   " quantity, track.name from customer join invoice using (customer_id)"
                                   " join invoice_line l using (invoice_id) join track using (track_id)"
                                   " order by customer_id, invoice_date desc, invoice_id, invoice_line_id")));
}

TEST_F(chinook_relations, cost_as_many_statements_for_one_owner_as_for_all) {
  const auto count = [&](std::int64_t owners) {
    const auto found =
        customers()
            .limit(owners)
            .include<&Customer::support_rep, &Employee::boss>()
            .include<&Customer::invoices, &Invoice::lines, &InvoiceLine::track, &Track::album, &Album::artist>()
            .include<&Customer::invoices, &Invoice::lines, &InvoiceLine::track, &Track::media_type>()
            .all();
    EXPECT_TRUE(succeeds(found));
    return statements();
  };
  const std::string expected =
      "customer.select customer.support_rep employee.boss customer.invoices invoice.lines invoice_line.track "
      "track.album album.artist track.media_type";
  EXPECT_EQ(count(1), expected);
  EXPECT_EQ(count(10), expected);
  EXPECT_EQ(count(1000), expected);
}

TEST_F(chinook_relations, lead_from_a_line_up_to_everything_it_belongs_to) {
  const auto found = all_of<InvoiceLine>()
                         .query()
                         .order_by(asc<&InvoiceLine::id>)
                         .include<&InvoiceLine::track, &Track::album, &Album::artist>()
                         .include<&InvoiceLine::track, &Track::genre>()
                         .include<&InvoiceLine::track, &Track::media_type>()
                         .include<&InvoiceLine::invoice, &Invoice::customer, &Customer::support_rep, &Employee::boss>()
                         .all();
  EXPECT_EQ(statements(),
            "invoice_line.select invoice_line.track track.album album.artist track.genre track.media_type "
            "invoice_line.invoice invoice.customer customer.support_rep employee.boss");
  EXPECT_TRUE(same(listed(found,
                          [](const InvoiceLine& sold) {
                            const Track& track = *sold.track;
                            const Customer& customer = *sold.invoice->customer;
                            return line(sold.id, track.name, of(track.album->artist, &Artist::name),
                                        of(track.genre, &Genre::name), of(track.media_type, &MediaType::name),
                                        sold.invoice->invoice_date, customer.email,
                                        of(customer.support_rep, &Employee::last_name),
                                        of(customer.support_rep->boss, &Employee::last_name));
                          }),
                   plain_sql("select invoice_line_id, t.name, a.name, g.name, m.name, invoice_date, c.email,"
                             " e.last_name, b.last_name from invoice_line join track t using (track_id)"
                             " join album using (album_id) join artist a using (artist_id)"
                             " left join genre g using (genre_id) join media_type m using (media_type_id)"
                             " join invoice using (invoice_id) join customer c using (customer_id)"
                             " left join employee e on e.employee_id = c.support_rep_id"
                             " left join employee b on b.employee_id = e.reports_to order by invoice_line_id")));
}

TEST_F(chinook_relations, lead_from_employees_to_their_bosses_reports_and_customers) {
  const auto found = all_of<Employee>()
                         .query()
                         .order_by(asc<&Employee::id>)
                         .include<&Employee::boss, &Employee::boss>()
                         .include<&Employee::reports, &Employee::reports>()
                         .include<&Employee::customers>()
                         .all();
  EXPECT_EQ(statements(),
            "employee.select employee.boss employee.boss employee.reports employee.reports employee.customers");
  ASSERT_TRUE(succeeds(found));
  const auto shown_people = [](const auto& people) {
    std::string names;
    for (const auto& person : people) names.append(names.empty() ? "" : ",").append(person.last_name);
    return names;
  };
  EXPECT_TRUE(
      same(listed(found,
                  [&](const Employee& person) {
                    std::size_t below = 0;
                    for (const Employee& report : person.reports) below += report.reports.size();
                    const auto second = person.boss ? of(person.boss->boss, &Employee::last_name) : std::nullopt;
                    return line(person.last_name, of(person.boss, &Employee::last_name), second,
                                shown_people(person.reports), below, shown_people(person.customers));
                  }),
           plain_sql("select last_name,"
                     " (select b.last_name from employee b where b.employee_id = e.reports_to),"
                     " (select bb.last_name from employee b join employee bb on bb.employee_id = b.reports_to"
                     "   where b.employee_id = e.reports_to),"
                     " (select coalesce(string_agg(r.last_name, ',' order by r.employee_id), '') from employee r"
                     "   where r.reports_to = e.employee_id),"
                     " (select count(*) from employee r join employee rr on rr.reports_to = r.employee_id"
                     "   where r.reports_to = e.employee_id),"
                     " (select coalesce(string_agg(c.last_name, ',' order by c.customer_id), '') from customer c"
                     "   where c.support_rep_id = e.employee_id) from employee e order by employee_id")));
}

TEST_F(chinook_relations, link_playlists_with_tracks_in_both_directions) {
  const auto lists =
      all_of<Playlist>().query().order_by(asc<&Playlist::id>).include<&Playlist::tracks, &Track::album>().all();
  EXPECT_EQ(statements(), "playlist.select playlist.tracks track.album");
  ASSERT_TRUE(succeeds(lists));
  lines rows;
  for (const Playlist& list : lists.value()) {
    EXPECT_TRUE(list.tracks.loaded());
    if (list.tracks.empty()) rows.push_back(line(list.id, list.name, null, null, null));
    for (const Track& track : list.tracks) {
      rows.push_back(line(list.id, list.name, track.id, track.name, of(track.album, &Album::title)));
    }
  }
  EXPECT_TRUE(same(rows, plain_sql("select playlist_id, p.name, track_id, t.name, title from playlist p"
                                   " left join playlist_track using (playlist_id) left join track t using (track_id)"
                                   " left join album using (album_id)"
                                   " order by playlist_id, milliseconds desc, track_id")));

  const auto tracks = all_of<Track>().query().order_by(asc<&Track::id>).include<&Track::playlists>().all();
  EXPECT_EQ(statements(), "track.select track.playlists");
  EXPECT_TRUE(same(listed(tracks,
                          [](const Track& track) {
                            std::string ids;
                            for (const Playlist& list : track.playlists) {
                              ids.append(ids.empty() ? "" : ",").append(std::to_string(list.id));
                            }
                            return line(track.id, ids);
                          }),
                   plain_sql("select track_id, coalesce(string_agg(playlist_id::text, ',' order by playlist_id), '')"
                             " from track left join playlist_track using (track_id) group by 1 order by 1")));
}

TEST_F(chinook_relations, of_genres_and_media_types_bring_all_tracks) {
  const auto genres = all_of<Genre>()
                          .query()
                          .order_by(asc<&Genre::id>)
                          .include<&Genre::tracks, &Track::sold, &InvoiceLine::invoice>()
                          .all();
  EXPECT_EQ(statements(), "genre.select genre.tracks track.sold invoice_line.invoice");
  const auto show_genre = [](const Genre& genre) {
    std::int64_t sold = 0;
    std::int64_t abroad = 0;
    for (const Track& track : genre.tracks) {
      for (const InvoiceLine& each : track.sold) {
        sold += each.quantity;
        if (each.invoice->billing_country != "USA") abroad += each.quantity;
      }
    }
    return line(genre.name, genre.tracks.size(), sold, abroad);
  };
  EXPECT_TRUE(same(listed(genres, show_genre),
                   plain_sql("select g.name, count(distinct track_id), coalesce(sum(quantity), 0),"
                             " coalesce(sum(quantity) filter (where billing_country <> 'USA'), 0)"
                             " from genre g left join track using (genre_id) left join invoice_line using (track_id)"
                             " left join invoice using (invoice_id) group by genre_id order by genre_id")));

  const auto types = all_of<MediaType>().query().order_by(asc<&MediaType::id>).include<&MediaType::tracks>().all();
  EXPECT_TRUE(same(listed(types,
                          [](const MediaType& type) {
                            std::int64_t milliseconds = 0;
                            for (const Track& track : type.tracks) milliseconds += track.milliseconds;
                            return line(type.name, type.tracks.size(), milliseconds);
                          }),
                   plain_sql("select m.name, count(*), sum(milliseconds) from media_type m"
                             " join track using (media_type_id) group by media_type_id order by media_type_id")));
}

TEST_F(chinook_relations, go_with_conditions_joins_and_limits_on_their_owners) {
  const auto found = all_of<Album>()
                         .query()
                         .join<Artist>(col<&Album::artist_id> == col<&Artist::id>)
                         .where(col<&Artist::name>.ilike("%the%"))
                         .order_by(asc<&Artist::name>, asc<&Album::title>)
                         .limit(12)
                         .offset(3)
                         .include<&Album::artist>()
                         .include<&Album::tracks>()
                         .all();
  EXPECT_EQ(statements(), "album.select album.artist album.tracks");
  EXPECT_TRUE(same(listed(found,
                          [](const Album& album) {
                            return line(of(album.artist, &Artist::name), album.title, album.tracks.size());
                          }),
                   plain_sql("select name, title, (select count(*) from track t where t.album_id = album.album_id)"
                             " from album join artist using (artist_id) where name ilike '%the%'"
                             " order by name, title limit 12 offset 3")));
}

TEST_F(chinook_relations, are_loaded_later_for_a_page) {
  auto page = all_of<Invoice>().query().order_by(bw::desc<&Invoice::total>, asc<&Invoice::id>).page(2, 25);
  ASSERT_TRUE(succeeds(page));
  (void)statements();
  const auto loaded = all_of<Invoice>().load<&Invoice::lines, &InvoiceLine::track>(page.value().items);
  EXPECT_EQ(statements(), "invoice.lines invoice_line.track");
  ASSERT_TRUE(succeeds(loaded));
  lines rows;
  for (const Invoice& invoice : page.value().items) {
    for (const InvoiceLine& sold : invoice.lines) rows.push_back(line(invoice.id, of(sold.track, &Track::name)));
  }
  EXPECT_TRUE(same(rows, plain_sql("select invoice_id, name from (select * from invoice order by total desc, invoice_id"
                                   " limit 25 offset 25) i join invoice_line using (invoice_id)"
                                   " join track using (track_id) order by total desc, invoice_id, invoice_line_id")));
}

}  // namespace
}  // namespace chinook
