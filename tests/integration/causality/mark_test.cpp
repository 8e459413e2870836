// What the monitor saw of a replica spares connections the question, and what spoils that.

#include "cluster/router.hpp"
#include "postgres/causal_read.hpp"
#include "postgres/log_position.hpp"
#include "support.hpp"

namespace causality {
namespace {

using breakwater::postgres::causal_read;
using breakwater::postgres::read_finding;
using breakwater::routing::router;

class marks : public fixture {
 protected:
  void SetUp() override {
    start(1);
    db.reset();
    config.pool.size = 1;
    auto opened = router::open(config);
    ASSERT_OK(opened);
    nodes = std::move(opened).value();
    system = std::stoull(cluster->query_value("select system_identifier from pg_control_system()").value());
  }

  /// A write, and the place in the log that has seen it.
  bw::causality_token write() {
    EXPECT_OK(cluster->execute("update counters set value = value + 1 where id = 1"));
    const auto at = bw::postgres::parse_position(cluster->query_value("select pg_current_wal_flush_lsn()").value());
    return bw::causality_token::at(system, 1, at.value());
  }
  causal_read read(const bw::causality_token& after) {
    causal_read wanted{.after = after};
    constexpr std::string_view sql = "select value from counters where id = 1";
    const bw::statement what{.sql = sql,
                             .name = "counters.read",
                             .operation = "SELECT",
                             .print = bw::fingerprint(sql),
                             .kind = bw::statement_class::read};
    const bw::parameters none;
    const auto done =
        nodes->run({.what = what, .values = none, .until = bw::deadline::after(20s), .causal = &wanted}, true);
    EXPECT_OK(done.answer);
    EXPECT_EQ(done.from, nodes->nodes()[1].get());
    return wanted;
  }
  [[nodiscard]] bool is_seen(const bw::causality_token& at) const {
    return eventually([&] { return nodes->nodes()[1]->mark().position >= at.position(); });
  }

  std::unique_ptr<router> nodes;
  std::uint64_t system = 0;
};

TEST_F(marks, what_the_connection_was_told_spares_it_the_question) {
  const auto first = write();
  settle();
  const auto asked = read(first);
  EXPECT_FALSE(asked.unasked);
  EXPECT_EQ(asked.found, read_finding::kept);
  const auto again = read(first);
  EXPECT_TRUE(again.unasked);
  EXPECT_EQ(again.found, read_finding::kept);
}

TEST_F(marks, what_the_monitor_saw_spares_an_older_connection_the_question) {
  const auto first = write();
  settle();
  (void)read(first);  // the connection learns which server it is to
  const auto second = write();
  settle();
  ASSERT_TRUE(is_seen(second));
  const auto seen = read(second);
  EXPECT_TRUE(seen.unasked);
  EXPECT_EQ(seen.found, read_finding::kept);
}

TEST_F(marks, connection_to_a_server_that_was_restarted_asks) {
  const auto first = write();
  settle();
  (void)read(first);
  ASSERT_TRUE(is_seen(first));
  ASSERT_OK(cluster->restart(cluster->replica(0)));
  settle();
  ASSERT_TRUE(eventually([&] { return nodes->nodes()[1]->role() == bw::node_role::replica; }));
  const auto after_it = read(first);
  EXPECT_FALSE(after_it.unasked) << "its connection is another one";
  EXPECT_EQ(after_it.found, read_finding::kept);
}

}  // namespace
}  // namespace causality
