// A server that is restarted, and the crowd that waits for it.

#include "support.hpp"

#include <algorithm>
#include <future>
#include <sstream>

namespace tests {
namespace {

class restart : public cluster_test {};

/// The times, in seconds, at which lines of the log begin (see log_line_prefix) that hold this.
std::vector<double> times_of(const std::string& log, std::string_view text) {
  std::vector<double> found;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(text) != std::string::npos) found.push_back(std::stod(line));
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
  open();
  constexpr int callers = 64;
  std::atomic<int> done{0};
  std::mutex mutex;
  std::vector<std::string> failures;
  {
    std::vector<std::unique_ptr<background_loop>> crowd;
    for (int i = 0; i < callers; ++i) {
      crowd.push_back(std::make_unique<background_loop>([&] {
        const auto answer =
            db->session({.timeout = 25s}).query("select count(*) from items for update of items").execute();
        (void)answer;
        const auto written = db->session({.timeout = 25s})
                                 .query("insert into items values (1) on conflict do nothing")
                                 .idempotent()
                                 .execute();
        ++done;
        if (written || written.error().code() == errc::commit_unknown) return;
        const std::lock_guard lock(mutex);
        failures.push_back(written.error().message());
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
  const auto all = times_of(servers->log(servers->primary()), "connection received");
  // After the restart; the test's own connections are a few.
  const auto ready = times_of(servers->log(servers->primary()), "database system is ready to accept connections");
  ASSERT_EQ(ready.size(), 2U);
  std::vector<double> after;
  std::ranges::copy_if(all, std::back_inserter(after), [&](double at) { return at >= ready.back(); });
  const std::size_t most = most_in_a_second(after);
  std::printf("connects after the restart: %zu, at most %zu within a second\n", after.size(), most);
  constexpr std::size_t of_the_pool = 10;
  constexpr std::size_t of_monitor_and_test = 14;
  EXPECT_LE(most, of_the_pool + of_monitor_and_test);
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
