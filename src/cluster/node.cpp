#include "cluster/node.hpp"

#include "postgres/decide.hpp"

#include <algorithm>

namespace breakwater::routing {
namespace {

/// What a failed call tells of its node.
enum class finding : std::uint8_t { well, ill, answered, nothing };

/// Part of the limit that calls of each priority may fill: what is left is for more important ones.
constexpr std::array<double, priority_count> share_of_limit{1.0, 0.9, 0.75};

finding look_at(const error& failure, node& through, std::chrono::nanoseconds waited) {
  if (postgres::is_infrastructure_failure(failure, waited, through.silence())) return finding::ill;
  if (!failure.sqlstate().empty()) return finding::answered;
  // It waited for a connection, and there is none at all: nobody is using them, they can not be made.
  const bool waited_in_vain = failure.code() == errc::deadline_exceeded && failure.attempts() == 0;
  if (waited_in_vain && waited >= through.silence() && through.connections().counts().open == 0) return finding::ill;
  return finding::nothing;
}

}  // namespace

void node_call::settle(const error* failure, time_point now) noexcept { settle(failure, now, true); }

void node_call::settle_untimed(const error* failure, time_point now) noexcept { settle(failure, now, false); }

void node_call::settle(const error* failure, time_point now, bool timed) noexcept {
  using resilience::call_outcome;
  if (through_ == nullptr) return;
  const finding found = failure == nullptr ? finding::well : look_at(*failure, *through_, now - started_);
  switch (found) {
    case finding::well: permit_.succeeded(timed ? now : started_); break;
    case finding::ill:
      permit_.failed(now);
      through_->report_failed_call();
      break;
    case finding::answered: permit_.ignored(now); break;
    case finding::nothing: permit_.abandoned(); break;
  }
  const bool late = failure != nullptr && failure->code() == errc::deadline_exceeded;
  const bool refused = failure != nullptr && failure->code() == errc::overloaded;
  // An untimed call that came too late may have spent its time in its caller's own code.
  const bool too_much = late ? timed : refused || found == finding::ill;
  place_.release(now - started_, too_much                             ? call_outcome::dropped
                                 : timed && found != finding::nothing ? call_outcome::success
                                                                      : call_outcome::ignored);
  through_ = nullptr;
}

node::node(const config& settings, std::shared_ptr<const postgres::connection_settings> address,
           task_runner& background, node_listener& listener)
    : watcher_(settings.observer.get()),
      listener_(listener),
      silence_(settings.breaker.silence),
      limits_(settings.limiter.algorithm != limit_algorithm::none),
      connections_(settings.pool, std::move(address), background, watcher_,
                   {.opened =
                        [this](deadline::clock::time_point now) {
                          for (const auto& breaker : breakers_) breaker->hint_recovered(now);
                        },
                    .role_learnt = [this](node_role now) { listener_.role_learnt(*this, now); }}),
      leases_(connections_),
      limiter_(settings.limiter),
      breakers_{make_breaker(settings.breaker, circuit_class::read),
                make_breaker(settings.breaker, circuit_class::write)} {}

std::unique_ptr<resilience::circuit_breaker> node::make_breaker(const circuit_breaker_options& options,
                                                                circuit_class of) {
  resilience::circuit_breaker::change_callback tell;
  if (watcher_ != nullptr) {
    tell = [this, of](circuit_state before, circuit_state now, bool forced) {
      watcher_->on_circuit_change({.node = name(), .of = of, .before = before, .now = now, .forced = forced});
    };
  }
  return std::make_unique<resilience::circuit_breaker>(options, resilience::circuit_breaker::unit_source{},
                                                       std::move(tell));
}

void node::maintain(deadline::clock::time_point now) {
  connections_.maintain(now);
  // Who is kept from a node, by its breaker or because its role is not known, can not find out that it is back.
  const auto is_open = [](const auto& breaker) {
    return breaker->state() == circuit_state::open && !breaker->is_forced();
  };
  if (role() == node_role::unknown || std::ranges::any_of(breakers_, is_open)) connections_.look_for_life();
}

void node::found_alive(deadline::clock::time_point now) {
  connections_.found_alive(now);
  for (const auto& breaker : breakers_) breaker->found_well();
}

void node::turn_away() {
  connections_.turn_away(error(errc::connection_failed, "the node is not the primary any more, or can not be reached"));
}

result<node_call> node::admit(circuit_class of, priority importance, deadline::clock::time_point now) {
  // The limiter first: a probe of the breaker that is then refused would have to be given back.
  resilience::adaptive_limiter::permit place;
  if (limits_) {  // all threads share its counters: one that is off is not asked
    if (has_room_for(importance)) place = limiter_.try_acquire();
    if (!place) return overload(importance);
  }
  auto permit = breaker(of).try_acquire(now);
  if (permit) return node_call(*this, std::move(place), std::move(permit), now);
  if (watcher_ != nullptr) watcher_->on_circuit_rejected({.node = name(), .of = of});
  return refusal(of, now);
}

bool node::has_room_for(priority importance) const noexcept {
  const auto limit = static_cast<double>(limiter_.limit());
  return importance == priority::critical ||
         static_cast<double>(limiter_.in_flight()) < limit * share_of_limit[static_cast<std::size_t>(importance)];
}

error node::overload(priority importance) {
  if (watcher_ != nullptr) {
    watcher_->on_shed({.node = name(), .priority = importance, .reason = shed_reason::limiter});
  }
  return error(errc::overloaded, "as many calls are in flight as the node bears (limiter.algorithm, now " +
                                     std::to_string(limiter_.limit()) + "); what is more important goes first")
      .with_node(name());
}

error node::refusal(circuit_class of, deadline::clock::time_point now) {
  const resilience::circuit_snapshot seen = breaker(of).snapshot(now);
  std::string text = "the circuit breaker for " + std::string(to_string(of)) + "s of this node is open";
  if (seen.forced) {
    text += ", by an operator, until it is reset";
  } else if (seen.next_probe > now) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(seen.next_probe - now);
    text += ": too many of its last calls failed; it is tried again in " + std::to_string(left.count()) + " ms";
  } else {
    text += ": too many of its last calls failed; one call is finding out whether it is back";
  }
  return error(errc::circuit_open, std::move(text)).with_node(name());
}

}  // namespace breakwater::routing
