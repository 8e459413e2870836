// A server that is restarted, and the crowd that waits for it.

#include "support.hpp"

#include <algorithm>
#include <future>
#include <sstream>

namespace tests {
namespace {

class restart : public cluster_test {};

/// The times, in seconds, at which lines of the log begin (see log_line_prefix) that hold this, and not that.
std::vector<double> times_of(const std::string& log, std::string_view text, std::string_view but = "\n") {
  std::vector<double> found;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(text) != std::string::npos && line.find(but) == std::string::npos) found.push_back(std::stod(line));
  }
  return found;
}

/// Of these times, the most within one second.
std::size_t most_in_a_second(std::vector<double> times) {
  std::ranges::sort(times);
  std::size_t most = 0;
  std::size_t first = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    while (times[i] - times[first] >= 1.0) ++first;
    most = std::max(most, i - first + 1);
  }
  return most;
}

TEST_F(restart, of_the_only_node_is_waited_for) {
  start({});
  config.retry.max_attempts = 1;
  open();
  ASSERT_OK(write(0, 20s));
  ASSERT_OK(servers->stop(servers->primary()));
  auto writing = std::async(std::launch::async, [&] { return write(1, 25s); });
  auto reading = std::async(std::launch::async, [&] { return count(bw::consistency::read_your_writes, 25s); });
  ASSERT_TRUE(eventually([&] { return none_is_confirmed(); }));
  ASSERT_OK(servers->start(servers->primary()));
  const auto written = writing.get();
  EXPECT_OK(written);
  const auto read = reading.get();
  EXPECT_OK(read);
}

TEST_F(restart, under_a_crowd_is_survived_and_the_server_is_not_trampled) {
  start({.settings = {{"log_connections", "on"}, {"log_line_prefix", "%n "}}});
  constexpr int callers = 64;
  config.pool.size = callers;  // so that nothing but the pacing is in the way of all of them
  config.application_name = "crowd";
  open();
  std::atomic<int> done{0};
  std::mutex mutex;
  std::vector<std::string> failures;
  const auto note = [&](const auto& outcome) {
    if (outcome || outcome.error().code() == errc::commit_unknown) return;
    const std::lock_guard lock(mutex);
    failures.push_back(outcome.error().message());
  };
  {
    std::vector<std::unique_ptr<background_loop>> crowd;
    for (int i = 0; i < callers; ++i) {
      crowd.push_back(std::make_unique<background_loop>([&] {
        note(db->session({.timeout = 25s}).query("select count(*) from items").read_only().one<std::int64_t>());
        note(db->session({.timeout = 25s})
                 .query("insert into items values (1) on conflict do nothing")
                 .idempotent()
                 .execute());
        ++done;
      }));
    }
    ASSERT_TRUE(eventually([&] { return done > 500; }));
    ASSERT_OK(servers->kill(servers->primary()));
    ASSERT_TRUE(eventually([&] { return none_is_confirmed(); }));
    ASSERT_OK(servers->start(servers->primary()));
    const int then = done;
    ASSERT_TRUE(eventually([&] { return done > then + 500; }));
  }
  EXPECT_TRUE(failures.empty()) << failures.size() << ", the first: " << failures.front();

  // The server's own word. After its return: those of the pool, let in or not, and of all.
  const std::string log = servers->log(servers->primary());
  const auto ready = times_of(log, "database system is ready to accept connections");
  ASSERT_EQ(ready.size(), 2U);
  const auto since_return = [&](std::vector<double> times) {
    std::erase_if(times, [&](double at) { return at < ready.back(); });
    return times;
  };
  const auto of_pool = since_return(times_of(log, "application_name=crowd", "crowd monitor"));
  const auto of_all = since_return(times_of(log, "connection received"));
  const std::size_t most = most_in_a_second(of_pool);
  std::printf("connects of the pool after the restart: %zu, at most %zu within a second; of all: %zu, %zu\n",
              of_pool.size(), most, of_all.size(), most_in_a_second(of_all));
  EXPECT_GE(of_pool.size(), 2U);
  EXPECT_LE(most, 10U);
  constexpr std::size_t of_monitor_and_test = 14;
  EXPECT_LE(most_in_a_second(of_all), 10U + of_monitor_and_test);
}

TEST_F(restart, that_nobody_noticed_empties_the_pool) {
  start({});
  open();
  const auto pid = [&] { return db->session().query("select pg_backend_pid()").one<int>(); };
  ASSERT_OK(pid());
  ASSERT_OK(servers->restart(servers->primary()));
  for (int i = 0; i < 50; ++i) EXPECT_OK(write(i, 20s));
}

}  // namespace
}  // namespace tests
