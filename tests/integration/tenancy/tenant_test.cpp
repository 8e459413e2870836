// Tenants by row-level security, by schema, by role and by database; and who is refused.

#include "support.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>

namespace tests {
namespace {

using tenants = tenancy_test;

TEST_F(tenants, see_and_write_their_own_rows_only) {
  bw::database db = open();
  auto acme = db.session({.tenant = "acme"}).repository<document>();
  auto globex = db.session({.tenant = "globex"}).repository<document>();
  const auto plan = acme.insert({.body = "plan"});
  ASSERT_OK(plan);
  ASSERT_OK(globex.insert({.body = "bill"}));
  EXPECT_EQ(acme.count().value(), 1);
  EXPECT_EQ(globex.query().all().value().at(0).body, "bill");
  EXPECT_ERROR(globex.get(plan.value().id), errc::not_found);
  EXPECT_ERROR(globex.remove(plan.value().id), errc::not_found);
  EXPECT_EQ(shared_cluster()
                .query_value("select string_agg(tenant || ':' || body, ',' order by tenant) from documents")
                .value(),
            "acme:plan,globex:bill");
}

TEST_F(tenants, are_the_same_in_every_way_to_run_statements) {
  bw::database db = open();
  const auto mine = [&] { return db.session({.tenant = "acme"}); };
  const auto rows_of = [](const std::string& tenant) {
    return shared_cluster().query_value("select count(*) from documents where tenant = '" + tenant + "'").value();
  };
  // a transaction
  bw::session session = mine();
  EXPECT_OK(session.transact([](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.repository<document>().insert({.body = "one"}));
    return tx.transact([](bw::transaction& inner) -> bw::result<void> {
      BOOST_OUTCOME_TRY(inner.repository<document>().insert({.body = "two"}));
      return bw::success();
    });
  }));
  EXPECT_EQ(rows_of("acme"), "2");
  // many rows at once
  const std::vector<document> more{{.body = "three"}, {.body = "four"}};
  EXPECT_OK(mine().repository<document>().insert_many(more));
  EXPECT_EQ(rows_of("acme"), "4");
  // a batch
  bw::session batching = mine();
  auto batch = batching.batch();
  batch.add(batching.query("insert into documents (body) values ('seven')"));
  batch.add(batching.query("insert into documents (body) values ('eight')"));
  EXPECT_OK(batch.run());
  EXPECT_EQ(rows_of("acme"), "6");
  // guarded
  EXPECT_OK(db.session({.outcome_guard = true, .tenant = "acme"}).repository<document>().insert({.body = "nine"}));
  EXPECT_EQ(rows_of("acme"), "7");
  // a stream, raw SQL, and another tenant, who sees nothing of it
  for (const auto& [tenant, expected] : {std::pair{"acme", 7U}, std::pair{"globex", 0U}}) {
    bw::session reader = db.session({.tenant = tenant});
    EXPECT_EQ(reader.repository<document>().query().stream([](document&&) {}).value(), expected);
    EXPECT_EQ(reader.query("select count(*) from documents").read_only().one<std::int64_t>().value(),
              static_cast<std::int64_t>(expected));
  }
  EXPECT_EQ(traces(db), no_traces);
}

TEST_F(tenants, read_from_replicas_as_themselves) {
  config.nodes = shared_cluster().dsns();
  bw::database db = open();
  ASSERT_OK(db.session({.tenant = "acme"}).repository<document>().insert({.body = "plan"}));
  ASSERT_OK(shared_cluster().wait_for_replay(shared_cluster().replica(0)));
  const auto seen = [&](const char* tenant) {
    return db.session({.consistency = bw::consistency::eventual, .tenant = tenant})
        .query("select count(*)::text || ' ' || pg_is_in_recovery()::text from documents")
        .read_only()
        .one<std::string>();
  };
  EXPECT_EQ(seen("acme").value(), "1 true");
  EXPECT_EQ(seen("globex").value(), "0 true");
}

TEST_F(tenants, copy_into_their_own_schema_and_out_of_it) {
  config.tenant_resolver = bw::tenants::by_schema("t_");
  bw::database db = open();
  const std::vector<note> plans{{.body = "plan a"}, {.body = "plan b"}};
  ASSERT_OK(db.session({.tenant = "acme"}).repository<note>().copy_in(plans));
  ASSERT_OK(db.session({.outcome_guard = true, .tenant = "acme"}).repository<note>().copy_in(plans));
  const auto rows_of = [&](const char* tenant) {
    std::vector<std::string> bodies;
    bw::session session = db.session({.tenant = tenant});
    EXPECT_OK(session.repository<note>().copy_out([&](note&& each) { bodies.push_back(each.body); }));
    return bodies.size();
  };
  EXPECT_EQ(rows_of("acme"), 4U);
  EXPECT_EQ(rows_of("globex"), 0U);
  EXPECT_EQ(traces(db), no_traces);
}

TEST_F(tenants, by_schema_search_their_own_and_the_shared_ones) {
  config.tenant_resolver = bw::tenants::by_schema("t_", {"shared"});
  bw::database db = open();
  ASSERT_OK(db.session({.tenant = "acme"}).execute("insert into notes values ('plan')"));
  EXPECT_EQ(db.session({.tenant = "acme"}).query("select body from notes").one<std::string>().value(), "plan");
  EXPECT_EQ(db.session({.tenant = "globex"}).query("select count(*) from notes").one<std::int64_t>().value(), 0);
  EXPECT_EQ(db.session({.tenant = "globex"}).query("select name from rates").one<std::string>().value(), "daily");
  EXPECT_EQ(traces(db), no_traces);
}

TEST_F(tenants, whose_schema_does_not_exist_are_refused_and_do_not_meet_in_a_shared_one) {
  ASSERT_OK(shared_cluster().execute("create table if not exists shared.notes (body text)"));
  ASSERT_OK(shared_cluster().execute("grant all on shared.notes to app"));
  config.tenant_resolver = bw::tenants::by_schema("t_", {"shared"});
  bw::database db = open();
  const auto refused = db.session({.tenant = "initech"}).execute("insert into notes values ('lost')");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().sqlstate(), "3F000");
  EXPECT_EQ(refused.error().applied(), bw::applied::no);
  EXPECT_EQ(shared_cluster().query_value("select count(*) from shared.notes").value(), "0");
}

TEST_F(tenants, whose_schema_the_role_may_not_use_are_refused_and_do_not_meet_in_a_shared_one) {
  ASSERT_OK(shared_cluster().execute("create schema if not exists t_closed"));
  ASSERT_OK(shared_cluster().execute("revoke all on schema t_closed from app"));
  ASSERT_OK(shared_cluster().execute("create table if not exists shared.notes (body text)"));
  ASSERT_OK(shared_cluster().execute("grant all on shared.notes to app"));
  config.tenant_resolver = bw::tenants::by_schema("t_", {"shared"});
  bw::database db = open();
  const auto refused = db.session({.tenant = "closed"}).execute("insert into notes values ('lost')");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().sqlstate(), "22P02");
  EXPECT_EQ(refused.error().applied(), bw::applied::no);
  EXPECT_EQ(shared_cluster().query_value("select count(*) from shared.notes").value(), "0");
}

TEST_F(tenants, by_schema_do_not_meet_in_a_temporary_table) {
  config.tenant_resolver = bw::tenants::by_schema("t_");
  bw::database db = open();
  ASSERT_OK(db.session({.tenant = "acme"}).execute("insert into notes values ('plan')"));
  ASSERT_OK(db.session({.tenant = "acme"}).execute("create temporary table notes as select 'secret' as body"));
  EXPECT_EQ(db.session({.tenant = "globex"}).query("select count(*) from notes").one<std::int64_t>().value(), 0);
  EXPECT_EQ(db.session({.tenant = "acme"}).query("select body from notes").one<std::string>().value(), "plan");
}

TEST_F(tenants, by_schema_may_have_types_of_their_own) {
  for (const std::string schema : {"t_acme", "t_globex"}) {
    ASSERT_OK(shared_cluster().execute("drop table if exists " + schema + ".states; drop type if exists " + schema +
                                       ".state; create type " + schema +
                                       ".state as enum ('open', 'done'); create table " + schema + ".states (value " +
                                       schema + ".state); grant all on " + schema + ".states to app"));
  }
  config.tenant_resolver = bw::tenants::by_schema("t_");
  bw::database db = open();
  for (int i = 0; i < 3; ++i) {
    for (const char* tenant : {"acme", "globex"}) {
      EXPECT_OK(db.session({.tenant = tenant}).execute("insert into states values (?)", "open"));
      bw::session session = db.session({.tenant = tenant});
      EXPECT_OK(session.transact(
          [](bw::transaction& tx) -> bw::result<void> {
            BOOST_OUTCOME_TRY(tx.execute("update states set value = ?", "done"));
            BOOST_OUTCOME_TRY(tx.query("select * from states").as<std::string>());
            return bw::success();
          },
          {.max_attempts = 1}));
    }
  }
}

TEST_F(tenants, with_names_that_need_quotes_are_quoted) {
  config.tenant_resolver = bw::tenants::by_schema();
  ASSERT_OK(shared_cluster().execute("create schema if not exists \"Ev\"\"il, public\""));
  ASSERT_OK(shared_cluster().execute("grant usage on schema \"Ev\"\"il, public\" to app"));
  bw::database db = open();
  EXPECT_EQ(
      db.session({.tenant = "Ev\"il, public"}).query("select current_schemas(false)::text").one<std::string>().value(),
      R"({"Ev\"il, public"})");
}

TEST_F(tenants, by_role_run_as_it) {
  config.tenant_resolver = bw::tenants::by_role("shop_");
  bw::database db = open();
  EXPECT_EQ(db.session({.tenant = "tenant"}).query("select current_user::text").one<std::string>().value(),
            "shop_tenant");
  const auto refused = db.session({.tenant = "nobody"}).query("select 1").one<std::int32_t>();
  ASSERT_FALSE(refused);
  EXPECT_EQ(traces(db), no_traces);
}

TEST_F(tenants, can_not_be_named_so_that_they_become_the_login_role) {
  config.tenant_resolver = bw::tenants::by_role();
  bw::database db = open();
  EXPECT_ERROR(db.session({.tenant = "none"}).execute("select 1"), errc::invalid_argument);
  EXPECT_ERROR(db.session({.tenant = "pg_read_all_data"}).execute("select 1"), errc::invalid_argument);
  EXPECT_ERROR(db.session({.tenant = std::string(80, 'x')}).execute("select 1"), errc::invalid_argument);
}

TEST_F(tenants, by_database_have_pools_of_their_own) {
  config.tenant_resolver = bw::tenants::by_database("d_");
  bw::database db = open();
  for (const char* name : {"acme", "globex"}) {
    ASSERT_OK(db.session({.tenant = name}).execute("create table if not exists notes (body text)"));
    ASSERT_OK(db.session({.tenant = name}).execute("delete from notes"));
  }
  ASSERT_OK(db.session({.tenant = "acme"}).execute("insert into notes values ('plan')"));
  EXPECT_EQ(db.session({.tenant = "acme"}).query("select count(*) from notes").one<std::int64_t>().value(), 1);
  EXPECT_EQ(db.session({.tenant = "globex"}).query("select count(*) from notes").one<std::int64_t>().value(), 0);
  EXPECT_EQ(db.session({.across_tenants = true}).query("select current_database()::text").one<std::string>().value(),
            "app");
  const auto unknown = db.session({.tenant = "initech"}).execute("select 1");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().sqlstate(), "3D000");
  EXPECT_EQ(unknown.error().applied(), bw::applied::no);
  EXPECT_OK(db.shutdown());
  EXPECT_ERROR(db.session({.tenant = "acme"}).execute("select 1"), errc::cancelled);
  EXPECT_ERROR(db.session({.tenant = "never seen"}).execute("select 1"), errc::cancelled) << "none is opened any more";
}

TEST_F(tenants, whose_databases_are_too_many_give_way_to_each_other_unless_they_are_in_use) {
  config.tenant_resolver = bw::tenants::by_database("d_");
  config.tenancy.max_databases = 1;
  bw::database db = open();
  {
    bw::session acme = db.session({.tenant = "acme"});
    EXPECT_OK(acme.execute("select 1"));
    EXPECT_ERROR(db.session({.tenant = "globex"}).execute("select 1"), errc::resource_exhausted);
  }
  EXPECT_OK(db.session({.tenant = "globex"}).execute("select 1"));
  EXPECT_TRUE(eventually([] {
    return shared_cluster().query_value("select count(*) from pg_stat_activity where datname = 'd_acme'").value() ==
           "0";
  }));
}

TEST_F(tenants, that_are_missing_are_refused_before_anything_is_sent) {
  bw::database db = open();
  bw::session nobody = db.session();
  EXPECT_ERROR(nobody.execute("select 1"), errc::unsafe_operation);
  EXPECT_ERROR(nobody.repository<document>().count(), errc::unsafe_operation);
  EXPECT_ERROR(nobody.repository<document>().copy_in(std::vector<document>{{.body = "x"}}), errc::unsafe_operation);
  EXPECT_ERROR(nobody.transact([](bw::transaction&) -> bw::result<void> { return bw::success(); }),
               errc::unsafe_operation);
  EXPECT_ERROR(db.session({.outcome_guard = true}).execute("select 1"), errc::unsafe_operation);
  EXPECT_ERROR(nobody.repository<document>().query().stream([](document&&) {}), errc::unsafe_operation);
  EXPECT_OK((db.verify<document>()));  // asks the catalogue, which is nobody's
}

TEST_F(tenants, that_nobody_can_resolve_are_refused) {
  config.tenant_resolver = [](std::string_view tenant) -> bw::result<bw::tenant_scope> {
    if (tenant == "throws") throw std::runtime_error("secret");
    return bw::error(errc::not_found, "no such tenant");
  };
  bw::database db = open();
  EXPECT_ERROR(db.session({.tenant = "initech"}).execute("select 1"), errc::not_found);
  const auto thrown = db.session({.tenant = "throws"}).execute("select 1");
  EXPECT_ERROR(thrown, errc::internal);
  EXPECT_EQ(thrown.error().message().find("secret"), std::string::npos);
  EXPECT_ERROR(db.session({.tenant = "a", .across_tenants = true}).execute("select 1"), errc::invalid_argument);
  // Half of a resolver: nothing would tell the tenant from all others.
  config.tenant_resolver = [](std::string_view) -> bw::result<bw::tenant_scope> { return bw::tenant_scope{}; };
  EXPECT_ERROR(open().session({.tenant = "acme"}).execute("select 1"), errc::unsafe_operation);
  config.tenant_resolver = bw::tenants::by_schema();
  EXPECT_ERROR(open().session({.tenant = "public"}).execute("select 1"), errc::invalid_argument);
  config.tenant_resolver = nullptr;
  bw::database without = open();
  EXPECT_ERROR(without.session({.tenant = "acme"}).execute("select 1"), errc::unsafe_operation);
  EXPECT_OK(without.session().execute("select 1"));
}

}  // namespace
}  // namespace tests
