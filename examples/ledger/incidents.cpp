#include "incidents.hpp"

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <string>

namespace ledger {
namespace {

using clock = std::chrono::steady_clock;

std::chrono::milliseconds since(clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - start);
}

/// The steps of the story, as parts of the whole time.
constexpr double replica_dies = 0.2;
constexpr double replica_returns = 0.35;
constexpr double primary_dies = 0.5;
constexpr double primary_returns = 0.75;

class storyteller {
 public:
  storyteller(std::chrono::seconds duration, std::stop_token stop) : duration_(duration), stop_(std::move(stop)) {}

  /// Waits for a part of the whole time. False: the program ends.
  [[nodiscard]] bool wait_until(double part) {
    std::unique_lock lock(mutex_);
    const auto at = started_ + std::chrono::duration_cast<clock::duration>(duration_ * part);
    never_.wait_until(lock, stop_, at, [] { return false; });
    return !stop_.stop_requested();
  }
  void tell(const std::string& what) const {
    const auto at = std::chrono::duration<double>(clock::now() - started_).count();
    std::printf("  --- %4.1f s: %s\n", at, what.c_str());
    std::fflush(stdout);
  }

 private:
  const clock::time_point started_ = clock::now();
  const std::chrono::duration<double> duration_;
  const std::stop_token stop_;
  std::mutex mutex_;
  std::condition_variable_any never_;
};

std::string name_of(const bw::testing::cluster& cluster, bw::testing::node node) {
  const auto address = bw::dsn::parse(cluster.dsn(node));
  return address ? address.value().node_name() : "?";
}

/// How much WAL a replica has received: who has most has all that was acknowledged, because every commit waits for one.
bw::result<std::int64_t> received(bw::testing::cluster& cluster, bw::testing::node replica) {
  BOOST_OUTCOME_TRY(const auto bytes,
                    cluster.query_value(replica, "select pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0')::bigint"));
  return std::stoll(bytes);
}

}  // namespace

bw::result<incident_report> cause_incidents(bw::testing::cluster& cluster, statistics& seen,
                                            std::chrono::seconds duration, const std::stop_token& stop) {
  incident_report report;
  storyteller story(duration, stop);
  const auto first = cluster.replica(0);
  const auto second = cluster.replica(1);

  if (!story.wait_until(replica_dies)) return report;
  story.tell("the replica " + name_of(cluster, second) + " dies");
  BOOST_OUTCOME_TRY(cluster.kill(second));
  report.replica_died = true;

  if (!story.wait_until(replica_returns)) return report;
  story.tell("and is started again");
  BOOST_OUTCOME_TRY(cluster.start(second));

  if (!story.wait_until(primary_dies)) return report;
  const auto old_primary = cluster.primary();
  story.tell("the primary " + name_of(cluster, old_primary) + " dies");
  seen.watch_pauses();
  const auto died = clock::now();
  BOOST_OUTCOME_TRY(cluster.kill(old_primary));
  report.primary_died = true;
  BOOST_OUTCOME_TRY(const auto of_first, received(cluster, first));
  BOOST_OUTCOME_TRY(const auto of_second, received(cluster, second));
  const auto heir = of_first >= of_second ? first : second;
  const auto other = of_first >= of_second ? second : first;
  BOOST_OUTCOME_TRY(cluster.promote(heir));
  report.promotion = since(died);
  report.replica_was_promoted = true;
  story.tell("the replica " + name_of(cluster, heir) + " has been promoted, after " +
             std::to_string(report.promotion.count()) + " ms");
  BOOST_OUTCOME_TRY(cluster.rejoin(other));
  story.tell("the replica " + name_of(cluster, other) + " follows it");

  if (story.wait_until(primary_returns)) {
    BOOST_OUTCOME_TRY(cluster.rejoin(old_primary));
    story.tell("the old primary is back, as a replica");
  }
  report.write_pause = seen.longest_pause();
  return report;
}

}  // namespace ledger
