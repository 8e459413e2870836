// Reports: groups, aggregates and expressions, with the very digits that SQL answers.

#include "support.hpp"

namespace chinook {
namespace {

using bw::asc;
using bw::col;
using bw::desc;

/// What a line of an invoice costs.
const auto price = col<&InvoiceLine::unit_price> * col<&InvoiceLine::quantity>;

struct GenreSales {
  std::optional<std::string> country;
  std::optional<std::string> genre;
  std::int64_t tracks{};
  std::optional<bw::numeric> revenue;
};

struct BestCustomer {
  std::int32_t id{};
  std::string name;
  std::int64_t invoices{};
  std::optional<bw::numeric> spent;
  std::optional<bw::timestamp> last_bought;
};

class chinook_aggregates : public chinook_test {
 protected:
  [[nodiscard]] auto sold_tracks() const {
    return all_of<InvoiceLine>()
        .query()
        .join<Invoice>(col<&InvoiceLine::invoice_id> == col<&Invoice::id>)
        .join<Track>(col<&InvoiceLine::track_id> == col<&Track::id>);
  }
};

TEST_F(chinook_aggregates, sales_by_country_and_genre) {
  const auto report = sold_tracks()
                          .left_join<Genre>(col<&Track::genre_id> == col<&Genre::id>)
                          .select<GenreSales>(col<&Invoice::billing_country>, col<&Genre::name>,
                                              bw::coalesce(bw::sum(col<&InvoiceLine::quantity>), 0), bw::sum(price))
                          .group_by(col<&Invoice::billing_country>, col<&Genre::name>)
                          .order_by(asc<&Invoice::billing_country>, bw::descending(bw::sum(price)), asc<&Genre::name>);
  EXPECT_TRUE(same(
      listed(report.all(), [](const GenreSales& row) { return line(row.country, row.genre, row.tracks, row.revenue); }),
      plain_sql("select billing_country, g.name, sum(quantity), sum(l.unit_price * quantity)"
                " from invoice_line l join invoice using (invoice_id) join track using (track_id)"
                " left join genre g using (genre_id) group by billing_country, g.name"
                " order by billing_country, 4 desc, g.name")));
  EXPECT_EQ(statements(), "invoice_line.select");
  EXPECT_TRUE(same(
      {line(report.count().value())},
      plain_sql("select count(*) from (select 1 from invoice_line join invoice using (invoice_id)"
                " join track using (track_id) left join genre g using (genre_id) group by billing_country, g.name) "
                "g")));
}

TEST_F(chinook_aggregates, the_best_customers_of_those_who_spent_enough) {
  const auto report =
      all_of<Customer>()
          .query()
          .join<Invoice>(col<&Invoice::customer_id> == col<&Customer::id>)
          .select<BestCustomer>(
              col<&Customer::id>,
              bw::sql<std::string>("? || ' ' || ?", col<&Customer::first_name>, col<&Customer::last_name>), bw::count(),
              bw::sum(col<&Invoice::total>), bw::max(col<&Invoice::invoice_date>))
          .group_by(col<&Customer::id>)
          .having(bw::sum(col<&Invoice::total>) >= bw::numeric{"40.62"} && bw::count() > 5)
          .order_by(bw::descending(bw::sum(col<&Invoice::total>)), asc<&Customer::id>)
          .all();
  EXPECT_TRUE(same(
      listed(report,
             [](const BestCustomer& row) { return line(row.id, row.name, row.invoices, row.spent, row.last_bought); }),
      plain_sql("select c.customer_id, first_name || ' ' || last_name, count(*), sum(total),"
                " max(invoice_date) from customer c join invoice using (customer_id)"
                " group by c.customer_id having sum(total) >= 40.62 and count(*) > 5"
                " order by sum(total) desc, c.customer_id")));
}

TEST_F(chinook_aggregates, revenue_of_every_employee_through_their_customers) {
  const auto report =
      all_of<Employee>()
          .query()
          .left_join<Customer>(col<&Customer::support_rep_id> == col<&Employee::id>)
          .left_join<Invoice>(col<&Invoice::customer_id> == col<&Customer::id>)
          .select(col<&Employee::last_name>, bw::count_distinct(col<&Customer::id>), bw::count(col<&Invoice::id>),
                  bw::coalesce(bw::sum(col<&Invoice::total>), bw::numeric{"0.00"}), bw::sum(col<&Invoice::total>))
          .group_by(col<&Employee::id>)
          .order_by(bw::descending(bw::sum(col<&Invoice::total>)).nulls_last(), asc<&Employee::id>)
          .all();
  EXPECT_TRUE(
      same(listed(report), plain_sql("select e.last_name, count(distinct customer_id), count(invoice_id),"
                                     " coalesce(sum(total), 0.00), sum(total) from employee e"
                                     " left join customer on support_rep_id = employee_id"
                                     " left join invoice using (customer_id)"
                                     " group by employee_id order by sum(total) desc nulls last, employee_id")));
}

TEST_F(chinook_aggregates, average_length_by_media_type_to_the_last_digit) {
  const auto report =
      all_of<Track>()
          .query()
          .join<MediaType>(col<&MediaType::id> == col<&Track::media_type_id>)
          .select(col<&MediaType::name>, bw::count(), bw::avg(col<&Track::milliseconds>),
                  bw::min(col<&Track::milliseconds>), bw::max(col<&Track::milliseconds>), bw::sum(col<&Track::bytes>),
                  bw::avg(col<&Track::unit_price>), bw::count_distinct(col<&Track::composer>))
          .group_by(col<&MediaType::name>)
          .order_by(bw::descending(bw::avg(col<&Track::milliseconds>)));
  EXPECT_TRUE(same(listed(report.all()),
                   plain_sql("select m.name, count(*), avg(milliseconds), min(milliseconds), max(milliseconds),"
                             " sum(bytes), avg(unit_price), count(distinct composer) from track"
                             " join media_type m using (media_type_id) group by m.name order by 3 desc")));
  EXPECT_TRUE(same(listed(report.having(bw::count() > 100 && bw::avg(col<&Track::milliseconds>) < 300'000).all()),
                   plain_sql("select m.name, count(*), avg(milliseconds), min(milliseconds), max(milliseconds),"
                             " sum(bytes), avg(unit_price), count(distinct composer) from track"
                             " join media_type m using (media_type_id) group by m.name"
                             " having count(*) > 100 and avg(milliseconds) < 300000 order by 3 desc")));
}

TEST_F(chinook_aggregates, revenue_of_every_month) {
  const auto month = bw::sql<bw::date>("date_trunc('month', ?)::date", col<&Invoice::invoice_date>);
  const auto report = all_of<Invoice>()
                          .query()
                          .select(month, bw::count(), bw::sum(col<&Invoice::total>))
                          .group_by(month)
                          .order_by(bw::ascending(month))
                          .all();
  EXPECT_TRUE(same(listed(report), plain_sql("select date_trunc('month', invoice_date)::date, count(*), sum(total)"
                                             " from invoice group by 1 order by 1")));
}

TEST_F(chinook_aggregates, every_invoice_is_the_exact_sum_of_its_lines) {
  const auto off = all_of<Invoice>()
                       .query()
                       .join<InvoiceLine>(col<&InvoiceLine::invoice_id> == col<&Invoice::id>)
                       .select(col<&Invoice::id>, col<&Invoice::total>, bw::sum(price))
                       .group_by(col<&Invoice::id>);
  EXPECT_EQ(off.having(bw::sum(price) != bw::min(col<&Invoice::total>)).count().value(), 0);
  EXPECT_TRUE(same(listed(off.order_by(asc<&Invoice::id>).all()),
                   plain_sql("select invoice_id, total, sum(unit_price * quantity) from invoice"
                             " join invoice_line using (invoice_id) group by invoice_id order by invoice_id")));

  // Added up here: exact as well, the scale included.
  const auto all = all_of<Invoice>().query().all();
  ASSERT_TRUE(succeeds(all));
  bw::numeric total;
  for (const Invoice& invoice : all.value()) total += invoice.total;
  EXPECT_TRUE(same({line(total)}, plain_sql("select sum(total) from invoice")));
  EXPECT_EQ(all_of<Invoice>().query().sum<&Invoice::total>().value(), total);
}

TEST_F(chinook_aggregates, of_one_column_over_a_query) {
  const auto rock = all_of<Track>().where(col<&Track::genre_id> == 1);
  EXPECT_TRUE(same({line(rock.count().value(), rock.sum<&Track::milliseconds>().value(),
                         rock.avg<&Track::milliseconds>().value(), rock.min<&Track::name>().value(),
                         rock.max<&Track::composer>().value(), rock.avg<&Track::unit_price>().value())},
                   plain_sql("select count(*), sum(milliseconds), avg(milliseconds), min(name), max(composer),"
                             " avg(unit_price) from track where genre_id = 1")));
  const auto none = all_of<Track>().where(col<&Track::genre_id> == -1);
  EXPECT_EQ(none.sum<&Track::milliseconds>().value(), std::nullopt);
  EXPECT_EQ(none.count().value(), 0);
}

TEST_F(chinook_aggregates, distinct_values_pairs_and_first_rows) {
  const auto countries = all_of<Customer>().query().pluck<&Customer::country>().distinct();
  EXPECT_TRUE(same(listed(countries.order_by(asc<&Customer::country>).all()),
                   plain_sql("select distinct country from customer order by country")));
  EXPECT_TRUE(same({line(countries.count().value())},
                   plain_sql("select count(*) from (select distinct country from customer) c")));
  EXPECT_TRUE(same(listed(all_of<Track>()
                              .query()
                              .select(col<&Track::genre_id>, col<&Track::media_type_id>)
                              .distinct()
                              .order_by(asc<&Track::genre_id>, desc<&Track::media_type_id>)
                              .all()),
                   plain_sql("select distinct genre_id, media_type_id from track order by 1, 2 desc")));
  EXPECT_TRUE(same(listed(all_of<Track>()
                              .query()
                              .distinct_on(col<&Track::genre_id>)
                              .order_by(asc<&Track::genre_id>, desc<&Track::milliseconds>)
                              .all(),
                          [](const Track& track) { return line(track.genre_id, track.name, track.milliseconds); }),
                   plain_sql("select distinct on (genre_id) genre_id, name, milliseconds from track"
                             " order by genre_id, milliseconds desc")));
}

TEST_F(chinook_aggregates, expressions_in_select_group_and_order) {
  const auto minutes = col<&Track::milliseconds> / 60'000;
  EXPECT_TRUE(same(listed(all_of<Track>()
                              .query()
                              .select(bw::sql<std::int32_t>("? / 60000", col<&Track::milliseconds>), bw::count())
                              .group_by(bw::sql<std::int32_t>("? / 60000", col<&Track::milliseconds>))
                              .order_by(bw::descending(bw::count()),
                                        bw::ascending(bw::sql<std::int32_t>("? / 60000", col<&Track::milliseconds>)))
                              .all()),
                   plain_sql("select milliseconds / 60000, count(*) from track group by 1 order by 2 desc, 1")));
  EXPECT_TRUE(
      same(listed(all_of<Track>()
                      .where(minutes >= 40)
                      .select(bw::upper(col<&Track::name>), bw::length(col<&Track::composer>), minutes,
                              col<&Track::milliseconds> % 60'000, bw::coalesce(col<&Track::composer>, "nobody"),
                              col<&Track::unit_price> * 3 - bw::numeric{"0.005"})
                      .order_by(bw::descending(minutes), bw::ascending(bw::lower(col<&Track::name>)), asc<&Track::id>)
                      .all()),
           plain_sql("select upper(name), length(composer), milliseconds / 60000, milliseconds % 60000,"
                     " coalesce(composer, 'nobody'), unit_price * 3 - 0.005 from track where milliseconds / 60000 >= 40"
                     " order by milliseconds / 60000 desc, lower(name), track_id")));
}

}  // namespace
}  // namespace chinook
