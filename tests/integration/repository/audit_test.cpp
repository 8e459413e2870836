// The auditor: told of every row that repositories change, inside the transaction that does it.

#include "hooked.hpp"

namespace tests {
namespace {

/// Writes down what it is told, in its list and in the table `news`.
class scribe final : public bw::auditor {
 public:
  bw::result<void> on_change(bw::hook_context& context, const bw::audit_event& event) override {
    std::string line(bw::to_string(event.action));
    line.append(" ").append(event.table).append(" ").append(event.key);
    for (const bw::audit_change& change : event.changes) {
      line.append(" ").append(change.column).append("=").append(change.value.value_or("NULL"));
    }
    line.append(" by ").append(event.actor).append("/").append(event.correlation_id);
    lines.push_back(line);
    // Through a repository: what the auditor itself writes is not audited.
    BOOST_OUTCOME_TRY(context.repository<tag>().insert({.name = line}));
    if (veto) return bw::error(errc::insufficient_privilege, "not while the auditors are here");
    return bw::success();
  }

  std::vector<std::string> lines{};
  bool veto = false;
};

class audit : public repository_test {
 protected:
  void SetUp() override {
    repository_test::SetUp();
    bw::config config;
    way_to_shared_cluster().lead(config);
    config.nodes.resize(1);
    config.auditor = log;
    config.observer = seen;
    audited.emplace(bw::database::open(config).value());
    session.emplace(audited->session({.actor = "me", .correlation_id = "r1"}));
    create_hooked_tables(*session);
    seen->clear();
  }

  std::shared_ptr<scribe> log = std::make_shared<scribe>();
  std::shared_ptr<recorder> seen = std::make_shared<recorder>();
  std::optional<bw::database> audited;
  std::optional<bw::session> session;
};

TEST_F(audit, tells_who_did_what_to_which_row_and_masks_what_is_sensitive) {
  const auto lines = session->repository<line>();
  ASSERT_OK(lines.insert({.order_id = 7, .number = 1, .product = "tea"}));
  ASSERT_OK(lines.update({.order_id = 7, .number = 1, .product = "milk", .note = "x"}));
  ASSERT_OK(lines.patch({7, 1}, bw::set<&line::note>(std::nullopt)));
  ASSERT_OK(lines.upsert({.order_id = 7, .number = 1, .product = "beer"}));
  ASSERT_OK(lines.remove(7, 1));
  EXPECT_EQ(log->lines, (std::vector<std::string>{
                            "insert order 7, 1 user.name=7 a \"quoted\" name=1 select=tea Note=NULL by me/r1",
                            "update order 7, 1 select=milk Note=x by me/r1", "patch order 7, 1 Note=NULL by me/r1",
                            "upsert order 7, 1 select=beer Note=NULL by me/r1", "remove order 7, 1 by me/r1"}));
  log->lines.clear();
  const auto accounts = session->repository<account>();
  const auto ada = accounts.insert({.owner = "ada", .balance = 5});
  ASSERT_OK(ada);
  ASSERT_EQ(log->lines.size(), 1U);
  EXPECT_NE(log->lines[0].find(" owner=*** balance=5.00000000 version=1"), std::string::npos) << log->lines[0];
  log->lines.clear();
  ASSERT_OK(accounts.remove(ada.value().id));
  ASSERT_OK(accounts.restore(ada.value().id));
  ASSERT_OK(accounts.purge(ada.value().id));
  const std::string key = std::to_string(ada.value().id);
  EXPECT_EQ(log->lines,
            (std::vector<std::string>{"remove accounts " + key + " by me/r1", "restore accounts " + key + " by me/r1",
                                      "purge accounts " + key + " by me/r1"}));
}

TEST_F(audit, is_written_in_the_transaction_of_the_change) {
  ASSERT_OK(session->repository<line>().insert({.order_id = 7, .number = 1, .product = "tea"}));
  EXPECT_EQ(truth("select (select xmin from shop.\"order\") = (select xmin from tags)"), "t");
  EXPECT_EQ(seen->operations().size(), 3U) << "insert, audit, COMMIT";
}

TEST_F(audit, an_error_of_the_auditor_undoes_the_change) {
  log->veto = true;
  const auto stored = session->repository<line>().insert({.order_id = 7, .number = 1, .product = "tea"});
  EXPECT_ERROR(stored, errc::insufficient_privilege);
  EXPECT_EQ(stored.error().applied(), bw::applied::no);
  EXPECT_EQ(truth("select count(*) from shop.\"order\""), "0");
  EXPECT_EQ(truth("select count(*) from tags"), "0");
}

TEST_F(audit, a_change_that_failed_is_not_told) {
  EXPECT_ERROR(session->repository<line>().remove(1, 1), errc::not_found);
  EXPECT_TRUE(log->lines.empty());
}

TEST_F(audit, every_row_of_a_batch_and_every_change_of_a_transaction_is_told) {
  const auto done = session->transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.repository<line>().insert_many(
        {{.order_id = 1, .number = 1, .product = "a"}, {.order_id = 1, .number = 2, .product = "b"}}));
    BOOST_OUTCOME_TRY(tx.repository<customer>().insert({.name = "ada"}));  // with hooks of its own
    return bw::success();
  });
  ASSERT_OK(done);
  EXPECT_EQ(log->lines.size(), 3U);
  EXPECT_EQ(truth("select count(*) from tags"), "3");
}

TEST_F(audit, what_hooks_write_is_told_too) {
  ASSERT_OK(session->repository<customer>().insert({.name = "ada", .secret = "s"}));
  ASSERT_EQ(log->lines.size(), 1U);
  EXPECT_NE(log->lines[0].find("secret=***"), std::string::npos) << log->lines[0];
  EXPECT_EQ(script.calls.size(), 2U);
}

}  // namespace
}  // namespace tests
