// Passwords from a provider: which connections use them, and what happens when they are rotated.

#include "support.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tests {
namespace {

/// Hands out what the test sets, and counts.
class vault {
 public:
  void set(std::string user, std::string password) {
    const std::lock_guard lock(mutex_);
    now_ = {.user = std::move(user), .password = std::move(password)};
  }
  [[nodiscard]] std::shared_ptr<bw::secret_provider> provider() {
    return bw::secrets::from_function(
        [this](bw::deadline) -> bw::result<bw::credentials> {
          ++asked;
          const std::lock_guard lock(mutex_);
          return now_;
        },
        "the test's vault");
  }
  std::atomic<int> asked{0};

 private:
  std::mutex mutex_;
  bw::credentials now_;
};

struct witness final : bw::observer {
  std::atomic<int> changes{0};
  void on_secret(const bw::secret_event& event) noexcept override {
    if (event.changed) ++changes;
  }
};

class secrets : public ::testing::Test {
 protected:
  void SetUp() override {
    set_password("app", "first");
    held.set("", "first");
    // The address's own password is of no use.
    const auto address = bw::dsn::parse(shared_cluster().dsn()).value();
    config.nodes = {"postgresql://app:wrong@" + address.node_name() + "/app"};
    config.application_name = "rotating";
    config.pool.size = 3;
    config.secret_provider = held.provider();
    config.observer = told;
  }
  void TearDown() override {
    set_password("app", std::string(bw::dsn::parse(shared_cluster().dsn()).value().get("password").value_or("")));
  }
  static void set_password(const std::string& role, const std::string& password) {
    ASSERT_OK(shared_cluster().execute("alter role " + role + " password '" + password + "'"));
  }
  /// A session's statements each on a connection of its own, while the first is still running, so that all are open.
  static void use_three_connections(const bw::database& db) {
    const auto nested = [&](auto&& self, int depth) -> bw::result<void> {
      if (depth == 0) return bw::success();
      bw::session session = db.session();
      return session.transact([&](bw::transaction& tx) -> bw::result<void> {
        BOOST_OUTCOME_TRY(tx.execute("select 1"));
        return self(self, depth - 1);
      });
    };
    ASSERT_OK(nested(nested, 3));
  }
  static std::string sessions_of(const std::string& role) {
    return truth("select count(*) from pg_stat_activity where application_name = 'rotating' and usename = '" + role +
                 "'");
  }

  vault held;
  std::shared_ptr<witness> told = std::make_shared<witness>();
  bw::config config;
};

TEST_F(secrets, come_from_the_provider_and_not_from_the_connection_string) {
  auto db = bw::database::open(config);
  ASSERT_OK(db);
  EXPECT_OK(db.value().session().execute("select 1"));
  EXPECT_EQ(held.asked, 1);
}

TEST_F(secrets, are_asked_for_once_when_the_server_refuses_the_old_password) {
  auto db = bw::database::open(config);
  ASSERT_OK(db);
  set_password("app", "second");
  held.set("", "second");
  use_three_connections(db.value());
  EXPECT_EQ(held.asked, 2);
  EXPECT_EQ(told->changes, 2);
}

TEST_F(secrets, that_are_wrong_are_reported_and_not_asked_for_again_and_again) {
  set_password("app", "something else");
  const auto db = bw::database::open(config);
  ASSERT_FALSE(db);
  EXPECT_EQ(db.error().code(), errc::authentication_failed);
  EXPECT_EQ(db.error().sqlstate(), "28P01");
  EXPECT_NE(db.error().message().find("the test's vault, which has no other one"), std::string::npos)
      << db.error().message();
  EXPECT_EQ(db.error().message().find("first"), std::string::npos);
  EXPECT_EQ(held.asked, 2);
}

TEST_F(secrets, that_change_replace_the_connections_opened_with_the_old_ones_without_cutting_any) {
  ASSERT_OK(
      shared_cluster().execute("do $$ begin if not exists (select from pg_roles where rolname = 'app2') then create "
                               "role app2 login in role app; "
                               "end if; end $$"));
  set_password("app2", "second");
  config.secrets.refresh_interval = 50ms;
  config.secrets.drain = 100ms;
  auto db = bw::database::open(config);
  ASSERT_OK(db);
  use_three_connections(db.value());
  EXPECT_EQ(sessions_of("app"), "3");

  bw::session session = db.value().session({.operation_timeout = 60s});
  EXPECT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.execute("select 1"));
    held.set("app2", "second");
    // Those that rest are closed; the one in use goes on.
    EXPECT_TRUE(eventually([&] { return sessions_of("app") == "1"; }));
    BOOST_OUTCOME_TRY(tx.execute("select 2"));
    return bw::success();
  }));
  EXPECT_TRUE(eventually([&] { return sessions_of("app") == "0"; }));
  const auto user = db.value().session().query("select current_user::text").as<std::string>();
  ASSERT_OK(user);
  EXPECT_EQ(user.value().at(0), "app2");
}

TEST_F(secrets, of_a_provider_that_fails_say_whose_fault_it_is) {
  config.secret_provider = bw::secrets::from_file("/nonexistent/secret");
  const auto db = bw::database::open(config);
  ASSERT_FALSE(db);
  EXPECT_EQ(db.error().code(), errc::authentication_failed);
  EXPECT_NE(db.error().message().find("/nonexistent/secret can not be opened"), std::string::npos)
      << db.error().message();
}

}  // namespace
}  // namespace tests
