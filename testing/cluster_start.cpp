#include "cluster_impl.hpp"
#include "loopback_port.hpp"
#include "server_binaries.hpp"
#include "server_settings.hpp"

#include <algorithm>
#include <random>
#include <utility>

namespace breakwater::testing {
namespace {

/// How often a server that lost its port to somebody else may try another.
constexpr int port_attempts = 5;
/// Of a random password: 128 bits.
constexpr std::size_t password_length = 32;

std::string random_password() {
  constexpr std::string_view digits = "0123456789abcdef";
  std::random_device random;
  std::string password;
  while (password.size() < password_length) password += digits[random() % digits.size()];
  return password;
}

}  // namespace

/// The steps of `cluster::start`, in the order they are taken.
class cluster_builder {
 public:
  using impl = cluster::impl;
  using member = impl::member;

  static result<cluster> build(const cluster_options& options) {
    BOOST_OUTCOME_TRY(detail::validate(options));
    const auto until = deadline::after(options.start_timeout);
    BOOST_OUTCOME_TRY(auto binaries, detail::find_server_binaries(options.binaries, until));
    BOOST_OUTCOME_TRY(auto space, detail::workspace::open(detail::parent_folder(options), std::move(binaries)));
    cluster_builder builder(std::make_unique<impl>(options, std::move(space)), until);
    BOOST_OUTCOME_TRY(builder.post_guardian());
    BOOST_OUTCOME_TRY(builder.start_primary());
    BOOST_OUTCOME_TRY(builder.make_database());
    BOOST_OUTCOME_TRY(builder.start_replicas());
    BOOST_OUTCOME_TRY(builder.wait_for_replicas());
    BOOST_OUTCOME_TRY(builder.wait_for_commits_to_replicate());
    return cluster(std::move(builder.state_));
  }

 private:
  cluster_builder(std::unique_ptr<impl> state, deadline until) : state_(std::move(state)), until_(until) {}

  result<void> post_guardian();
  result<void> start_primary();
  result<void> make_database();
  result<void> start_replicas();
  result<void> wait_for_replicas();
  result<void> wait_for_commits_to_replicate();

  result<void> choose_port(member& for_whom);
  result<void> settle(member& launched);

  std::unique_ptr<impl> state_;
  deadline until_;
};

result<void> cluster_builder::post_guardian() {
  detail::guardian::charge charge{state_->space.folder(), state_->space.binaries(), {}};
  for (unsigned i = 0; i <= state_->options.replicas; ++i) {
    const std::string name = i == 0 ? "primary" : "replica-" + std::to_string(i - 1);
    const auto& added = *state_->members.emplace_back(std::make_unique<member>(name, state_->space));
    charge.server_folders.push_back(added.server.home());
    charge.server_folders.push_back(added.server.data());
  }
  BOOST_OUTCOME_TRY(state_->keeper, detail::guardian::post(std::move(charge)));
  return success();
}

result<void> cluster_builder::start_primary() {
  state_->superuser_password = random_password();
  state_->user_password = state_->options.password.empty() ? random_password() : state_->options.password;
  const auto& space = state_->space;
  const std::string secret = space.folder() + "/superuser-password";
  BOOST_OUTCOME_TRY(space.write(secret, state_->superuser_password + "\n"));
  BOOST_OUTCOME_TRY(space.write(space.folder() + "/pgpass", "*:*:*:postgres:" + state_->superuser_password + "\n"));

  auto& primary = *state_->members.front();
  const auto& server = primary.server;
  BOOST_OUTCOME_TRY(space.make_folder(server.home()));
  const std::string log = server.home() + "/initdb.log";
  BOOST_OUTCOME_TRY(
      auto initdb,
      space.spawn("initdb",
                  {"--pgdata=" + server.data(), "--no-sync", "--username=" + std::string(detail::superuser),
                   "--pwfile=" + secret, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"},
                  server.home(), log));
  BOOST_OUTCOME_TRY(detail::workspace::finish(initdb, "initdb", log, until_));
  BOOST_OUTCOME_TRY(space.write(server.data() + "/pg_hba.conf", detail::pg_hba_conf()));

  BOOST_OUTCOME_TRY(choose_port(primary));
  BOOST_OUTCOME_TRY(state_->configure(primary, false));
  BOOST_OUTCOME_TRY(primary.server.launch(until_));
  return settle(primary);
}

result<void> cluster_builder::make_database() {
  const auto& primary = *state_->members.front();
  const std::string user = detail::sql_identifier(state_->options.user);
  const std::string database = detail::sql_identifier(state_->options.database);
  {
    BOOST_OUTCOME_TRY(auto connection,
                      detail::admin_connection::open(
                          {primary.port, state_->superuser_password, "postgres", primary.server.name()}, until_));
    BOOST_OUTCOME_TRY(connection.execute("create role " + user + " login password " +
                                         detail::sql_literal(state_->user_password) + "; grant pg_read_all_stats to " +
                                         user));
    BOOST_OUTCOME_TRY(connection.execute("create database " + database + " owner " + user));
  }
  BOOST_OUTCOME_TRY(auto connection, state_->connect(primary, until_));
  // What tests make through cluster::execute is for the application's role to use.
  for (const char* kind : {"tables", "sequences", "functions", "types", "schemas"}) {
    BOOST_OUTCOME_TRY(connection.execute("alter default privileges grant all on " + std::string(kind) + " to " + user));
  }
  return success();
}

result<void> cluster_builder::start_replicas() {
  auto& primary = *state_->members.front();
  const std::size_t count = state_->members.size();
  std::vector<detail::child_process> copies(count);
  for (std::size_t i = 1; i < count; ++i) {
    auto& replica = *state_->members[i];
    BOOST_OUTCOME_TRY(state_->space.make_folder(replica.server.home()));
    BOOST_OUTCOME_TRY(state_->reserve_slot(primary, replica, until_));
    BOOST_OUTCOME_TRY(copies[i], state_->begin_copy(primary, replica));
  }
  for (std::size_t i = 1; i < count; ++i) {
    auto& replica = *state_->members[i];
    BOOST_OUTCOME_TRY(choose_port(replica));
    BOOST_OUTCOME_TRY(state_->finish_copy(copies[i], replica, until_));
    BOOST_OUTCOME_TRY(replica.server.launch(until_));
  }
  return success();
}

result<void> cluster_builder::wait_for_replicas() {
  for (std::size_t i = 1; i < state_->members.size(); ++i) {
    BOOST_OUTCOME_TRY(settle(*state_->members[i]));
    BOOST_OUTCOME_TRY(state_->await_streaming(*state_->members[i], until_));
  }
  return success();
}

/// Synchronous replication last: before the replicas stream, every commit would wait for them.
result<void> cluster_builder::wait_for_commits_to_replicate() {
  if (state_->options.synchronous_replicas == 0) return success();
  auto& primary = *state_->members.front();
  BOOST_OUTCOME_TRY(state_->configure(primary, true));
  primary.server.reload();
  BOOST_OUTCOME_TRY(auto connection, state_->connect(primary, until_));
  return wait_for_true(connection,
                       "select count(*) = " + std::to_string(state_->options.replicas) +
                           " from pg_stat_replication where sync_state in ('quorum', 'sync')",
                       until_, "synchronous replication");
}

result<void> cluster_builder::choose_port(member& for_whom) {
  for (;;) {
    BOOST_OUTCOME_TRY(auto port, detail::free_loopback_port());
    const bool is_taken = std::any_of(state_->members.begin(), state_->members.end(),
                                      [&](const auto& other) { return other->port == port; });
    if (is_taken) continue;
    for_whom.port = port;
    return success();
  }
}

/// Waits for a launched server; one whose port somebody took meanwhile is launched on another.
result<void> cluster_builder::settle(member& launched) {
  auto ready = launched.server.await_ready(until_);
  for (int attempt = 1; attempt < port_attempts; ++attempt) {
    if (ready || !launched.server.lost_its_port()) break;
    BOOST_OUTCOME_TRY(choose_port(launched));
    BOOST_OUTCOME_TRY(state_->configure(launched, false));
    BOOST_OUTCOME_TRY(launched.server.launch(until_));
    ready = launched.server.await_ready(until_);
  }
  return ready;
}

result<cluster> cluster::start(const cluster_options& options) { return cluster_builder::build(options); }

}  // namespace breakwater::testing
