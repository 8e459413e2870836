// SQL written by hand: docs/guide/raw_sql.md.

#include "guide.hpp"

#include <tuple>
#include <vector>

using guide::expect;

// [struct]
struct Total {  // no mapping needed: columns are found by the names of the fields
  std::string customer{};
  bw::numeric total{};
  std::optional<bw::date> last{};
};
// [/struct]

bw::result<void> topic(const bw::database& db) {
  bw::session session = db.session();
  BOOST_OUTCOME_TRY(guide::prepare(session, {"drop table if exists orders",
                                             "create table orders (id bigint generated always as identity primary key,"
                                             " customer text not null, amount numeric(12, 2) not null, placed date,"
                                             " notes jsonb not null default '{}')"}));

  // [execute]
  const bw::date day{"2026-02-28"};
  BOOST_OUTCOME_TRY(const std::size_t added, session.execute("insert into orders (customer, amount, placed) "
                                                             "values (?, ?, ?), (?, ?, null)",
                                                             "ada", bw::numeric{"12.50"}, day, "grace", 7));
  expect(added == 2);
  // [/execute]

  // [as]
  BOOST_OUTCOME_TRY(const std::vector<Total> totals,
                    session
                        .query("select customer, sum(amount) total, max(placed) last from orders "
                               "where amount > :least group by customer order by customer",
                               bw::arg("least", 5))
                        .read_only()
                        .named("orders.totals")
                        .as<Total>());
  expect(totals.size() == 2 && totals[0].total == bw::numeric{"12.50"} && !totals[1].last);
  // [/as]

  // [shapes]
  BOOST_OUTCOME_TRY(const auto count, session.query("select count(*) from orders").one<std::int64_t>());
  expect(count == 2);
  BOOST_OUTCOME_TRY(const auto nobody,
                    session.query("select amount from orders where customer = ?", "eve").maybe<bw::numeric>());
  expect(!nobody);
  BOOST_OUTCOME_TRY(
      const auto pairs,
      (session.query("select id, customer from orders order by id").as<std::tuple<std::int64_t, std::string>>()));
  expect(std::get<1>(pairs.at(1)) == "grace");
  // As the server sent it:
  BOOST_OUTCOME_TRY(const bw::rows answer, session.query("select * from orders").rows());
  expect(answer.columns() == 5 && answer.column_name(1) == "customer");
  // [/shapes]

  // [arguments]
  const std::vector<std::string> names{"ada", "eve"};
  BOOST_OUTCOME_TRY(const auto listed,
                    session.query("select count(*) from orders where customer = any(?)", names).one<std::int64_t>());
  expect(listed == 1);  // a list is one array value, of any length
  BOOST_OUTCOME_TRY(
      const auto tagged,
      session.query("select count(*) from orders where notes ?? ? and amount::int > 0", "gift").one<std::int64_t>());
  expect(tagged == 0);  // ?? is jsonb's operator ?; a cast's colons are left alone
  // [/arguments]

  // [mistakes]
  const auto too_few = session.execute("delete from orders where id = ? and customer = ?", 1);
  expect(too_few.error() == bw::errc::invalid_argument);  // and nothing was sent
  const auto writes = session.query("delete from orders").read_only().execute();
  expect(writes.error() == bw::errc::read_only);  // the server holds it to what was said
  const auto many = session.query("select amount from orders").one<bw::numeric>();
  expect(many.error() == bw::errc::too_many_rows);
  // [/mistakes]

  // [show]
  const auto by_mail =
      session.query("select 1 from orders where customer = :mail", bw::arg("mail", "ada@example.org", bw::sensitive));
  expect(by_mail.to_sql() == "select 1 from orders where customer = $1");
  expect(by_mail.to_sql(bw::with_values) == "select 1 from orders where customer = '***'");
  // [/show]
  return bw::success();
}

int main() { return guide::run(topic); }
