// A connection remembers its server's role; whatever reads from the server may bring a new one.

#include "support.hpp"

#include <pqxx/pqxx>

#include <optional>

namespace breakwater::postgres::test {
namespace {

struct discard final : copy_sink {
  result<void> begin(const rows& /*shape*/) override { return success(); }
  result<bool> take(std::string_view /*line*/) override { return true; }
};

/// Connections to a replica that becomes a primary.
class a_promotion : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = testing::cluster::start({.replicas = 1});
    ASSERT_TRUE(succeeds(started));
    cluster = std::move(started).value();
    link = connect(settings_for(cluster->dsn(cluster->replica(0))));
    ASSERT_TRUE(succeeds(run_on(*link, read("select 1"))));
    ASSERT_TRUE(link->is_replica());
  }
  void promote() {
    ASSERT_TRUE(succeeds(cluster->kill(cluster->primary())));
    ASSERT_TRUE(succeeds(cluster->promote(cluster->replica(0))));
    ASSERT_TRUE(link->is_replica()) << "it has not been told yet";
  }

  std::optional<testing::cluster> cluster;
  std::unique_ptr<connection> link;
};

TEST_F(a_promotion, is_learnt_from_a_statement) {
  promote();
  ASSERT_TRUE(succeeds(run_on(*link, read("select 1"))));
  EXPECT_FALSE(link->is_replica());
}

TEST_F(a_promotion, is_learnt_from_a_copy) {
  promote();
  discard sink;
  const statement all = read("copy (select 1) to stdout");
  ASSERT_TRUE(succeeds(link->copy_out({.what = all, .until = deadline::after(patience)}, "select 1 limit 0", sink)));
  EXPECT_FALSE(link->is_replica());
}

TEST_F(a_promotion, is_learnt_from_what_libpqxx_reads) {
  promote();
  pqxx::nontransaction tx(link->take_native());
  EXPECT_TRUE(link->is_replica());
  tx.exec("select 1");
  EXPECT_FALSE(link->is_replica());
}

TEST_F(a_promotion, is_learnt_from_an_answer_that_came_late) {
  EXPECT_EQ(error_of(run_on(*link, read("select pg_sleep(20)"), {}, deadline::after(50ms))).code(),
            errc::deadline_exceeded);
  promote();
  ASSERT_TRUE(link->recover(deadline::after(patience)));
  EXPECT_FALSE(link->is_replica());
}

}  // namespace
}  // namespace breakwater::postgres::test
