// Joins, sub-queries, NULLs and times.

#include "support.hpp"

#include <vector>

namespace chinook {
namespace {

using bw::asc;
using bw::col;
using bw::desc;

std::string id_of(const Track& track) { return line(track.id); }

class chinook_joins : public chinook_test {
 protected:
  [[nodiscard]] bw::query<Track> tracks() const { return all_of<Track>().query().order_by(asc<&Track::id>); }
};

TEST_F(chinook_joins, employees_with_their_bosses_and_the_one_without) {
  const auto found = all_of<Employee>()
                         .query()
                         .left_join<Employee, "boss">(col<&Employee::reports_to> == col<&Employee::id, "boss">)
                         .order_by(asc<&Employee::id>)
                         .select(bw::row_of<Employee>, bw::row_of<Employee, "boss">)
                         .all();
  EXPECT_TRUE(same(listed(found,
                          [](const std::tuple<Employee, std::optional<Employee>>& row) {
                            const auto& [person, boss] = row;
                            return line(person.last_name, person.hire_date, boss ? boss->last_name : "nobody",
                                        boss ? boss->hire_date : std::nullopt);
                          }),
                   plain_sql("select e.last_name, e.hire_date, coalesce(b.last_name, 'nobody'), b.hire_date"
                             " from employee e left join employee b on b.employee_id = e.reports_to"
                             " order by e.employee_id")));
}

TEST_F(chinook_joins, a_table_with_itself_twice) {
  const auto found =
      all_of<Employee>()
          .query()
          .join<Employee, "boss">(col<&Employee::reports_to> == col<&Employee::id, "boss">)
          .join<Employee, "top">(col<&Employee::reports_to, "boss"> == col<&Employee::id, "top">)
          .where(col<&Employee::hire_date> > col<&Employee::hire_date, "boss">)
          .order_by(asc<&Employee::last_name>)
          .select(col<&Employee::last_name>, col<&Employee::last_name, "boss">, col<&Employee::last_name, "top">)
          .all();
  EXPECT_TRUE(same(listed(found), plain_sql("select e.last_name, b.last_name, t.last_name from employee e"
                                            " join employee b on b.employee_id = e.reports_to"
                                            " join employee t on t.employee_id = b.reports_to"
                                            " where e.hire_date > b.hire_date order by e.last_name")));
}

TEST_F(chinook_joins, right_full_and_cross) {
  EXPECT_TRUE(same(listed(all_of<Album>()
                              .query()
                              .right_join<Artist>(col<&Album::artist_id> == col<&Artist::id>)
                              .order_by(asc<&Artist::id>, asc<&Album::id>)
                              .select(col<&Artist::name>, col<&Album::title>)
                              .all()),
                   plain_sql("select name, title from album right join artist using (artist_id)"
                             " order by artist_id, album_id")));
  EXPECT_TRUE(same(listed(all_of<Employee>()
                              .query()
                              .full_join<Customer>(col<&Customer::city> == col<&Employee::city>)
                              .order_by(asc<&Employee::id>, asc<&Customer::id>)
                              .select(col<&Employee::last_name>, col<&Customer::last_name>, col<&Customer::city>)
                              .all()),
                   plain_sql("select e.last_name, c.last_name, c.city from employee e"
                             " full join customer c on c.city = e.city order by employee_id, customer_id")));
  EXPECT_TRUE(same(listed(all_of<Genre>()
                              .query()
                              .cross_join<MediaType>()
                              .order_by(asc<&Genre::id>, desc<&MediaType::id>)
                              .select(col<&Genre::name>, col<&MediaType::name>)
                              .all()),
                   plain_sql("select g.name, m.name from genre g cross join media_type m"
                             " order by genre_id, media_type_id desc")));
}

TEST_F(chinook_joins, a_join_on_a_range) {
  const auto found = all_of<Track>()
                         .query()
                         .join<Track, "longer">(col<&Track::album_id> == col<&Track::album_id, "longer"> &&
                                                col<&Track::milliseconds, "longer"> > col<&Track::milliseconds> * 10)
                         .order_by(asc<&Track::id>, bw::ascending(col<&Track::id, "longer">))
                         .select(col<&Track::id>, col<&Track::id, "longer">)
                         .all();
  EXPECT_TRUE(same(listed(found), plain_sql("select a.track_id, b.track_id from track a join track b"
                                            " on a.album_id = b.album_id and b.milliseconds > a.milliseconds * 10"
                                            " order by 1, 2")));
}

TEST_F(chinook_joins, tracks_never_sold_asked_in_three_ways) {
  const lines expected = plain_sql(
      "select track_id from track t where not exists"
      " (select from invoice_line l where l.track_id = t.track_id) order by track_id");
  const auto sales = bw::from<InvoiceLine>().outer<Track>().where(col<&InvoiceLine::track_id> == col<&Track::id>);
  EXPECT_TRUE(same(listed(tracks().where(!bw::exists(sales)).all(), id_of), expected));
  EXPECT_TRUE(
      same(listed(tracks().where(col<&Track::id>.not_in(bw::from<InvoiceLine>().pluck<&InvoiceLine::track_id>())).all(),
                  id_of),
           expected));
  EXPECT_TRUE(same(listed(tracks()
                              .left_join<InvoiceLine>(col<&InvoiceLine::track_id> == col<&Track::id>)
                              .where(col<&InvoiceLine::id>.is_null())
                              .all(),
                          id_of),
                   expected));
  EXPECT_EQ(tracks().where(bw::exists(sales)).count().value() + static_cast<std::int64_t>(expected.size()),
            all_of<Track>().count().value());
}

TEST_F(chinook_joins, artists_without_albums) {
  const lines expected =
      plain_sql("select name from artist where artist_id not in (select artist_id from album) order by artist_id");
  const auto artists = all_of<Artist>().query().order_by(asc<&Artist::id>);
  const auto albums = bw::from<Album>().outer<Artist>().where(col<&Album::artist_id> == col<&Artist::id>);
  EXPECT_TRUE(same(listed(artists.where(!bw::exists(albums)).pluck<&Artist::name>().all()), expected));
  EXPECT_TRUE(same(listed(artists.where(col<&Artist::id>.not_in(bw::from<Album>().pluck<&Album::artist_id>()))
                              .pluck<&Artist::name>()
                              .all()),
                   expected));
}

TEST_F(chinook_joins, sub_queries_in_sub_queries) {
  // Customers who have bought something by Iron Maiden.
  const auto by_maiden = bw::from<Album>()
                             .join<Artist>(col<&Album::artist_id> == col<&Artist::id>)
                             .where(col<&Artist::name> == "Iron Maiden")
                             .select(col<&Album::id>);
  const auto maiden_tracks = bw::from<Track>().where(col<&Track::album_id>.in(by_maiden)).pluck<&Track::id>();
  const auto bought = bw::from<InvoiceLine>()
                          .join<Invoice>(col<&InvoiceLine::invoice_id> == col<&Invoice::id>)
                          .outer<Customer>()
                          .where(col<&Invoice::customer_id> == col<&Customer::id>)
                          .where(col<&InvoiceLine::track_id>.in(maiden_tracks));
  EXPECT_TRUE(
      same(listed(all_of<Customer>()
                      .where(bw::exists(bought))
                      .where(col<&Customer::country> != "USA")
                      .order_by(asc<&Customer::last_name>)
                      .pluck<&Customer::last_name>()
                      .all()),
           plain_sql("select last_name from customer c where country <> 'USA' and exists (select from invoice_line"
                     " join invoice i using (invoice_id) where i.customer_id = c.customer_id and track_id in"
                     " (select track_id from track where album_id in (select album_id from album"
                     " join artist using (artist_id) where name = 'Iron Maiden'))) order by last_name")));
}

TEST_F(chinook_joins, sub_queries_as_values) {
  const auto own = bw::from<Invoice>().outer<Customer>().where(col<&Invoice::customer_id> == col<&Customer::id>);
  EXPECT_TRUE(same(listed(all_of<Customer>()
                              .query()
                              .order_by(asc<&Customer::id>)
                              .select(col<&Customer::id>, bw::scalar(own.select(bw::count())),
                                      bw::scalar(own.select(bw::avg(col<&Invoice::total>))))
                              .all()),
                   plain_sql("select customer_id, (select count(*) from invoice i where i.customer_id = c.customer_id),"
                             " (select avg(total) from invoice i where i.customer_id = c.customer_id)"
                             " from customer c order by customer_id")));
  // Invoices of more than twice the average.
  const auto average = bw::scalar(bw::from<Invoice>().select(bw::avg(col<&Invoice::total>)));
  EXPECT_TRUE(same(listed(all_of<Invoice>()
                              .where(col<&Invoice::total> > average * 2)
                              .order_by(desc<&Invoice::total>, asc<&Invoice::id>)
                              .select(col<&Invoice::id>, col<&Invoice::total>)
                              .all()),
                   plain_sql("select invoice_id, total from invoice where total > (select avg(total) from invoice) * 2"
                             " order by total desc, invoice_id")));
}

TEST_F(chinook_joins, what_is_null_is_neither_equal_nor_unequal) {
  const auto count = [&](const auto& condition) { return line(all_of<Track>().where(condition).count().value()); };
  EXPECT_TRUE(same({count(col<&Track::composer> == std::nullopt)},
                   plain_sql("select count(*) from track where composer is null")));
  EXPECT_TRUE(same({count(col<&Track::composer>.is_not_null())},
                   plain_sql("select count(*) from track where composer is not null")));
  EXPECT_TRUE(same({count(col<&Track::composer> != "AC/DC")},
                   plain_sql("select count(*) from track where composer <> 'AC/DC'")));
  EXPECT_TRUE(same({count(!(col<&Track::composer> == "AC/DC"))},
                   plain_sql("select count(*) from track where not (composer = 'AC/DC')")));
  EXPECT_TRUE(same({count(col<&Track::composer>.not_in("AC/DC", "Apocalyptica"))},
                   plain_sql("select count(*) from track where composer not in ('AC/DC', 'Apocalyptica')")));
  EXPECT_TRUE(same({count(bw::coalesce(col<&Track::composer>, "") != "AC/DC")},
                   plain_sql("select count(*) from track where coalesce(composer, '') <> 'AC/DC'")));
  EXPECT_TRUE(same({count(col<&Track::composer> == std::nullopt || col<&Track::composer>.like("A%"))},
                   plain_sql("select count(*) from track where composer is null or composer like 'A%'")));
  const auto composers = bw::from<Track>().pluck<&Track::composer>();
  EXPECT_TRUE(same({line(all_of<Artist>().where(col<&Artist::name>.not_in(composers)).count().value())},
                   plain_sql("select count(*) from artist where name not in"
                             " (select composer from track where composer is not null)")))
      << "NULLs among the composers do not make it unknown for all artists";
}

TEST_F(chinook_joins, conditions_put_together_at_run_time) {
  const auto search = [&](std::optional<std::string> words, std::vector<std::string> composers,
                          std::optional<bw::numeric> at_most) {
    bw::condition<Track> wanted;
    if (words) wanted = wanted && col<&Track::name>.ilike("%" + *words + "%");
    if (!composers.empty()) wanted = wanted && col<&Track::composer>.in(composers);
    if (at_most) wanted = wanted && col<&Track::unit_price> <= *at_most;
    return listed(tracks().where(wanted).all(), id_of);
  };
  EXPECT_TRUE(same(search({}, {}, {}), plain_sql("select track_id from track order by 1")));
  EXPECT_TRUE(
      same(search("coração", {}, {}), plain_sql("select track_id from track where name ilike '%coração%' order by 1")));
  EXPECT_TRUE(
      same(search("love", {}, bw::numeric{"0.99"}),
           plain_sql("select track_id from track where name ilike '%love%' and unit_price <= 0.99 order by 1")));
  EXPECT_TRUE(
      same(search({}, {"AC/DC", "Steve Harris", "nobody"}, {}),
           plain_sql("select track_id from track where composer in ('AC/DC', 'Steve Harris', 'nobody') order by 1")));
}

TEST_F(chinook_joins, lists_of_any_length_are_one_value) {
  std::vector<std::int32_t> odd;
  for (std::int32_t id = 1; id < 4000; id += 2) odd.push_back(id);
  EXPECT_TRUE(same(listed(tracks().where(col<&Track::id>.in(odd)).all(), id_of),
                   plain_sql("select track_id from track where track_id % 2 = 1 order by 1")));
  EXPECT_TRUE(same(listed(tracks().where(col<&Track::id>.not_in(odd)).all(), id_of),
                   plain_sql("select track_id from track where track_id % 2 = 0 order by 1")));
  EXPECT_EQ(tracks().where(col<&Track::id>.in(std::vector<std::int32_t>{})).count().value(), 0);
}

TEST_F(chinook_joins, a_month_is_half_open) {
  const auto invoices = all_of<Invoice>().query().order_by(asc<&Invoice::invoice_date>, asc<&Invoice::id>);
  const auto show = [](const Invoice& invoice) { return line(invoice.id, invoice.invoice_date); };
  for (const char* const month : {"2021-01", "2021-02", "2023-12"}) {
    const bw::timestamp from = bw::timestamp::parse(std::string(month) + "-01 00:00").value();
    const bw::timestamp to = bw::timestamp(std::chrono::local_days(
        std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(from.to_local_time().value())) +
        std::chrono::months(1)));
    const lines expected = plain_sql(
        "select invoice_id, invoice_date from invoice where to_char(invoice_date, 'YYYY-MM')"
        " = '" +
        std::string(month) + "' order by invoice_date, invoice_id");
    EXPECT_TRUE(same(
        listed(invoices.where(col<&Invoice::invoice_date> >= from).where(col<&Invoice::invoice_date> < to).all(), show),
        expected));
    EXPECT_TRUE(same(listed(invoices.where(col<&Invoice::invoice_date>.within(from, to)).all(), show), expected));
  }
  // The first instant belongs to its day and to no other, whatever the time zone.
  const bw::timestamp first = invoices.min<&Invoice::invoice_date>().value().value();
  const bw::date day{"2021-01-01"};
  EXPECT_EQ(first, bw::timestamp{"2021-01-01 00:00"});
  ASSERT_TRUE(succeeds(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.execute("set local time zone 'Pacific/Auckland'"));
    const auto query = tx.repository<Invoice>().query();
    EXPECT_EQ(query.where(col<&Invoice::invoice_date>.on_date(day)).count().value(), 1);
    EXPECT_EQ(query.where(col<&Invoice::invoice_date>.within(day, bw::date{"2021-01-02"})).count().value(), 1);
    EXPECT_EQ(query.where(col<&Invoice::invoice_date>.on_date(bw::date{"2020-12-31"})).count().value(), 0);
    return bw::success();
  })));
}

}  // namespace
}  // namespace chinook
