#include "support.hpp"

#include <algorithm>

namespace tests {

void outcome_recorder::on_commit_unknown(const bw::commit_unknown_event& event) noexcept {
  const std::lock_guard lock(mutex_);
  seen_.push_back(event.resolution);
}

std::vector<commit_resolution> outcome_recorder::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

std::size_t outcome_recorder::count(commit_resolution what) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count(seen_, what));
}

ledger_server::ledger_server(const bw::testing::cluster_options& options) {
  auto started = bw::testing::cluster::start(options);
  if (!started) {
    ADD_FAILURE() << started.error().message();
    std::abort();
  }
  cluster_.emplace(std::move(started).value());
  arrange("create table ledger (who text not null, amount int not null default 1); grant all on ledger to app");
}

std::string ledger_server::truth(std::string_view sql) {
  const auto value = cluster_->query_value(sql);
  return value ? value.value() : "error: " + value.error().message();
}

void ledger_server::arrange(std::string_view sql) {
  const auto done = cluster_->execute(sql);
  EXPECT_TRUE(succeeds(done));
}

void ledger_server::reset(bool with_table) {
  arrange("truncate ledger; drop schema if exists breakwater cascade");
  if (!with_table) return;
  arrange(bw::outcome_guard_ddl());
  arrange(
      "grant usage on schema breakwater to app; grant select, insert, update, delete on breakwater.outcomes to app");
}

std::string ledger_server::dsn_through(const proxy& between) {
  std::string dsn = cluster_->dsn();
  const std::string port = ":" + std::to_string(cluster_->primary().port()) + "/";
  return dsn.replace(dsn.find(port), port.size(), ":" + std::to_string(between.port()) + "/");
}

watched_database::watched_database(ledger_server& server, bw::config settings, bool direct)
    : between(server.cluster().primary().port()) {
  settings.nodes = {direct ? server.cluster().dsn() : server.dsn_through(between)};
  settings.observer = watcher;
  auto opened = bw::database::open(settings);
  EXPECT_TRUE(succeeds(opened));
  if (opened) db.emplace(std::move(opened).value());
}

bw::config watched_database::guarded_settings() {
  bw::config settings;
  settings.outcome_guard.enabled = true;
  settings.pool.size = 4;
  settings.operation_timeout = 30s;
  return settings;
}

bw::result<void> write_line(bw::transaction& tx, std::string_view who) {
  BOOST_OUTCOME_TRY(tx.execute("insert into ledger (who) values (?)", std::string(who)));
  return bw::success();
}

bw::result<int> write_line_in(bw::session& session, std::string_view who, int* runs,
                              const bw::transaction_options& options) {
  int count = 0;
  return session.transact(
      [&](bw::transaction& tx) -> bw::result<int> {
        ++count;
        if (runs != nullptr) *runs = count;
        BOOST_OUTCOME_TRY(write_line(tx, who));
        return count;
      },
      options);
}

}  // namespace tests
