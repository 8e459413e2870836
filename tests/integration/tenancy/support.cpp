#include "support.hpp"

#include "../cluster_or_exit.hpp"

#include <cstdlib>
#include <iostream>

namespace tests {
namespace {

constexpr std::string_view once[] = {
    "create role shop_tenant",
    "grant shop_tenant to app",
    "create role none_such",
    "create schema shared",
    "create table shared.rates (name text)",
    "insert into shared.rates values ('daily')",
    "grant usage on schema shared to app",
    "grant select on shared.rates to app",
    "create schema t_acme",
    "create schema t_globex",
    "create table t_acme.notes (body text)",
    "create table t_globex.notes (body text)",
    "grant usage on schema t_acme, t_globex to app",
    "grant all on t_acme.notes, t_globex.notes to app",
    "create database d_acme owner app",
    "create database d_globex owner app",
};

/// The values that clients choose themselves are what a policy must not trust: the tenant's column has a default of its own.
constexpr std::string_view before_each[] = {
    "drop table if exists documents",
    ("create table documents (id bigint generated always as identity primary key, "
     "tenant text not null default current_setting('app.tenant'), body text not null unique deferrable initially "
     "deferred)"),
    "alter table documents enable row level security",
    ("create policy of_tenant on documents using (tenant = current_setting('app.tenant')) "
     "with check (tenant = current_setting('app.tenant'))"),
    "grant select, insert, update, delete on documents to shop_tenant",
    "truncate t_acme.notes, t_globex.notes",
};

}  // namespace

bw::testing::cluster& shared_cluster() {
  static bw::testing::cluster shared = [] {
    auto made = cluster_or_exit({.replicas = 1});
    for (const std::string_view statement : once) {
      if (auto done = made.execute(statement); !done) {
        std::cerr << statement << ": " << done.error().message() << '\n';
        std::exit(1);
      }
    }
    return made;
  }();
  return shared;
}

void tenancy_test::SetUp() {
  for (const std::string_view statement : before_each) ASSERT_OK(shared_cluster().execute(statement));
  ASSERT_OK(shared_cluster().wait_for_replay(shared_cluster().replica(0)));
  config.nodes = {shared_cluster().dsn()};
  config.pool.size = 1;  // so that whoever comes next has the same connection
  config.tenant_resolver = bw::tenants::by_variable("app.tenant", "shop_tenant");
}

bw::database tenancy_test::open() const {
  auto opened = bw::database::open(config);
  if (!opened) {
    std::cerr << "no database: " << opened.error().message() << '\n';
    std::exit(1);
  }
  return std::move(opened).value();
}

std::string tenancy_test::traces(const bw::database& db) {
  const auto seen = db.session({.across_tenants = true})
                        .query(
                            "select current_user || '|' || current_setting('search_path') || '|' || "
                            "coalesce(current_setting('app.tenant', true), '')")
                        .one<std::string>();
  return seen ? seen.value() : seen.error().message();
}

}  // namespace tests
