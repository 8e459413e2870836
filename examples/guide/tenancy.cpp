// Many customers in one set of tables: docs/tenancy.md.

#include "guide.hpp"

#include <string>

using guide::expect;

struct Order {
  std::int64_t id{};
  std::string article{};
};
template <>
inline constexpr auto breakwater::mapping<Order> = bw::table(
    "orders", bw::column<&Order::id>("id", bw::primary_key, bw::generated), bw::column<&Order::article>("article"));

bw::result<void> make_tables(const bw::database& db) {
  const bw::session everybody = db.session({.across_tenants = true});
  return guide::prepare(
      everybody,
      {
          // [policy]
          "create table orders (id bigint generated always as identity primary key, article text not null, "
          "tenant text not null default current_setting('app.tenant'))",
          "alter table orders enable row level security",
          "alter table orders force row level security",  // for the owner as well, who is the login role here
          "create policy of_tenant on orders "
          "using (tenant = current_setting('app.tenant')) with check (tenant = current_setting('app.tenant'))",
          // [/policy]
      });
}

bw::result<void> use(bw::config config) {
  // [tenants]
  config.tenant_resolver = bw::tenants::by_variable("app.tenant");
  BOOST_OUTCOME_TRY(const auto db, bw::database::open(config));
  // [/tenants]
  BOOST_OUTCOME_TRY(make_tables(db));
  // [sessions]
  bw::session acme = db.session({.tenant = "acme"});
  BOOST_OUTCOME_TRY(acme.repository<Order>().insert({.article = "anvil"}));

  bw::session globex = db.session({.tenant = "globex"});
  BOOST_OUTCOME_TRY(const auto seen, globex.repository<Order>().count());  // 0

  const auto refused = db.session().repository<Order>().count();  // no tenant: errc::unsafe_operation
  // [/sessions]
  expect(seen == 0);
  expect(refused.error() == bw::errc::unsafe_operation);
  BOOST_OUTCOME_TRY(const auto mine, acme.repository<Order>().count());
  expect(mine == 1);
  return bw::success();
}

bw::result<void> topic(const bw::database& /*db*/) {
  BOOST_OUTCOME_TRY(const auto config, bw::config::from_environment());
  return use(config);
}

int main() { return guide::run(topic); }
