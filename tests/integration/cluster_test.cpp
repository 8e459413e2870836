// What bw::testing::cluster promises to those who write tests with it.

#include <breakwater/testing/cluster.hpp>

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

// NOLINTNEXTLINE: the process' environment, for posix_spawn
extern char** environ;

namespace {

using namespace std::chrono_literals;
using breakwater::errc;
using breakwater::testing::cluster;
using breakwater::testing::cluster_options;
using breakwater::testing::node;
using clock_type = std::chrono::steady_clock;

/// Set in the process that `a_killed_owner_leaves_nothing_behind` starts and kills.
constexpr const char* owner_variable = "BREAKWATER_TEST_CLUSTER_OWNER";

template <class T>
::testing::AssertionResult holds(const bw::result<T>& r) {
  if (r) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << r.error().message();
}

template <class T>
errc code_of(const bw::result<T>& r) {
  return r ? errc{} : r.error().code();
}

std::string text_of(const bw::result<std::string>& r) { return r ? r.value() : "error: " + r.error().message(); }

bool eventually(const std::function<bool()>& is_so, clock_type::duration limit = 20s) {
  const auto until = clock_type::now() + limit;
  while (!is_so()) {
    if (clock_type::now() > until) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

std::optional<cluster> started(const cluster_options& options) {
  const auto begin = clock_type::now();
  auto made = cluster::start(options);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(clock_type::now() - begin);
  EXPECT_TRUE(holds(made));
  if (!made) return std::nullopt;
  std::cout << "  started with " << options.replicas << " replicas in " << took.count() << " ms\n";
  return std::move(made).value();
}

struct connection {
  explicit connection(const std::string& dsn) : native(PQconnectdb(dsn.c_str()), &PQfinish) {}
  [[nodiscard]] bool is_open() const { return PQstatus(native.get()) == CONNECTION_OK; }
  [[nodiscard]] bool run(const char* sql) const {
    const std::unique_ptr<PGresult, decltype(&PQclear)> answer(PQexec(native.get(), sql), &PQclear);
    const auto status = PQresultStatus(answer.get());
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
  }
  [[nodiscard]] std::string message() const { return PQerrorMessage(native.get()); }

  std::unique_ptr<PGconn, decltype(&PQfinish)> native;
};

/// How many processes work in `folder` or below.
int processes_in(const std::string& folder) {
  int count = 0;
  std::error_code failed;
  for (std::filesystem::directory_iterator entry("/proc", failed), end; !failed && entry != end;
       entry.increment(failed)) {
    std::error_code not_ours;
    const auto cwd = std::filesystem::read_symlink(entry->path() / "cwd", not_ours).string();
    if (!not_ours && cwd.starts_with(folder)) ++count;
  }
  return count;
}

/// The process that watches over the cluster in `folder`, or 0.
pid_t guardian_of(const std::string& folder) {
  std::error_code failed;
  for (std::filesystem::directory_iterator entry("/proc", failed), end; !failed && entry != end;
       entry.increment(failed)) {
    std::ifstream file(entry->path() / "cmdline", std::ios::binary);
    const std::string line{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (line.find("breakwater-guardian") != std::string::npos && line.find(folder) != std::string::npos) {
      return static_cast<pid_t>(std::stol(entry->path().filename().string()));
    }
  }
  return 0;
}

/// In the process that is to be killed: starts a cluster, says where, and waits for its end.
class owner_environment : public ::testing::Environment {
 public:
  void SetUp() override {
    const char* const output = std::getenv(owner_variable);
    if (!output) return;
    auto owned = cluster::start({.replicas = 1});
    const std::string line = owned ? owned.value().directory() : owned.error().message();
    if (::write(std::atoi(output), line.c_str(), line.size() + 1) < 0) ::_exit(1);
    for (;;) ::pause();
  }
};
[[maybe_unused]] const auto* const owner =
    ::testing::AddGlobalTestEnvironment(new owner_environment);  // NOLINT: GoogleTest owns it

TEST(cluster_options, refuse_what_can_not_work) {
  const std::vector<cluster_options> wrong = {
      {.replicas = 17},
      {.database = ""},
      {.database = "postgres"},
      {.user = "postgres"},
      {.user = "pg_app"},
      {.user = std::string(64, 'u')},
      {.password = "two\nlines"},
      {.settings = {{"port", "5432"}}},
      {.settings = {{"Listen_Addresses", "*"}}},
      {.settings = {{"work_mem = 1MB\nport", "1"}}},
      {.settings = {{"work_mem", "1MB\nport = 1"}}},
      {.replicas = 1, .synchronous_replicas = 2},
      {.start_timeout = 0ms},
      {.operation_timeout = -1ms},
  };
  for (const auto& options : wrong) {
    const auto refused = cluster::start(options);
    ASSERT_EQ(code_of(refused), errc::invalid_argument);
    EXPECT_NE(refused.error().message().find("cluster_options::"), std::string::npos);
  }
}

TEST(cluster_start, without_server_programs_says_how_to_install_them) {
  const auto refused = cluster::start({.binaries = "/nonexistent"});
  ASSERT_EQ(code_of(refused), errc::invalid_argument);
  EXPECT_NE(refused.error().message().find("apt-get install"), std::string::npos);
  EXPECT_NE(refused.error().message().find("/nonexistent"), std::string::npos);
}

TEST(cluster_start, believes_the_environment_variable_over_its_own_search) {
  ASSERT_EQ(::setenv("BW_TEST_PG_BIN", "/nonexistent", 1), 0);
  const auto refused = cluster::start();
  ASSERT_EQ(::unsetenv("BW_TEST_PG_BIN"), 0);
  ASSERT_EQ(code_of(refused), errc::invalid_argument);
  EXPECT_NE(refused.error().message().find("BW_TEST_PG_BIN"), std::string::npos);
}

TEST(cluster_start, ends_at_its_deadline_and_leaves_nothing) {
  std::string parent = "/tmp/breakwater-test-XXXXXX";
  ASSERT_NE(::mkdtemp(parent.data()), nullptr);
  std::filesystem::permissions(parent, std::filesystem::perms(0755));
  const auto late = cluster::start({.start_timeout = 100ms, .folder = parent});
  EXPECT_EQ(code_of(late), errc::deadline_exceeded);
  EXPECT_TRUE(std::filesystem::is_empty(parent));
  EXPECT_EQ(processes_in(parent), 0);
  std::filesystem::remove(parent);
}

TEST(cluster_start, reports_the_log_of_a_server_that_refuses_its_settings) {
  const auto refused = cluster::start({.settings = {{"shared_buffers", "a lot"}}});
  ASSERT_EQ(code_of(refused), errc::connection_failed);
  EXPECT_NE(refused.error().message().find("shared_buffers"), std::string::npos) << refused.error().message();
}

TEST(cluster_start, takes_hostile_names_passwords_and_settings_literally) {
  auto c = started({.database = R"(d'b "/?@:%\ )",
                    .user = R"(u's"er @/)",
                    .password = R"(p'a"s\s:@/?&%20#)",
                    .settings = {{"breakwater.note", R"(it's a \ note)"}, {"work_mem", "3MB"}}});
  ASSERT_TRUE(c);
  const connection application(c->dsn());
  EXPECT_TRUE(application.is_open()) << application.message();
  EXPECT_TRUE(application.run("create table mine (id int)"));
  EXPECT_EQ(text_of(c->query_value("show breakwater.note")), R"(it's a \ note)");
  EXPECT_EQ(text_of(c->query_value("show work_mem")), "3MB");
}

TEST(cluster_start, gives_the_application_a_role_without_special_rights) {
  auto c = started({});
  ASSERT_TRUE(c);
  ASSERT_TRUE(holds(c->execute("create table truth (id int); insert into truth values (7)")));
  const connection application(c->dsn());
  ASSERT_TRUE(application.is_open()) << application.message();
  EXPECT_TRUE(application.run("update truth set id = 8"));
  EXPECT_TRUE(application.run("create schema own create table t (id int)"));
  EXPECT_FALSE(application.run("select pg_read_file('/etc/passwd')"));
  EXPECT_EQ(text_of(c->query_value("select id from truth")), "8");
  EXPECT_TRUE(connection(c->admin_dsn(c->primary())).run("select pg_read_file('/etc/passwd')"));
}

TEST(cluster_start, lets_nobody_in_with_a_wrong_password) {
  auto c = started({.password = "right"});
  ASSERT_TRUE(c);
  std::string dsn = c->dsn();
  dsn.replace(dsn.find("right"), 5, "wrong");
  const connection refused(dsn);
  EXPECT_FALSE(refused.is_open());
  EXPECT_NE(refused.message().find("password authentication failed"), std::string::npos) << refused.message();
}

TEST(cluster_start, waits_for_the_synchronous_replicas_asked_for) {
  auto c = started({.replicas = 2, .synchronous_replicas = 1, .operation_timeout = 2s});
  ASSERT_TRUE(c);
  EXPECT_TRUE(holds(c->execute("create table t (id int)")));
  ASSERT_TRUE(holds(c->kill(c->replica(0))));
  EXPECT_TRUE(holds(c->execute("insert into t values (1)")));
  ASSERT_TRUE(holds(c->kill(c->replica(1))));
  const auto waits = c->execute("insert into t values (2)");
  EXPECT_FALSE(holds(waits)) << "a commit went through without a replica";
}

TEST(cluster_nodes, are_values_that_say_what_they_are) {
  auto c = started({.replicas = 2});
  ASSERT_TRUE(c);
  const auto nodes = c->nodes();
  ASSERT_EQ(nodes.size(), 3U);
  EXPECT_EQ(nodes[0], c->primary());
  EXPECT_EQ(nodes[2], c->replica(1));
  EXPECT_LT(c->primary(), c->replica(0));
  EXPECT_EQ(c->replica(1).name(), "replica-1");
  EXPECT_EQ(c->replica(1).index(), 2U);
  std::ostringstream printed;
  printed << c->replica(1);
  EXPECT_EQ(printed.str(), "replica-1 (127.0.0.1:" + std::to_string(nodes[2].port()) + ")");
  EXPECT_EQ(c->dsns().at(2), c->dsn(c->replica(1)));

  auto other = started({});
  ASSERT_TRUE(other);
  EXPECT_EQ(code_of(other->stop(c->primary())), errc::invalid_argument);
  EXPECT_EQ(code_of(other->execute(c->replica(0), "select 1")), errc::invalid_argument);
}

TEST(cluster_replicas, replay_what_the_primary_wrote) {
  auto c = started({.replicas = 2});
  ASSERT_TRUE(c);
  ASSERT_TRUE(holds(c->execute("create table t as select generate_series(1, 1000) id")));
  for (const node replica : {c->replica(0), c->replica(1)}) {
    ASSERT_TRUE(holds(c->wait_for_replay(replica)));
    EXPECT_EQ(text_of(c->query_value(replica, "select count(*) from t")), "1000");
    EXPECT_EQ(code_of(c->execute(replica, "insert into t values (0)")), errc::read_only);
  }
  EXPECT_EQ(code_of(c->wait_for_replay(c->primary())), errc::invalid_argument);
}

TEST(cluster_replicas, stand_still_while_replay_is_paused) {
  auto c = started({.replicas = 1});
  ASSERT_TRUE(c);
  const node replica = c->replica(0);
  ASSERT_TRUE(holds(c->execute("create table t (id int)")));
  ASSERT_TRUE(holds(c->wait_for_replay(replica)));
  ASSERT_TRUE(holds(c->pause_replay(replica)));
  ASSERT_TRUE(holds(c->execute("insert into t values (1)")));

  const auto behind = c->wait_for_replay(replica, 200ms);
  ASSERT_EQ(code_of(behind), errc::deadline_exceeded);
  EXPECT_NE(behind.error().message().find("replay is paused"), std::string::npos) << behind.error().message();
  EXPECT_EQ(text_of(c->query_value(replica, "select count(*) from t")), "0");

  ASSERT_TRUE(holds(c->resume_replay(replica)));
  ASSERT_TRUE(holds(c->wait_for_replay(replica)));
  EXPECT_EQ(text_of(c->query_value(replica, "select count(*) from t")), "1");
  EXPECT_EQ(code_of(c->pause_replay(c->primary())), errc::invalid_argument);
}

TEST(cluster_replicas, find_what_they_missed_while_they_were_stopped) {
  auto c = started({.replicas = 1, .settings = {{"min_wal_size", "32MB"}, {"max_wal_size", "32MB"}}});
  ASSERT_TRUE(c);
  ASSERT_TRUE(holds(c->stop(c->replica(0))));
  ASSERT_TRUE(holds(c->execute("create table t as select generate_series(1, 1000) id")));
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(holds(c->execute("select pg_switch_wal(); checkpoint")));
  ASSERT_TRUE(holds(c->start(c->replica(0))));
  ASSERT_TRUE(holds(c->wait_for_replay(c->replica(0))));
  EXPECT_EQ(text_of(c->query_value(c->replica(0), "select count(*) from t")), "1000");
}

TEST(cluster_replicas, take_writes_once_promoted) {
  auto c = started({.replicas = 2});
  ASSERT_TRUE(c);
  ASSERT_TRUE(holds(c->execute("create table t (id int)")));
  ASSERT_TRUE(holds(c->wait_for_replay(c->replica(0))));
  ASSERT_TRUE(holds(c->kill(c->primary())));
  ASSERT_TRUE(holds(c->promote(c->replica(0))));
  EXPECT_TRUE(holds(c->execute(c->replica(0), "insert into t values (1)")));
  EXPECT_EQ(code_of(c->promote(c->replica(0))), errc::invalid_argument);
  EXPECT_EQ(c->primary().name(), "primary");

  for (const node follower : {c->primary(), c->replica(1)}) {
    ASSERT_TRUE(holds(c->rejoin(follower)));
    ASSERT_TRUE(holds(c->wait_for_replay(follower)));
    EXPECT_EQ(text_of(c->query_value(follower, "select count(*) from t")), "1");
    EXPECT_EQ(text_of(c->query_value(follower, "select pg_is_in_recovery()")), "t");
  }
  EXPECT_EQ(code_of(c->rejoin(c->replica(0))), errc::invalid_argument);
}

TEST(cluster_replicas, are_promoted_even_while_replay_is_paused) {
  auto c = started({.replicas = 1});
  ASSERT_TRUE(c);
  ASSERT_TRUE(holds(c->pause_replay(c->replica(0))));
  ASSERT_TRUE(holds(c->promote(c->replica(0))));
  EXPECT_TRUE(holds(c->execute(c->replica(0), "create table t (id int)")));
}

TEST(cluster_servers, come_back_on_the_same_port_with_all_commits_after_a_kill) {
  auto c = started({.replicas = 1});
  ASSERT_TRUE(c);
  const std::string dsn = c->dsn();
  ASSERT_TRUE(holds(c->execute("create table t (id int)")));
  for (const node victim : {c->primary(), c->replica(0), c->primary()}) {
    ASSERT_TRUE(holds(c->execute("insert into t values (1)")));
    const connection session(c->dsn(victim));
    ASSERT_TRUE(session.is_open()) << session.message();
    ASSERT_TRUE(holds(c->kill(victim)));
    EXPECT_FALSE(session.run("select 1"));
    EXPECT_FALSE(c->is_running(victim));
    EXPECT_FALSE(connection(c->dsn(victim)).is_open());
    EXPECT_EQ(code_of(c->execute(victim, "select 1")), errc::connection_failed);
    EXPECT_TRUE(holds(c->kill(victim)));
    ASSERT_TRUE(holds(c->start(victim)));
    EXPECT_TRUE(c->is_running(victim));
  }
  EXPECT_EQ(c->dsn(), dsn);
  EXPECT_EQ(text_of(c->query_value("select count(*) from t")), "3");
  EXPECT_TRUE(holds(c->wait_for_replay(c->replica(0))));
}

TEST(cluster_servers, start_again_after_somebody_else_killed_the_postmaster) {
  auto c = started({});
  ASSERT_TRUE(c);
  const auto file = text_of(c->query_value("select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)"));
  ASSERT_EQ(::kill(static_cast<pid_t>(std::stol(file)), SIGKILL), 0);
  ASSERT_TRUE(eventually([&] { return !c->is_running(c->primary()); }));
  ASSERT_TRUE(holds(c->start(c->primary())));
  EXPECT_TRUE(holds(c->execute("select 1")));
}

TEST(cluster_servers, stop_and_start_in_order) {
  auto c = started({.replicas = 1});
  ASSERT_TRUE(c);
  ASSERT_TRUE(holds(c->execute("create table t (id int)")));
  ASSERT_TRUE(holds(c->stop(c->primary())));
  ASSERT_TRUE(holds(c->stop(c->primary())));
  EXPECT_FALSE(c->is_running(c->primary()));
  EXPECT_NE(c->log(c->primary()).find("received fast shutdown request"), std::string::npos);
  ASSERT_TRUE(holds(c->start(c->primary())));
  ASSERT_TRUE(holds(c->start(c->primary())));
  ASSERT_TRUE(holds(c->restart(c->replica(0))));
  ASSERT_TRUE(holds(c->execute("insert into t values (1)")));
  ASSERT_TRUE(holds(c->wait_for_replay(c->replica(0))));
  EXPECT_EQ(text_of(c->query_value(c->replica(0), "select count(*) from t")), "1");
}

TEST(cluster_servers, may_be_faulted_by_several_threads) {
  auto c = started({.replicas = 2});
  ASSERT_TRUE(c);
  std::vector<std::thread> threads;
  for (const node n : c->nodes()) {
    for (int twice = 0; twice < 2; ++twice) {
      threads.emplace_back([&c, n] {
        EXPECT_TRUE(holds(c->kill(n)));
        EXPECT_TRUE(holds(c->start(n)));
        EXPECT_TRUE(holds(c->restart(n)));
      });
    }
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(holds(c->execute("create table t (id int)")));
  EXPECT_TRUE(holds(c->wait_for_replay(c->replica(0))));
  EXPECT_TRUE(holds(c->wait_for_replay(c->replica(1))));
}

TEST(cluster_queries, tell_their_errors_apart) {
  auto c = started({.operation_timeout = 500ms});
  ASSERT_TRUE(c);
  EXPECT_EQ(code_of(c->query_value("select 1 where false")), errc::not_found);
  EXPECT_EQ(code_of(c->query_value("select generate_series(1, 2)")), errc::too_many_rows);
  EXPECT_EQ(code_of(c->query_value("select null")), errc::data_error);
  EXPECT_EQ(code_of(c->query_value("select 1, 2")), errc::data_error);
  EXPECT_EQ(code_of(c->execute("selekt")), errc::invalid_statement);
  EXPECT_EQ(code_of(c->execute("select pg_sleep(60)")), errc::deadline_exceeded);
  EXPECT_EQ(code_of(c->execute("copy pg_class to stdout")), errc::invalid_argument);
  const auto undefined = c->execute("select * from missing");
  ASSERT_EQ(code_of(undefined), errc::invalid_statement);
  EXPECT_EQ(undefined.error().sqlstate(), "42P01");
  EXPECT_EQ(undefined.error().node(), "primary");
}

TEST(cluster_queries, end_at_their_deadline_though_the_server_is_stopped_in_its_tracks) {
  auto c = started({.operation_timeout = 500ms});
  ASSERT_TRUE(c);
  const auto pid = std::stol(text_of(c->query_value("select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)")));
  ASSERT_EQ(::kill(static_cast<pid_t>(pid), SIGSTOP), 0);
  EXPECT_EQ(code_of(c->execute("select 1")), errc::deadline_exceeded);
  EXPECT_TRUE(holds(c->kill(c->primary())));
}

TEST(cluster_end, removes_servers_and_folder) {
  std::string folder;
  {
    auto c = started({.replicas = 1});
    ASSERT_TRUE(c);
    folder = c->directory();
    EXPECT_GT(processes_in(folder), 2);
    ASSERT_TRUE(holds(c->kill(c->replica(0))));
    const auto begin = clock_type::now();
    c.reset();
    std::cout << "  ended in "
              << std::chrono::duration_cast<std::chrono::milliseconds>(clock_type::now() - begin).count() << " ms\n";
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
  EXPECT_EQ(processes_in(folder), 0);
}

TEST(cluster_end, removes_servers_and_folder_though_its_guardian_was_killed) {
  auto c = started({.replicas = 1});
  ASSERT_TRUE(c);
  const std::string folder = c->directory();
  const pid_t guardian = guardian_of(folder);
  ASSERT_GT(guardian, 0);
  ASSERT_EQ(::kill(guardian, SIGKILL), 0);
  c.reset();
  EXPECT_FALSE(std::filesystem::exists(folder));
  EXPECT_EQ(processes_in(folder), 0);
  EXPECT_EQ(guardian_of(folder), 0);
}

TEST(cluster_end, is_its_owners_alone_and_not_a_forked_childs) {
  auto c = started({});
  ASSERT_TRUE(c);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    c.reset();
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(holds(c->execute("select 1")));
}

TEST(cluster_end, a_killed_owner_leaves_nothing_behind) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  ASSERT_EQ(::setenv(owner_variable, std::to_string(pipe[1]).c_str(), 1), 0);
  std::string self = "/proc/self/exe";
  // Some test must be selected, or GoogleTest does not set up environments. It is not reached.
  std::string filter = "--gtest_filter=cluster_options.*";
  const std::array<char*, 3> arguments = {self.data(), filter.data(), nullptr};
  pid_t child = -1;
  ASSERT_EQ(::posix_spawn(&child, self.c_str(), nullptr, nullptr, arguments.data(), environ), 0);
  ASSERT_EQ(::unsetenv(owner_variable), 0);
  ::close(pipe[1]);

  std::string folder;
  char c = 0;
  while (::read(pipe[0], &c, 1) == 1 && c != '\0') folder += c;
  ::close(pipe[0]);
  ASSERT_TRUE(std::filesystem::exists(folder)) << folder;
  EXPECT_GT(processes_in(folder), 2);

  ASSERT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(eventually([&] { return guardian_of(folder) == 0; })) << folder;
  EXPECT_FALSE(std::filesystem::exists(folder));
  EXPECT_EQ(processes_in(folder), 0);
}

}  // namespace
