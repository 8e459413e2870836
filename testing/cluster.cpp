#include "cluster_impl.hpp"
#include "server_settings.hpp"
#include "wait_until.hpp"
#include <breakwater/testing/cluster.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

namespace breakwater::testing {
namespace {

void require(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "breakwater::testing::cluster: %s\n", what.c_str());
  std::abort();
}

std::string uri(std::string_view user, std::string_view password, node n, std::string_view database) {
  return "postgresql://" + detail::uri_encoded(user) + ":" + detail::uri_encoded(password) + "@" +
         std::string(detail::loopback) + ":" + std::to_string(n.port()) + "/" + detail::uri_encoded(database);
}

}  // namespace

cluster::cluster(std::unique_ptr<impl> state) noexcept : impl_(std::move(state)) {}
cluster::cluster(cluster&& other) noexcept = default;
cluster& cluster::operator=(cluster&& other) noexcept = default;
cluster::~cluster() = default;

node cluster::primary() const noexcept { return {0, impl_->members.front()->port}; }

node cluster::replica(std::size_t i) const {
  require(i < impl_->options.replicas, "replica(" + std::to_string(i) + ") of a cluster with " +
                                           std::to_string(impl_->options.replicas) + " replicas");
  return {i + 1, impl_->members[i + 1]->port};
}

std::vector<node> cluster::nodes() const {
  std::vector<node> all;
  for (const auto& each : impl_->members) all.push_back(node(all.size(), each->port));
  return all;
}

std::string cluster::dsn(node n) const {
  require(impl_->owns(n), "dsn() of another cluster's node " + to_string(n));
  return uri(impl_->options.user, impl_->user_password, n, impl_->options.database);
}

std::string cluster::dsn() const { return dsn(primary()); }

std::vector<std::string> cluster::dsns() const {
  std::vector<std::string> all;
  for (const node n : nodes()) all.push_back(dsn(n));
  return all;
}

std::string cluster::admin_dsn(node n) const {
  require(impl_->owns(n), "admin_dsn() of another cluster's node " + to_string(n));
  return uri(detail::superuser, impl_->superuser_password, n, impl_->options.database);
}

result<void> cluster::stop(node n) {
  BOOST_OUTCOME_TRY(auto* member, impl_->find(n));
  const std::lock_guard lock(member->busy);
  return member->server.stop(impl_->limit());
}

result<void> cluster::start(node n) {
  BOOST_OUTCOME_TRY(auto* member, impl_->find(n));
  const std::lock_guard lock(member->busy);
  const auto until = impl_->limit();
  if (!member->server.is_running()) {
    BOOST_OUTCOME_TRY(member->server.launch(until));
  }
  return member->server.await_ready(until);
}

result<void> cluster::restart(node n) {
  BOOST_OUTCOME_TRY(auto* member, impl_->find(n));
  const std::lock_guard lock(member->busy);
  const auto until = impl_->limit();
  BOOST_OUTCOME_TRY(member->server.stop(until));
  BOOST_OUTCOME_TRY(member->server.launch(until));
  return member->server.await_ready(until);
}

result<void> cluster::kill(node n) {
  BOOST_OUTCOME_TRY(auto* member, impl_->find(n));
  const std::lock_guard lock(member->busy);
  return member->server.kill(impl_->limit());
}

bool cluster::is_running(node n) const {
  require(impl_->owns(n), "is_running() of another cluster's node " + to_string(n));
  auto& member = *impl_->members[n.index()];
  const std::lock_guard lock(member.busy);
  return member.server.is_running();
}

result<void> cluster::promote(node n) {
  BOOST_OUTCOME_TRY(auto* member, impl_->find(n));
  const std::lock_guard lock(member->busy);
  const auto until = impl_->limit();
  BOOST_OUTCOME_TRY(auto connection, impl_->connect(*member, until));
  BOOST_OUTCOME_TRY(connection.execute("select pg_promote(wait => false)"));
  BOOST_OUTCOME_TRY(wait_for_true(connection, "select not pg_is_in_recovery()", until, "the promotion of " + n.name()));
  member->upstream = n.index();
  impl_->current_primary = n.index();
  return success();
}

result<void> cluster::rejoin(node n) {
  BOOST_OUTCOME_TRY(auto* member, impl_->find(n));
  const std::lock_guard lock(member->busy);
  const auto until = impl_->limit();
  const std::size_t upstream = impl_->current_primary;
  if (upstream == n.index()) {
    return error(errc::invalid_argument,
                 n.name() + " is the current primary: promote another node before it can rejoin");
  }
  const auto& primary = *impl_->members[upstream];
  BOOST_OUTCOME_TRY(impl_->reserve_slot(primary, *member, until));
  BOOST_OUTCOME_TRY(member->server.kill(until));
  std::error_code failed;
  std::filesystem::remove_all(member->server.data(), failed);
  if (failed) {
    return error(errc::internal, "could not remove the data of " + n.name() + ": " + failed.message());
  }
  member->upstream = upstream;
  BOOST_OUTCOME_TRY(auto copy, impl_->begin_copy(primary, *member));
  BOOST_OUTCOME_TRY(impl_->finish_copy(copy, *member, until));
  BOOST_OUTCOME_TRY(member->server.launch(until));
  BOOST_OUTCOME_TRY(member->server.await_ready(until));
  return impl_->await_streaming(*member, until);
}

result<void> cluster::pause_replay(node n) {
  BOOST_OUTCOME_TRY(auto* member, impl_->find(n));
  const auto until = impl_->limit();
  BOOST_OUTCOME_TRY(auto connection, impl_->connect(*member, until));
  BOOST_OUTCOME_TRY(connection.execute("select pg_wal_replay_pause()"));
  return wait_for_true(connection, "select pg_get_wal_replay_pause_state() = 'paused'", until,
                       "replay on " + n.name() + " to pause");
}

result<void> cluster::resume_replay(node n) { return execute(n, "select pg_wal_replay_resume()"); }

result<void> cluster::wait_for_replay(node n, std::chrono::milliseconds timeout) {
  BOOST_OUTCOME_TRY(auto* member, impl_->find(n));
  const auto until = deadline::after(timeout);
  const std::size_t upstream = member->upstream;
  if (upstream == n.index()) {
    return error(errc::invalid_argument, n.name() + " is a primary: there is nothing it replays");
  }
  BOOST_OUTCOME_TRY(auto primary, impl_->connect(*impl_->members[upstream], until));
  BOOST_OUTCOME_TRY(const auto flushed, primary.value("select pg_current_wal_flush_lsn()"));
  BOOST_OUTCOME_TRY(auto replica, impl_->connect(*member, until));
  std::string state;
  result<std::string> answer = state;
  const bool decided = detail::wait_until(until, [&] {
    answer = replica.value("select case when position >= " + detail::sql_literal(flushed) +
                           "::pg_lsn then '' else position || '; replay is ' ||"
                           " pg_get_wal_replay_pause_state() end"
                           " from pg_last_wal_replay_lsn() position");
    if (answer && !answer.value().empty()) state = answer.value();
    return !answer || answer.value().empty();
  });
  if (decided && answer) return success();
  if (!answer && answer.error().code() != errc::deadline_exceeded) return answer.error();
  return error(errc::deadline_exceeded, n.name() + " has not replayed up to " + flushed + " within " +
                                            std::to_string(timeout.count()) + " ms; it is at " +
                                            (state.empty() ? "an unknown position" : state));
}

result<void> cluster::execute(node n, std::string_view sql) {
  BOOST_OUTCOME_TRY(auto* member, impl_->find(n));
  BOOST_OUTCOME_TRY(auto connection, impl_->connect(*member, impl_->limit()));
  return connection.execute(std::string(sql));
}

result<void> cluster::execute(std::string_view sql) { return execute(primary(), sql); }

result<std::string> cluster::query_value(node n, std::string_view sql) {
  BOOST_OUTCOME_TRY(auto* member, impl_->find(n));
  BOOST_OUTCOME_TRY(auto connection, impl_->connect(*member, impl_->limit()));
  return connection.value(std::string(sql));
}

result<std::string> cluster::query_value(std::string_view sql) { return query_value(primary(), sql); }

std::string cluster::log(node n) const {
  require(impl_->owns(n), "log() of another cluster's node " + to_string(n));
  return detail::read_file(impl_->members[n.index()]->server.log());
}

const std::string& cluster::directory() const noexcept { return impl_->space.folder(); }

}  // namespace breakwater::testing
