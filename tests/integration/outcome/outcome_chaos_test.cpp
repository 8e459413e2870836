// Server processes are ended at random while many transfer money: what each was told is what the ledger says.

#include "support.hpp"

#include <atomic>
#include <random>
#include <set>
#include <thread>

namespace tests {
namespace {

constexpr int threads = 8;
constexpr int accounts = 16;
constexpr unsigned seed = 20251;

/// Transfers that were begun, by all clients together.
std::atomic<int> begun{0};

/// Ends a server process of the application's, any of them, as often as that many transfers were begun.
class killer {
 public:
  explicit killer(ledger_server& server)
      : thread_([this, &server](const std::stop_token& stop) { work(server, stop); }) {}
  killer(const killer&) = delete;
  killer& operator=(const killer&) = delete;
  ~killer() {
    thread_.request_stop();
    ++begun;  // it may be waiting for that
    begun.notify_all();
  }
  [[nodiscard]] int ended() const noexcept { return ended_; }

 private:
  static constexpr int transfers_between = 10;

  void work(ledger_server& server, const std::stop_token& stop) {
    std::mt19937 random(seed);
    for (int next = begun + transfers_between; !stop.stop_requested(); next += transfers_between) {
      for (int seen = begun; seen < next && !stop.stop_requested(); seen = begun) begun.wait(seen);
      // Not one that is being made: what is tested is the fate of transactions.
      const std::string sql = "select coalesce(pg_terminate_backend((array_agg(pid order by pid))[1 + " +
                              std::to_string(random() % threads) +
                              " % greatest(count(*), 1)]), false) from pg_stat_activity where usename = 'app' and "
                              "xact_start is not null";
      if (server.truth(sql) == "t") ++ended_;
    }
  }

  std::atomic<int> ended_{0};
  std::jthread thread_;
};

struct told {
  std::set<std::string> yes;
  std::set<std::string> no;
  std::set<std::string> unknown;
};

bw::result<void> transfer(bw::transaction& tx, const std::string& id, int from, int to) {
  BOOST_OUTCOME_TRY(tx.execute("insert into ledger (who) values (?)", id));
  // In one order, so that transfers do not deadlock.
  const int first = std::min(from, to);
  const int second = std::max(from, to);
  BOOST_OUTCOME_TRY(
      tx.execute("update accounts set balance = balance + ? where id = ?", first == from ? -1 : 1, first));
  BOOST_OUTCOME_TRY(
      tx.execute("update accounts set balance = balance + ? where id = ?", second == from ? -1 : 1, second));
  return bw::success();
}

/// Runs `count` transfers, and says what each was told.
told run_transfers(watched_database& far, int count, bool guarded) {
  std::mutex mutex;
  told all;
  std::atomic<int> next{0};
  std::vector<std::jthread> clients;
  for (int t = 0; t < threads; ++t) {
    clients.emplace_back([&, t] {
      std::mt19937 random(seed + static_cast<unsigned>(t));
      told own;
      for (int i = next++; i < count; i = next++) {
        ++begun;
        begun.notify_all();
        const std::string id = "transfer-" + std::to_string(i);
        const int from = static_cast<int>(random() % accounts);
        const int to = (from + 1 + static_cast<int>(random() % (accounts - 1))) % accounts;
        bw::session session = far.db->session({.operation_timeout = 20s, .outcome_guard = guarded});
        const auto done = session.transact([&](bw::transaction& tx) { return transfer(tx, id, from, to); });
        const bool unknown = !done && done.error().applied() == bw::applied::unknown;
        (done ? own.yes : unknown ? own.unknown : own.no).insert(id);
      }
      const std::lock_guard lock(mutex);
      all.yes.merge(own.yes);
      all.no.merge(own.no);
      all.unknown.merge(own.unknown);
    });
  }
  clients.clear();
  return all;
}

class outcome_chaos : public ::testing::Test {
 protected:
  void SetUp() override {
    server.reset();
    server.arrange(
        "create table accounts (id int primary key, balance int not null); grant all on accounts to app; insert into "
        "accounts select i, 100 from generate_series(0, " +
        std::to_string(accounts - 1) + ") i");
  }
  /// Everybody told yes is in the ledger once, nobody told no is.
  void compare(const told& all, int count) {
    EXPECT_EQ(all.yes.size() + all.no.size() + all.unknown.size(), static_cast<std::size_t>(count));
    EXPECT_EQ(server.truth("select count(*) - count(distinct who) from ledger"), "0") << "doubles";
    EXPECT_EQ(server.truth("select sum(balance) from accounts"), std::to_string(accounts * 100));
    std::set<std::string> there;
    std::string text = server.truth("select coalesce(string_agg(who, ','), '') from ledger") + ",";
    for (std::size_t at = 0, end = 0; (end = text.find(',', at)) != std::string::npos; at = end + 1) {
      if (end > at) there.insert(text.substr(at, end - at));
    }
    std::size_t missing = 0;
    std::size_t wrong = 0;
    for (const auto& id : all.yes) missing += there.contains(id) ? 0 : 1;
    for (const auto& id : all.no) wrong += there.contains(id) ? 1 : 0;
    EXPECT_EQ(missing, 0U) << "told yes, and missing";
    EXPECT_EQ(wrong, 0U) << "told no, and there";
    EXPECT_LE(there.size(), all.yes.size() + all.unknown.size());
  }

  ledger_server server;
};

bw::config settings_of_chaos() {
  auto settings = watched_database::guarded_settings();
  settings.pool.size = threads;
  // Processes are ended all the time: what protects a server that is ill would keep the test from its point.
  settings.breaker.enabled = false;
  settings.retry_budget.ratio = 10;
  return settings;
}

TEST_F(outcome_chaos, guarded_transfers_are_told_exactly_what_happened) {
  constexpr int count = 10'000;
  watched_database far(server, settings_of_chaos(), true);
  told all;
  int ended = 0;
  {
    const killer at_work(server);
    all = run_transfers(far, count, true);
    ended = at_work.ended();
  }
  compare(all, count);
  EXPECT_EQ(all.unknown.size(), 0U);
  EXPECT_EQ(server.truth("select count(*) from ledger"), std::to_string(all.yes.size()));
  EXPECT_EQ(far.watcher->count(commit_resolution::unresolved), 0U);
  EXPECT_GT(far.watcher->seen().size(), 0U) << "no COMMIT was hit: the test shows nothing; " << ended << " were ended";
  RecordProperty("ended", ended);
  RecordProperty("yes", static_cast<int>(all.yes.size()));
  RecordProperty("resolved", static_cast<int>(far.watcher->seen().size()));
}

TEST_F(outcome_chaos, unguarded_transfers_are_told_no_lie_and_each_unknown_is_counted) {
  constexpr int count = 4'000;
  watched_database far(server, settings_of_chaos(), true);
  told all;
  {
    const killer at_work(server);
    all = run_transfers(far, count, false);
  }
  compare(all, count);
  EXPECT_EQ(far.watcher->count(commit_resolution::unresolved), all.unknown.size());
  EXPECT_EQ(far.watcher->seen().size(), all.unknown.size());
}

}  // namespace
}  // namespace tests
