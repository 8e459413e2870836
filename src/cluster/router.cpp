#include "cluster/router.hpp"

#include "cluster/doubt.hpp"
#include "cluster/hedged_read.hpp"
#include "cluster/tour.hpp"
#include "core/secret_cache.hpp"
#include "postgres/causal_read.hpp"
#include "postgres/decide.hpp"
#include "postgres/server_settings.hpp"
#include <breakwater/core/random.hpp>
#include <breakwater/resilience/timing.hpp>

#include <string>
#include <system_error>
#include <utility>

namespace breakwater::routing {
namespace {

/// Often enough for lifetimes and leak warnings, seldom enough that an idle program is idle.
constexpr std::chrono::seconds caretaker_interval{1};

/// Connects block a thread each (host names are resolved by a blocking call); four a node is the most that a pool
/// starts, and one more must be free for cancelling and closing.
constexpr std::size_t background_threads_per_node = 5;

/// Each blocks a thread until it is answered. They are few, by their budget; more than this at once would be a sign that
/// no replica is well, and then they queue.
constexpr std::size_t second_copies_per_node = 4;

postgres::connection_settings settings_for(const config& settings, std::shared_ptr<secret_cache> secrets, dsn address) {
  std::string name = address.node_name();
  return {.address = std::move(address),
          .node = std::move(name),
          .application_name = settings.application_name,
          .connect_timeout = settings.connect_timeout,
          .statement_timeout = settings.operation_timeout - postgres::timeout_slack(settings.operation_timeout),
          .idle_in_transaction_timeout = settings.idle_in_transaction_session_timeout,
          .statement_cache_size = settings.statement_cache.enabled ? settings.statement_cache.size : 0,
          .tcp = settings.tcp,
          .secrets = std::move(secrets),
          .pooler = settings.pooler,
          .pooler_prepares = settings.pooler_prepares};
}

/// Null where user and password are the connection strings'.
std::shared_ptr<secret_cache> secrets_of(const config& settings) {
  auto from = settings.secret_provider;
  if (!from && !settings.secrets.from.empty()) from = secrets::from_text(settings.secrets.from).value();
  if (!from) return nullptr;
  return std::make_shared<secret_cache>(std::move(from), settings.secrets, settings.observer.get());
}

/// For the monitor's connection: the same, by another name.
postgres::connection_settings settings_for_monitor(postgres::connection_settings of_node) {
  const std::string name =
      (of_node.application_name.empty() ? "breakwater" : of_node.application_name) + std::string(monitor_name_suffix);
  if (auto named = of_node.address.with("application_name", name)) of_node.address = std::move(named).assume_value();
  of_node.statement_cache_size = 0;
  return of_node;
}

/// No way to the primary was found, and nothing was sent on it.
bool is_without_connection(const error& failure) noexcept {
  return failure.attempts() == 0 && (failure.code() == errc::connection_failed || failure.code() == errc::no_primary);
}

/// A node that its connection string declares to be one or the other, in libpq's own words. Of several hosts in one string it
/// means that one of them is.
node_role declared_role(const dsn& given) {
  if (given.hosts().size() != 1) return node_role::unknown;
  const std::string_view wanted = given.get("target_session_attrs").value_or("any");
  if (wanted == "primary" || wanted == "read-write") return node_role::primary;
  if (wanted == "standby" || wanted == "read-only") return node_role::replica;
  return node_role::unknown;
}

}  // namespace

result<std::unique_ptr<router>> router::open(const config& settings, std::string_view database,
                                             std::shared_ptr<secret_cache> secrets) {
  std::vector<given_node> nodes;
  for (const std::string& text : settings.nodes) {
    BOOST_OUTCOME_TRY(const auto given, dsn::parse(text));
    // Several hosts in one string are several nodes; which of them takes writes is for us to find out, so libpq must
    // not turn any away.
    BOOST_OUTCOME_TRY(auto address_of_all, given.with("target_session_attrs", "any"));
    if (!database.empty()) {
      BOOST_OUTCOME_TRY(address_of_all, address_of_all.with("dbname", database));
    }
    for (dsn& address : address_of_all.split_hosts()) nodes.push_back({std::move(address), declared_role(given)});
  }
  std::unique_ptr<router> opened;
  try {
    opened.reset(new router(settings, std::move(nodes), secrets ? std::move(secrets) : secrets_of(settings)));
    opened->monitor_->start();
  } catch (const std::system_error&) {
    return error(errc::resource_exhausted, "the operating system starts no more threads");
  }
  const deadline until = deadline::after(settings.connect_timeout);
  BOOST_OUTCOME_TRY(opened->connect_all(until));
  opened->monitor_->wait_for_first_look(until);
  return opened;
}

router::router(const config& settings, std::vector<given_node> given, std::shared_ptr<secret_cache> secrets)
    : watcher_(settings.observer),
      retries_(settings.retry),
      replica_wait_(settings.routing.replica_wait),
      look_again_after_(settings.monitor.unsure_interval),
      budget_(settings.retry_budget),
      connect_timeout_(settings.connect_timeout),
      secrets_(std::move(secrets)),
      sizing_(settings),
      background_(background_threads_per_node * given.size()) {
  config resolved = settings;
  resolved.pool.size = sizing_.first_size();
  std::vector<monitored_address> for_monitor;
  node_listener& listener = *this;
  for (auto& [address, declared] : given) {
    auto of_node =
        std::make_shared<const postgres::connection_settings>(settings_for(settings, secrets_, std::move(address)));
    for_monitor.push_back(
        {std::make_shared<const postgres::connection_settings>(settings_for_monitor(*of_node)), declared});
    nodes_.push_back(std::make_unique<node>(resolved, std::move(of_node), background_, listener));
  }
  monitor_ = std::make_unique<monitor>(settings, nodes_, for_monitor);
  replicas_ = std::make_unique<replica_set>(settings, nodes_);
  if (settings.hedge.enabled) {
    second_copies_ = std::make_unique<task_runner>(second_copies_per_node * nodes_.size());
    hedger_ = std::make_unique<resilience::hedger>(
        settings.hedge, [this](std::function<void()> task) { second_copies_->post(std::move(task)); });
  }
  caretaker_ = std::jthread([this](const std::stop_token& stop) { look_after_pools(stop); });
}

router::~router() {
  close(deadline::after(std::chrono::seconds(0)));
  caretaker_.request_stop();
  caretaker_.join();
  hedger_.reset();  // its thread posts second copies
  if (second_copies_) second_copies_->stop();
  background_.stop();  // the tasks of both use the pools, and tell the monitor
  monitor_.reset();    // and it tells the nodes
}

void router::role_learnt(const node& of, node_role now) { monitor_->note_role(of, now); }

void router::call_failed(const node& of) {
  if (&of == monitor_->primary()) monitor_->wake();
}

result<void> router::connect_all(deadline until) {
  for (const auto& each : nodes_) each->connections().open_first();
  std::optional<error> first_failure;
  bool any = false;
  for (const auto& each : nodes_) {
    auto borrowed = each->connections().acquire(until, nullptr, source_location::current());
    if (!borrowed) {
      if (!first_failure) first_failure = std::move(borrowed).error();
      continue;
    }
    any = true;
    borrowed.assume_value().give_back();
    (void)sizing_.apply(*each, until);  // else later: `size_new_nodes`
  }
  if (!any && first_failure) return std::move(*first_failure);
  return success();
}

std::optional<router::chosen> router::choose_replica(tour& way, const request& wanted) {
  for (;; ++way.looked_at) {
    const bool last_resort = way.looked_at >= nodes_.size();
    // What does not answer the monitor may answer all the same, and there is nobody else.
    if (last_resort && (way.looked_at == 2 * nodes_.size() || monitor_->primary() != nullptr)) return std::nullopt;
    const std::size_t at = (way.first.at + way.looked_at) % nodes_.size();
    node& candidate = *nodes_[at];
    const bool is_replica = candidate.role() == node_role::replica;
    const bool is_out = is_replica && !way.first.any && replicas_->is_out(at, way.now);
    if (last_resort ? !is_out && (is_replica || candidate.observed().reachable) : is_out || !is_replica) continue;
    auto call = candidate.admit(class_of(wanted), wanted.priority, way.now);
    if (call) {
      if (way.first.counts) call.assume_value().count(*replicas_, at);
      way.admitted = true;
      ++way.looked_at;
      return chosen{&candidate, std::move(call).assume_value()};
    }
    if (!last_resort) way.refused = std::move(call).error();
  }
}

result<router::chosen> router::choose(tour& way, const request& wanted) {
  for (;;) {
    if (way.to_replicas) {
      if (way.looked_at == 0) way.changes = monitor_->changes();
      auto replica = wanted.causal == nullptr ? choose_replica(way, wanted) : choose_fresh_replica(way, wanted);
      if (replica) return std::move(*replica);
      way.to_replicas = false;
    }
    node* const primary = monitor_->primary();
    if (primary != nullptr && way.confirmed_after == never_failed) return admit_to(*primary, way, wanted);
    // What kept the replicas from answering says more than that there is no primary.
    const bool all_refused = way.refused && !way.admitted;
    if (all_refused && primary == nullptr) return std::move(*way.refused);
    BOOST_OUTCOME_TRY(await_primary(way, wanted, wait::with_looks_at_replicas));
    way.now = deadline::clock::now();  // the wait is none of the node's
  }
}

/// The wait costs nothing but time. Where replicas may answer, any news ends it: one may be back. And so does a while, unless
/// it is the primary that is waited for: nobody tells when one has replayed what the read must see, or connects again.
result<monitor::finding> router::await_primary(tour& way, const request& wanted, wait how) {
  const auto changes = way.replicas_allowed ? std::optional(way.changes) : std::nullopt;
  const bool looks_again = way.replicas_allowed && how == wait::with_looks_at_replicas;
  const deadline until = looks_again ? wanted.until.earlier_of(deadline::after(look_again_after_)) : wanted.until;
  auto found = monitor_->wait_for_primary(way.confirmed_after, until, wanted.cancel, changes);
  if (!found) {
    const bool is_over = found.error().code() == errc::cancelled || wanted.until.expired(deadline::clock::now());
    if (!looks_again || is_over) return found;
    found = monitor::finding{};
  }
  if (found.assume_value().primary != nullptr) {
    way.confirmed_after = never_failed;
  } else {
    way.begin_round(replicas_->choose(deadline::clock::now()));
  }
  return found;
}

result<router::chosen> router::admit_to(node& primary, tour& way, const request& wanted) {
  const circuit_class of = class_of(wanted);
  auto call = primary.admit(of, wanted.priority, way.now);
  if (call) return chosen{&primary, std::move(call).assume_value()};
  // While it is not certain that it is there at all, its breaker says nothing of the one that will be.
  if (call.assume_error().code() != errc::circuit_open || monitor_->is_sure() || primary.breaker(of).is_forced()) {
    return std::move(call).error();
  }
  BOOST_OUTCOME_TRY(const auto found, monitor_->wait_for_primary(way.now, wanted.until, wanted.cancel));
  way.now = deadline::clock::now();
  BOOST_OUTCOME_TRY(auto late, found.primary->admit(of, wanted.priority, way.now));
  return chosen{found.primary, std::move(late)};
}

/// Waits for what the monitor finds after the failure. A primary that it confirms, and that did not change since the attempt
/// began, does not count: then the failure is one like any other.
result<bool> router::primary_has_changed(tour& way, const request& wanted) {
  monitor_->wake();
  way.confirmed_after = deadline::clock::now();
  BOOST_OUTCOME_TRY(const auto found, await_primary(way, wanted, wait::for_news));
  return found.primary == nullptr || found.changed_at > way.now;
}

resilience::retry_sequence router::begin_attempts(std::size_t most, deadline until,
                                                  deadline::clock::time_point now) noexcept {
  retry_options options = retries_;
  options.max_attempts = most;
  return {options, &budget_, until, now};
}

visited router::visit(const request& wanted, bool replica_allowed, node_work work) {
  const bool looked = wanted.began != deadline::clock::time_point{};
  const auto now = looked ? wanted.began : deadline::clock::now();
  auto tries = begin_attempts(retries_.max_attempts, wanted.until, now);
  tour way{.tries = tries, .replicas_allowed = wanted.what.is_read() && replica_allowed, .now = now};
  if (way.replicas_allowed) way.begin_round(replicas_->choose(now));
  make_tour(way, wanted, work);
  return std::move(way.seen);
}

void router::make_tour(tour& way, const request& wanted, node_work work) {
  for (;; way.now = deadline::clock::now()) {
    auto to = choose(way, wanted);
    if (!to) {
      way.seen.refusal = std::move(to).error();
      if (!goes_on(way, wanted, *way.seen.refusal, nullptr)) return;
      way.seen.refusal.reset();
      continue;
    }
    node& on = *to.assume_value().to;
    way.seen.last = &on;
    request there = wanted;
    there.on_primary = !way.to_replicas;
    const error* const failure = work(on, to.assume_value().call, there);
    const auto ended = deadline::clock::now();
    if (wanted.causal != nullptr && goes_on_to_fresher(way, wanted, failure, ended)) {
      to.assume_value().call.settle_untimed(nullptr, ended);
      continue;
    }
    if (wanted.causal != nullptr && wanted.causal->waited) {
      to.assume_value().call.settle_untimed(failure, ended);
    } else {
      to.assume_value().call.settle(failure, ended);
    }
    if (failure == nullptr || failure->attempts() > 0) ++way.seen.attempts;
    if (failure == nullptr) {
      way.seen.ended = ended;
      return;
    }
    const bool may_be_applied = failure->applied() != applied::no;
    if (!goes_on(way, wanted, *failure, &on)) return;
    way.seen.in_doubt = way.seen.in_doubt || may_be_applied;
  }
}

bool router::goes_on(tour& way, const request& wanted, const error& failure, const node* from) {
  const bool on_replica = from != nullptr && way.to_replicas;
  const postgres::decision what =
      postgres::decide({.cause = failure,
                        .kind = wanted.what.kind,
                        .idempotent = wanted.what.idempotent,
                        .mapped = wanted.what.mapped,
                        .on_replica = on_replica,
                        .demoted = from != nullptr && !on_replica && from->learnt_role() == node_role::replica,
                        .attempt = way.tries.attempts()});
  if (what.next == postgres::next_attempt::none) return false;
  // Nothing was sent to this replica, so asking the next one is no second attempt; each is asked once in a round.
  if (on_replica && failure.attempts() == 0 && what.next == postgres::next_attempt::elsewhere) return true;
  // Nor is it one where another primary is confirmed since, or the same one after it was away.
  if (from != nullptr && !on_replica && is_without_connection(failure)) {
    const auto changed = primary_has_changed(way, wanted);
    if (!changed) {
      // That there is none says more than how this call found out.
      way.seen.refusal = changed.error();
      return false;
    }
    if (changed.assume_value()) {
      if (way.replicas_allowed) way.begin_round(replicas_->choose(deadline::clock::now()));
      return true;
    }
  }

  const auto now = deadline::clock::now();
  const auto pause = way.tries.next(now, random_unit(), {.at_once = !what.paused, .free = what.free});
  const std::string_view name = from == nullptr ? std::string_view{} : from->name();
  if (pause || way.tries.stopped_by() == resilience::retry_stop::budget) {
    report_retry(wanted, name, failure, way.tries, pause ? &*pause : nullptr);
  }
  if (!pause) return false;
  if (!resilience::system_timing().wait_until(now + *pause, wanted.cancel)) return false;
  switch (what.next) {
    case postgres::next_attempt::elsewhere: break;  // the round goes on; behind the replicas comes the primary
    case postgres::next_attempt::primary: way.to_replicas = false; break;
    case postgres::next_attempt::other_primary: way.confirmed_after = now; [[fallthrough]];
    default:
      // What a replica may answer need not wait for the primary.
      if (!on_replica && way.replicas_allowed) way.begin_round(replicas_->choose(deadline::clock::now()));
  }
  return true;
}

void router::report_retry(const request& wanted, std::string_view node, const error& cause,
                          const resilience::retry_sequence& tries,
                          const std::chrono::nanoseconds* pause) const noexcept {
  if (watcher_ == nullptr) return;
  const bool refused = pause == nullptr;
  watcher_->on_retry({.statement = wanted.what.name,
                      .node = node,
                      .attempt = tries.attempts() - (refused ? 0 : 1),
                      .cause = &cause,
                      .pause = refused ? std::chrono::nanoseconds(0) : *pause,
                      .refused_by_budget = refused});
}

routed router::run(const request& wanted, bool replica_allowed) {
  if (may_hedge(wanted, replica_allowed)) return run_hedged(wanted);
  routed outcome{.answer = errc::internal};
  const auto work = [&](node& on, node_call& /*call*/, const request& there) -> const error* {
    outcome.answer = on.statements().run(there);
    return outcome.answer ? nullptr : &outcome.answer.assume_error();
  };
  visited seen = visit(wanted, replica_allowed, work);
  if (seen.refusal) outcome.answer = std::move(*seen.refusal);
  if (seen.in_doubt) outcome.answer = settle_doubt(std::move(outcome.answer), wanted.what);
  outcome.from = seen.last;
  outcome.attempts = seen.attempts;
  outcome.ended = seen.ended;
  return outcome;
}

routed_batch router::run_batch(const request& wanted, std::span<const batched_statement> statements,
                               bool replica_allowed) {
  routed_batch outcome{.answer = errc::internal};
  const auto work = [&](node& on, node_call& /*call*/, const request& there) -> const error* {
    outcome.answer = on.statements().run_batch(there, statements);
    return outcome.answer ? nullptr : &outcome.answer.assume_error();
  };
  visited seen = visit(wanted, replica_allowed, work);
  if (seen.refusal) outcome.answer = std::move(*seen.refusal);
  if (seen.in_doubt) outcome.answer = settle_doubt(std::move(outcome.answer), statements);
  outcome.from = seen.last;
  outcome.attempts = seen.attempts;
  outcome.ended = seen.ended;
  return outcome;
}

result<primary_lease> router::borrow_primary(const request& wanted, resilience::retry_sequence& tries) {
  result<primary_lease> outcome = errc::internal;
  const auto work = [&](node& on, node_call& call, const request& there) -> const error* {
    auto held = postgres::borrow_live(on.connections(), there);
    if (held) {
      outcome = primary_lease{.held = std::move(held).assume_value(), .call = std::move(call)};
      return nullptr;
    }
    outcome = std::move(held).error();
    return &outcome.assume_error();
  };
  tour way{.tries = tries, .replicas_allowed = false, .now = deadline::clock::now()};
  make_tour(way, wanted, work);
  if (way.seen.refusal) outcome = std::move(*way.seen.refusal);
  return outcome;
}

result<postgres::lease> router::borrow_primary_to_resolve(const request& wanted) {
  node* primary = monitor_->primary();
  if (primary == nullptr) {
    BOOST_OUTCOME_TRY(const auto found, monitor_->wait_for_primary({}, wanted.until, wanted.cancel));
    primary = found.primary;
  }
  request there = wanted;
  there.on_primary = true;
  auto held = postgres::borrow_live(primary->connections(), there);
  if (!held) call_failed(*primary);
  return held;
}

bool router::close(deadline until) {
  closing_.store(true, std::memory_order_relaxed);
  monitor_->stop();  // who waits for a primary is told at once
  bool drained = true;
  for (const auto& each : nodes_) drained = each->connections().close(until) && drained;
  closed_.store(true, std::memory_order_relaxed);
  return drained;
}

/// Those that could not be asked before.
void router::size_new_nodes() {
  for (const auto& each : nodes_) {
    if (sizing_.knows(*each) || each->connections().counts().idle == 0) continue;
    background_.post([this, to = each.get()] { (void)sizing_.apply(*to, deadline::after(caretaker_interval)); });
  }
}

void router::look_after_pools(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    wake_.wait_for(lock, stop, caretaker_interval, [] { return false; });
    if (stop.stop_requested()) return;
    const auto now = deadline::clock::now();
    last_round_.store(now, std::memory_order_relaxed);
    for (const auto& each : nodes_) each->maintain(now);
    replicas_->maintain(now);
    size_new_nodes();
    if (secrets_ && secrets_->is_due(now)) {
      background_.post([this] { secrets_->refresh_if_due(deadline::after(connect_timeout_)); });
    }
  }
}

}  // namespace breakwater::routing
