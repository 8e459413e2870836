// User code around writes, inside their transaction.

#include "hooked.hpp"

#include <stdexcept>

namespace tests {
namespace {

using calls = std::vector<std::string>;

class hooks : public repository_test {
 protected:
  void SetUp() override {
    repository_test::SetUp();
    create_hooked_tables(session);
    watcher().clear();
  }
  static std::string news() { return truth("select coalesce(string_agg(text, ' ' order by at), '') from news"); }
  customer insert(const char* name) {
    auto stored = customers.insert({.name = name});
    EXPECT_TRUE(stored.has_value()) << stored.error().message();
    script = {};
    watcher().clear();
    behind_the_back("truncate news");
    return std::move(stored).value();
  }

  bw::session session = db().session({.consistency = bw::consistency::primary, .actor = "me"});
  bw::repository<customer> customers = session.repository<customer>();
};

TEST_F(hooks, run_once_in_order_and_in_the_writes_transaction) {
  const auto stored = customers.insert({.name = "ada", .secret = "s"});
  ASSERT_OK(stored);
  EXPECT_EQ(stored.value().secret, "s+") << "before_insert may change the entity";
  EXPECT_EQ(script.calls, (calls{"before_insert", "after_insert"}));
  EXPECT_EQ(news(), "before_insert:ada:me after_insert:ada 1:me");
  EXPECT_EQ(
      truth("select count(distinct xmin) from (select xmin::text from news union select xmin::text from customers) x"),
      "1")
      << "one transaction";
  EXPECT_EQ(watcher().operations().size(), 4U) << "hook, insert, hook, COMMIT";
  EXPECT_EQ(watcher().last().statement, "commit");
}

TEST_F(hooks, surround_updates_and_patches) {
  customer ada = insert("ada");
  ada.name = "ada l.";
  ASSERT_OK(customers.update(ada));
  EXPECT_EQ(script.calls, (calls{"before_update", "after_update"}));
  script = {};
  const auto patched = customers.patch(ada.id, bw::set<&customer::name>("lovelace"));
  ASSERT_OK(patched);
  EXPECT_EQ(script.calls, (calls{"before_patch", "after_update"}));
  EXPECT_EQ(patched.value().shown, "<lovelace>");
}

TEST_F(hooks, surround_removal_restoration_and_purge) {
  const customer ada = insert("ada");
  ASSERT_OK(customers.remove(ada));
  ASSERT_OK(customers.restore(ada.id));
  ASSERT_OK(customers.remove(ada.id));
  ASSERT_OK(customers.restore(customers.only_trashed().one().value()));
  ASSERT_OK(customers.purge(customers.get(ada.id).value()));
  EXPECT_EQ(script.calls, (calls{"before_remove", "after_remove", "before_restore", "after_restore", "before_remove",
                                 "after_remove", "before_restore", "after_restore", "before_purge", "after_purge"}));
  EXPECT_EQ(truth("select count(*) from customers"), "0");
}

TEST_F(hooks, run_for_every_row_of_a_batch) {
  const auto stored = customers.insert_many({{.name = "ada"}, {.name = "bob"}});
  ASSERT_OK(stored);
  EXPECT_EQ(script.calls, (calls{"before_insert", "before_insert", "after_insert", "after_insert"}));
  EXPECT_EQ(stored.value()[1].secret, "+");
}

TEST_F(hooks, of_an_upsert_follow_what_it_did) {
  ASSERT_OK(customers.upsert({.name = "ada"}, bw::conflict<&customer::name>));
  EXPECT_EQ(script.calls, (calls{"before_insert", "after_insert"}));
  script = {};
  ASSERT_OK(customers.upsert({.name = "ada"}, bw::conflict<&customer::name>));
  EXPECT_EQ(script.calls, (calls{"before_insert", "after_update"}));
  script = {};
  EXPECT_EQ(customers.upsert({.name = "ada"}, bw::conflict<&customer::name>, bw::do_nothing).value(), std::nullopt);
  EXPECT_EQ(script.calls, (calls{"before_insert"}));
  script = {};
  EXPECT_FALSE(customers.find_or_insert({.name = "ada"}, bw::conflict<&customer::name>).value().inserted);
  EXPECT_TRUE(customers.find_or_insert({.name = "bob"}, bw::conflict<&customer::name>).value().inserted);
  EXPECT_EQ(script.calls, (calls{"before_insert", "before_insert", "after_insert"}));
  script = {};
  const std::vector<customer> both{{.name = "bob"}, {.name = "eve"}};
  ASSERT_OK(customers.upsert_many(both, bw::conflict<&customer::name>));
  EXPECT_EQ(script.calls, (calls{"before_insert", "before_insert", "after_update", "after_insert"}));
}

TEST_F(hooks, an_error_of_one_undoes_everything_and_is_what_the_caller_gets) {
  script.fails = "after_insert";
  const auto stored = customers.insert({.name = "ada"});
  EXPECT_ERROR(stored, errc::check_violation);
  EXPECT_NE(stored.error().message().find("the hook said no"), std::string::npos) << stored.error().message();
  EXPECT_EQ(stored.error().applied(), bw::applied::no);
  EXPECT_EQ(truth("select count(*) from customers"), "0");
  EXPECT_EQ(news(), "") << "what hooks did is undone as well";

  script = {.calls = {}, .fails = "before_insert"};
  EXPECT_ERROR(customers.insert_many({{.name = "ada"}, {.name = "bob"}}), errc::check_violation);
  EXPECT_EQ(script.calls.size(), 1U) << "nothing runs after a failure";
  EXPECT_EQ(truth("select count(*) from customers"), "0");
}

TEST_F(hooks, an_exception_of_one_undoes_everything_and_passes_through) {
  script.throws = "after_insert";
  EXPECT_THROW((void)customers.insert({.name = "ada"}), std::runtime_error);
  EXPECT_EQ(truth("select count(*) from customers"), "0");
  script = {};
  EXPECT_TRUE(customers.insert({.name = "ada"}).has_value()) << "the session goes on";
}

TEST_F(hooks, a_write_that_fails_runs_no_after_hook) {
  insert("ada");
  EXPECT_ERROR(customers.insert({.name = "ada"}), errc::unique_violation);
  EXPECT_EQ(script.calls, (calls{"before_insert"}));
  EXPECT_EQ(news(), "");
  script = {};
  EXPECT_ERROR(customers.remove(-1), errc::not_found);
  EXPECT_EQ(script.calls, (calls{"before_remove"}));
}

TEST_F(hooks, in_a_transaction_run_inside_it) {
  const auto outcome = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.repository<customer>().insert({.name = "ada"}));
    return bw::error(errc::validation_failed, "changed my mind");
  });
  EXPECT_ERROR(outcome, errc::validation_failed);
  EXPECT_EQ(script.calls, (calls{"before_insert", "after_insert"}));
  EXPECT_EQ(news(), "");
}

TEST_F(hooks, the_session_is_refused_while_one_runs) {
  // A hook that used the session instead of its context would work outside the transaction.
  const auto stored = customers.insert({.name = "ada"});
  ASSERT_OK(stored);
  const auto inside = session.transact([&](bw::transaction&) -> bw::result<void> {
    EXPECT_ERROR(customers.insert({.name = "bob"}), errc::unsafe_operation);
    return bw::success();
  });
  ASSERT_OK(inside);
}

TEST_F(hooks, after_load_completes_every_entity_that_is_read) {
  const customer ada = insert("ada");
  EXPECT_EQ(ada.shown, "<ada>");
  EXPECT_EQ(customers.get(ada.id).value().shown, "<ada>");
  EXPECT_EQ(customers.query().all().value()[0].shown, "<ada>");
  EXPECT_EQ(customers.get_many({ada.id}).value()[0].shown, "<ada>");
  EXPECT_EQ(session.query("select * from customers").as<customer>().value()[0].shown, "<ada>");
  std::vector<std::string> shown;
  const auto note = [&shown](const customer& each) { shown.push_back(each.shown); };
  ASSERT_OK(customers.copy_out(note));
  ASSERT_OK(customers.query().stream(note));
  ASSERT_OK(session.query("select * from customers").stream<customer>(note));
  ASSERT_OK(customers.query().in_batches(10, [&](std::span<customer> batch) { note(batch.front()); }));
  EXPECT_EQ(shown, (std::vector<std::string>(4, "<ada>")));
  EXPECT_TRUE(script.calls.empty()) << "reading runs no other hook";
}

TEST_F(hooks, bulk_statements_run_none) {
  insert("ada");
  ASSERT_OK(customers.query().every_row().update_all(bw::set<&customer::secret>("x")));
  ASSERT_OK(customers.query().every_row().delete_all());
  ASSERT_OK(customers.copy_in({customer{.name = "bob"}}));
  EXPECT_TRUE(script.calls.empty());
}

TEST_F(hooks, an_entity_without_them_is_written_in_one_round_trip) {
  ASSERT_OK(session.repository<account>().insert({.owner = "ada"}));
  EXPECT_EQ(watcher().operations().size(), 1U);
}

}  // namespace
}  // namespace tests
