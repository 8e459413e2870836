// Every table as it is mapped: the live schema, and every row and column.

#include "support.hpp"

namespace chinook {
namespace {

using bw::asc;

class chinook_tables : public chinook_test {};

TEST_F(chinook_tables, are_as_they_are_mapped) {
  const auto verified = the_shop()
                            .db()
                            .verify<Album, Artist, Customer, Employee, Genre, Invoice, InvoiceLine, MediaType, Playlist,
                                    PlaylistTrack, Track>();
  EXPECT_TRUE(succeeds(verified));
}

TEST_F(chinook_tables, have_as_many_rows_as_sql_counts) {
  const lines found{
      line("album", all_of<Album>().count().value()),
      line("artist", all_of<Artist>().count().value()),
      line("customer", all_of<Customer>().count().value()),
      line("employee", all_of<Employee>().count().value()),
      line("genre", all_of<Genre>().count().value()),
      line("invoice", all_of<Invoice>().count().value()),
      line("invoice_line", all_of<InvoiceLine>().count().value()),
      line("media_type", all_of<MediaType>().count().value()),
      line("playlist", all_of<Playlist>().count().value()),
      line("playlist_track", all_of<PlaylistTrack>().count().value()),
      line("track", all_of<Track>().count().value()),
  };
  EXPECT_TRUE(same(found, plain_sql("select 'album', count(*) from album union all "
                                    "select 'artist', count(*) from artist union all "
                                    "select 'customer', count(*) from customer union all "
                                    "select 'employee', count(*) from employee union all "
                                    "select 'genre', count(*) from genre union all "
                                    "select 'invoice', count(*) from invoice union all "
                                    "select 'invoice_line', count(*) from invoice_line union all "
                                    "select 'media_type', count(*) from media_type union all "
                                    "select 'playlist', count(*) from playlist union all "
                                    "select 'playlist_track', count(*) from playlist_track union all "
                                    "select 'track', count(*) from track")));
}

TEST_F(chinook_tables, of_a_key_and_a_name_read_as_sql_has_them) {
  const auto show = [](const auto& row) { return line(row.id, row.name); };
  EXPECT_TRUE(same(listed(all_of<Artist>().query().order_by(asc<&Artist::id>).all(), show),
                   plain_sql("select artist_id, name from artist order by artist_id")));
  EXPECT_TRUE(same(listed(all_of<Genre>().query().order_by(asc<&Genre::id>).all(), show),
                   plain_sql("select genre_id, name from genre order by genre_id")));
  EXPECT_TRUE(same(listed(all_of<MediaType>().query().order_by(asc<&MediaType::id>).all(), show),
                   plain_sql("select media_type_id, name from media_type order by media_type_id")));
  EXPECT_TRUE(same(listed(all_of<Playlist>().query().order_by(asc<&Playlist::id>).all(), show),
                   plain_sql("select playlist_id, name from playlist order by playlist_id")));
}

TEST_F(chinook_tables, of_music_read_as_sql_has_them) {
  EXPECT_TRUE(same(listed(all_of<Album>().query().order_by(asc<&Album::id>).all(),
                          [](const Album& row) { return line(row.id, row.title, row.artist_id); }),
                   plain_sql("select album_id, title, artist_id from album order by album_id")));
  EXPECT_TRUE(same(listed(all_of<Track>().query().order_by(asc<&Track::id>).all(),
                          [](const Track& row) {
                            return line(row.id, row.name, row.album_id, row.media_type_id, row.genre_id, row.composer,
                                        row.milliseconds, row.bytes, row.unit_price);
                          }),
                   plain_sql("select track_id, name, album_id, media_type_id, genre_id, composer, milliseconds, bytes,"
                             " unit_price from track order by track_id")));
  EXPECT_TRUE(same(listed(all_of<PlaylistTrack>()
                              .query()
                              .order_by(asc<&PlaylistTrack::playlist_id>, asc<&PlaylistTrack::track_id>)
                              .all(),
                          [](const PlaylistTrack& row) { return line(row.playlist_id, row.track_id); }),
                   plain_sql("select playlist_id, track_id from playlist_track order by playlist_id, track_id")));
}

TEST_F(chinook_tables, of_people_read_as_sql_has_them) {
  EXPECT_TRUE(same(listed(all_of<Employee>().query().order_by(asc<&Employee::id>).all(),
                          [](const Employee& row) {
                            return line(row.id, row.last_name, row.first_name, row.title, row.reports_to,
                                        row.birth_date, row.hire_date, row.address, row.city, row.state, row.country,
                                        row.postal_code, row.phone, row.fax, row.email);
                          }),
                   plain_sql("select employee_id, last_name, first_name, title, reports_to, birth_date, hire_date,"
                             " address, city, state, country, postal_code, phone, fax, email"
                             " from employee order by employee_id")));
  EXPECT_TRUE(same(listed(all_of<Customer>().query().order_by(asc<&Customer::id>).all(),
                          [](const Customer& row) {
                            return line(row.id, row.first_name, row.last_name, row.company, row.address, row.city,
                                        row.state, row.country, row.postal_code, row.phone, row.fax, row.email,
                                        row.support_rep_id);
                          }),
                   plain_sql("select customer_id, first_name, last_name, company, address, city, state, country,"
                             " postal_code, phone, fax, email, support_rep_id from customer order by customer_id")));
}

TEST_F(chinook_tables, of_sales_read_as_sql_has_them) {
  EXPECT_TRUE(same(listed(all_of<Invoice>().query().order_by(asc<&Invoice::id>).all(),
                          [](const Invoice& row) {
                            return line(row.id, row.customer_id, row.invoice_date, row.billing_address,
                                        row.billing_city, row.billing_state, row.billing_country,
                                        row.billing_postal_code, row.total);
                          }),
                   plain_sql("select invoice_id, customer_id, invoice_date, billing_address, billing_city,"
                             " billing_state, billing_country, billing_postal_code, total"
                             " from invoice order by invoice_id")));
  EXPECT_TRUE(same(listed(all_of<InvoiceLine>().query().order_by(asc<&InvoiceLine::id>).all(),
                          [](const InvoiceLine& row) {
                            return line(row.id, row.invoice_id, row.track_id, row.unit_price, row.quantity);
                          }),
                   plain_sql("select invoice_line_id, invoice_id, track_id, unit_price, quantity"
                             " from invoice_line order by invoice_line_id")));
}

TEST_F(chinook_tables, are_read_by_their_keys) {
  EXPECT_EQ(all_of<Artist>().get(1).value().name, "AC/DC");
  EXPECT_EQ(all_of<Customer>().get(1).value().city, "São José dos Campos");
  EXPECT_TRUE(fails_with(all_of<Artist>().get(100'000), errc::not_found));
  EXPECT_EQ(all_of<Artist>().find(100'000).value().has_value(), false);

  const auto links = all_of<PlaylistTrack>();
  EXPECT_EQ(links.get(17, 3290).value().track_id, 3290);
  EXPECT_TRUE(links.exists(18, 597).value());
  EXPECT_FALSE(links.exists(597, 18).value()) << "a key of two columns has an order";
}

}  // namespace
}  // namespace chinook
