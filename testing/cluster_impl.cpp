#include "cluster_impl.hpp"

#include "server_settings.hpp"
#include "wait_until.hpp"

#include <chrono>
#include <optional>
#include <utility>

namespace breakwater::testing {
namespace {

/// The postmasters are dead when we come to collect them.
constexpr auto reap_timeout = std::chrono::seconds(1);

}  // namespace

cluster::impl::impl(cluster_options chosen, detail::workspace opened)
    : options(std::move(chosen)), space(std::move(opened)) {}

cluster::impl::~impl() {
  // In a process forked from the owner, the servers are not ours to end or to wait for.
  if (!keeper.release()) return;
  for (auto& each : members) each->server.reap(deadline::after(reap_timeout));
}

bool cluster::impl::owns(node n) const noexcept {
  return n.index() < members.size() && members[n.index()]->port == n.port();
}

result<cluster::impl::member*> cluster::impl::find(node n) const {
  if (owns(n)) return members[n.index()].get();
  return error(errc::invalid_argument, to_string(n) + " is a node of another cluster");
}

result<detail::admin_connection> cluster::impl::connect(const member& to, deadline until) const {
  return detail::admin_connection::open({to.port, superuser_password, options.database, to.server.name()}, until);
}

result<void> cluster::impl::configure(const member& which, bool synchronous) const {
  const member& upstream = *members[which.upstream];
  const detail::node_settings settings{.name = which.server.name(),
                                       .port = which.port,
                                       .upstream_port = &upstream == &which ? std::uint16_t{0} : upstream.port,
                                       .synchronous = synchronous};
  return space.write(which.server.data() + "/postgresql.conf",
                     detail::postgresql_conf(options, settings, space.folder()));
}

result<void> cluster::impl::reserve_slot(const member& primary, const member& replica, deadline until) const {
  const std::string slot = detail::sql_literal(detail::slot_name(replica.server.name()));
  BOOST_OUTCOME_TRY(auto connection, connect(primary, until));
  return connection.execute("select pg_create_physical_replication_slot(" + slot +
                            ", true) where not exists (select from pg_replication_slots"
                            " where slot_name = " +
                            slot + ")");
}

result<detail::child_process> cluster::impl::begin_copy(const member& source, const member& replica) const {
  const auto& server = replica.server;
  // The slot, made before, keeps the WAL the copy needs, so the replica can fetch it by itself.
  return space.spawn("pg_basebackup",
                     {"--pgdata=" + server.data(),
                      "--dbname=" + detail::replication_conninfo(server.name() + "-copy", source.port, space.folder()),
                      "--checkpoint=fast", "--wal-method=none", "--no-manifest", "--no-sync", "--no-password"},
                     server.home(), server.home() + "/copy.log");
}

result<void> cluster::impl::finish_copy(detail::child_process& copy, const member& replica, deadline until) const {
  const auto& server = replica.server;
  BOOST_OUTCOME_TRY(
      detail::workspace::finish(copy, "pg_basebackup for " + server.name(), server.home() + "/copy.log", until));
  BOOST_OUTCOME_TRY(configure(replica, false));
  return space.write(server.data() + "/standby.signal", "");
}

result<void> cluster::impl::await_streaming(const member& replica, deadline until) const {
  const member& primary = *members[replica.upstream];
  BOOST_OUTCOME_TRY(auto connection, connect(primary, until));
  auto streams = wait_for_true(connection,
                               "select exists (select from pg_stat_replication where state = 'streaming' and "
                               "application_name = " +
                                   detail::sql_literal(replica.server.name()) + ")",
                               until, replica.server.name() + " to stream from " + primary.server.name());
  if (streams) return success();
  return error(streams.error()).with_text(streams.error().message() + detail::last_lines(replica.server.log()));
}

result<void> wait_for_true(detail::admin_connection& connection, const std::string& query, deadline until,
                           const std::string& waiting_for) {
  std::optional<error> failed;
  const bool so = detail::wait_until(until, [&] {
    auto answer = connection.value(query);
    if (!answer) failed = answer.error();
    return failed || answer.value() == "t";
  });
  if (so && !failed) return success();
  if (failed && failed->code() != errc::deadline_exceeded) return std::move(*failed);
  return error(errc::deadline_exceeded, "the deadline came while waiting for " + waiting_for);
}

}  // namespace breakwater::testing
