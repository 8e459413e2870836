#include "cluster/router.hpp"

#include "postgres/server_settings.hpp"

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

/// Asking the nodes for their roles must leave time for the statement itself.
constexpr int share_of_deadline_for_discovery = 2;

postgres::connection_settings settings_for(const config& settings, dsn address) {
  std::string name = address.node_name();
  return {.address = std::move(address),
          .node = std::move(name),
          .application_name = settings.application_name,
          .connect_timeout = settings.connect_timeout,
          .statement_timeout = settings.operation_timeout - postgres::timeout_slack(settings.operation_timeout),
          .idle_in_transaction_timeout = settings.idle_in_transaction_session_timeout,
          .statement_cache_size = settings.statement_cache.enabled ? settings.statement_cache.size : 0,
          .tcp = settings.tcp};
}

}  // namespace

bool is_nodes_fault(const error& failure) noexcept {
  switch (failure.code()) {
    case errc::connection_failed:
    case errc::authentication_failed:
    case errc::protocol_error: return true;
    default: return false;
  }
}

result<std::unique_ptr<router>> router::open(const config& settings) {
  std::vector<dsn> addresses;
  for (const std::string& text : settings.nodes) {
    BOOST_OUTCOME_TRY(const auto given, dsn::parse(text));
    // Several hosts in one string are several nodes; which of them takes writes is for us to find out, so libpq must
    // not turn any away.
    BOOST_OUTCOME_TRY(const auto any_role, given.with("target_session_attrs", "any"));
    for (dsn& address : any_role.split_hosts()) addresses.push_back(std::move(address));
  }
  std::unique_ptr<router> opened;
  try {
    opened.reset(new router(settings, std::move(addresses)));
  } catch (const std::system_error&) {
    return error(errc::resource_exhausted, "the operating system starts no more threads");
  }
  BOOST_OUTCOME_TRY(opened->connect_all(deadline::after(settings.connect_timeout)));
  return opened;
}

router::router(const config& settings, std::vector<dsn> addresses)
    : watcher_(settings.observer), background_(background_threads_per_node * addresses.size()) {
  for (dsn& address : addresses) {
    auto of_node = settings_for(settings, std::move(address));
    nodes_.push_back(std::make_unique<node>(settings.pool,
                                            std::make_shared<const postgres::connection_settings>(std::move(of_node)),
                                            background_, watcher_.get()));
  }
  caretaker_ = std::jthread([this](const std::stop_token& stop) { look_after_pools(stop); });
}

router::~router() {
  close(deadline::after(std::chrono::seconds(0)));
  caretaker_.request_stop();
  caretaker_.join();
  background_.stop();  // its tasks use the pools
}

result<void> router::connect_all(deadline until) {
  for (const auto& each : nodes_) each->connections().open_first();
  std::optional<error> first_failure;
  bool any = false;
  for (const auto& each : nodes_) {
    const auto borrowed = each->connections().acquire(until, nullptr, source_location::current());
    any = any || borrowed.has_value();
    if (!borrowed && !first_failure) first_failure = borrowed.error();
  }
  if (!any && first_failure) return std::move(*first_failure);
  return success();
}

template <class Answer, class Send>
routed_answer<Answer> router::route(const request& wanted, bool replica_allowed, const Send& send) {
  unsigned attempts = 0;
  if (wanted.what.is_read() && replica_allowed) {
    auto read = read_from_replicas<Answer>(send);
    if (read && (read->answer || !is_nodes_fault(read->answer.error()))) return std::move(*read);
    if (read) attempts = read->attempts;
  }
  auto primary = find_primary(wanted);
  if (!primary) return {.answer = std::move(primary).error(), .attempts = attempts};
  node* const chosen = primary.assume_value();
  return {.answer = send(chosen->statements()), .from = chosen, .attempts = attempts + 1};
}

template <class Answer, class Send>
std::optional<routed_answer<Answer>> router::read_from_replicas(const Send& send) {
  std::optional<routed_answer<Answer>> last;
  const std::size_t first = next_replica_.fetch_add(1, std::memory_order_relaxed);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    node& candidate = *nodes_[(first + i) % nodes_.size()];
    if (candidate.role() != node_role::replica) continue;
    const unsigned attempts = last ? last->attempts + 1 : 1;
    last = routed_answer<Answer>{.answer = send(candidate.statements()), .from = &candidate, .attempts = attempts};
    if (last->answer || !is_nodes_fault(last->answer.error())) break;
  }
  return last;
}

routed router::run(const request& wanted, bool replica_allowed) {
  return route<rows>(wanted, replica_allowed, [&](channel& on) { return on.run(wanted); });
}

routed_batch router::run_batch(const request& wanted, std::span<const batched_statement> statements,
                               bool replica_allowed) {
  return route<std::vector<rows>>(wanted, replica_allowed,
                                  [&](channel& on) { return on.run_batch(wanted, statements); });
}

result<visited> router::visit(const request& wanted, bool replica_allowed, const std::function<bool(node&)>& attempt) {
  visited seen;
  if (wanted.what.is_read() && replica_allowed) {
    const std::size_t first = next_replica_.fetch_add(1, std::memory_order_relaxed);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      node& candidate = *nodes_[(first + i) % nodes_.size()];
      if (candidate.role() != node_role::replica) continue;
      seen = {.last = &candidate, .attempts = seen.attempts + 1};
      if (attempt(candidate)) return seen;
    }
  }
  auto primary = find_primary(wanted);
  if (!primary) return std::move(primary).error().with_attempts(seen.attempts);
  seen = {.last = primary.assume_value(), .attempts = seen.attempts + 1};
  (void)attempt(*seen.last);
  return seen;
}

result<postgres::lease> router::borrow_primary(const request& wanted) {
  BOOST_OUTCOME_TRY(node* const primary, find_primary(wanted));
  return postgres::borrow_live(primary->connections(), wanted);
}

result<node*> router::find_primary(const request& wanted) {
  if (auto known = known_primary()) return known;
  ask_for_roles(wanted);
  return known_primary();
}

result<node*> router::known_primary() {
  node* found = nullptr;
  for (const auto& each : nodes_) {
    if (each->role() != node_role::primary) continue;
    if (found != nullptr) {
      return error(errc::no_primary, found->name() + " and " + each->name() +
                                         " both say that they are the primary; writes are refused until one of "
                                         "them steps back");
    }
    found = each.get();
  }
  if (found != nullptr) return found;
  return no_primary_known();
}

error router::no_primary_known() const {
  std::string seen;
  std::optional<error> only;
  for (const auto& each : nodes_) {
    const auto failure = each->connections().last_connect_failure();
    seen.append(seen.empty() ? "" : "; ").append(each->name()).append(" ").append(to_string(each->role()));
    if (each->role() == node_role::unknown && failure) {
      seen.append(": ").append(failure->message());
      only = failure;
    }
  }
  // Of a single node its own reason says more.
  if (nodes_.size() == 1 && only) return std::move(*only).with_node(nodes_.front()->name());
  return error(errc::no_primary, "no node is known to accept writes (" + seen + ")");
}

void router::ask_for_roles(const request& wanted) {
  auto left = static_cast<deadline::clock::rep>(nodes_.size());
  for (const auto& each : nodes_) each->connections().open_first();
  for (const auto& each : nodes_) {
    // A server says that its role has changed with its next answer; the pool acts on it when the connection comes back.
    // Each has its share of the time, so that one that hangs does not hide the others.
    const auto now = deadline::clock::now();
    const auto patience = wanted.until.remaining(now) / (share_of_deadline_for_discovery * left--);
    const deadline until = wanted.until.is_never() ? wanted.until : deadline::after(patience, now);
    auto borrowed = each->connections().acquire(until, wanted.cancel, wanted.where);
    if (borrowed) (void)borrowed.assume_value()->ping(until);
  }
}

bool router::close(deadline until) {
  bool drained = true;
  for (const auto& each : nodes_) drained = each->connections().close(until) && drained;
  return drained;
}

void router::look_after_pools(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    wake_.wait_for(lock, stop, caretaker_interval, [] { return false; });
    if (stop.stop_requested()) return;
    for (const auto& each : nodes_) each->connections().maintain(deadline::clock::now());
  }
}

}  // namespace breakwater::routing
