// Single statements on a borrowed connection.

#include "support.hpp"

namespace breakwater::postgres::test {
namespace {

class lease_channels : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { arrange("create table notes (id int primary key); grant all on notes to app"); }
  static void TearDownTestSuite() { arrange("drop table notes"); }
  void TearDown() override { arrange("truncate notes"); }

  client app{{.size = 1}};
};

TEST_F(lease_channels, a_write_is_committed_when_it_returns) {
  const auto done = app.run(write("insert into notes values (1), (2)"));
  ASSERT_TRUE(succeeds(done));
  EXPECT_EQ(done.value().affected(), 2U);
  EXPECT_EQ(ask("select count(*) from notes"), "2");
}

TEST_F(lease_channels, a_raw_begin_is_refused_and_rolled_back) {
  ASSERT_TRUE(succeeds(app.run(read("select 1"))));
  for (const auto* sql : {"begin", "start transaction"}) {
    const error refused = error_of(app.run(write(sql)));
    EXPECT_EQ(refused.code(), errc::unsafe_operation) << sql;
    EXPECT_EQ(refused.applied(), applied::no);
    EXPECT_TRUE(refused.is_callers_mistake());
    EXPECT_NE(refused.message().find("transact"), std::string::npos);
    EXPECT_TRUE(succeeds(app.run(write("insert into notes values (1)"))));
    EXPECT_EQ(ask("select count(*) from notes"), "1") << "it was not swallowed by the open transaction";
    EXPECT_TRUE(succeeds(app.run(write("delete from notes"))));
  }
  EXPECT_EQ(app.events.opened(), 1) << "a rollback is all it takes";
}

TEST_F(lease_channels, a_statement_declared_read_only_is_held_to_it_by_the_server) {
  statement declared = read("insert into notes values (1)");
  declared.enforce_read_only = true;
  const error refused = error_of(app.run(declared));
  EXPECT_EQ(refused.code(), errc::read_only);
  EXPECT_EQ(refused.sqlstate(), "25006");
  EXPECT_EQ(ask("select count(*) from notes"), "0");

  statement sneaky = read("with gone as (delete from notes returning 1) select count(*) from gone");
  sneaky.enforce_read_only = true;
  EXPECT_EQ(error_of(app.run(sneaky)).code(), errc::read_only);

  statement honest = read("select count(*) from notes");
  honest.enforce_read_only = true;
  EXPECT_EQ(value_of(app.run(honest)), "0");
  EXPECT_TRUE(succeeds(app.run(write("insert into notes values (1)")))) << "it holds for one statement";
}

TEST_F(lease_channels, settings_made_for_one_statement_do_not_reach_the_next) {
  ASSERT_TRUE(succeeds(app.run(write("insert into notes values (1)"), deadline::after(2s))));
  EXPECT_EQ(value_of(app.run(read("show statement_timeout"))), "30s");
  EXPECT_EQ(value_of(app.run(read("show transaction_read_only"))), "off");
}

TEST_F(lease_channels, every_error_names_the_statement_and_the_node) {
  const error refused = error_of(app.run(write("insert into notes values (null)")));
  EXPECT_EQ(refused.statement(), "test.write");
  EXPECT_EQ(refused.node(), "127.0.0.1:" + std::to_string(server().primary().port()));
}

TEST_F(lease_channels, the_connection_is_back_before_the_answer_is_used) {
  const auto first = app.run(read("select generate_series(1, 3)"));
  const auto second = app.run(read("select 'other'"));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first.value().size(), 3U);
  EXPECT_EQ(first.value().at(2, 0).text, "3") << "an answer owns its rows";
}

}  // namespace
}  // namespace breakwater::postgres::test
