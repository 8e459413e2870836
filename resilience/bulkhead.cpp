#include <breakwater/resilience/bulkhead.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstdint>

namespace breakwater::resilience {
namespace {

enum class outcome : std::uint8_t { waiting, served, displaced, expired };

long long milliseconds_of(deadline::clock::duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

/// Without any place nobody would ever leave one to those who wait.
bulkhead_options usable(bulkhead_options options) {
  options.max_concurrent = std::max<std::size_t>(options.max_concurrent, 1);
  return options;
}

}  // namespace

/// A caller in the queue; lives on its stack.
struct bulkhead::waiter : admission_queue::entry {
  using entry::entry;
  void tell(outcome what) noexcept {
    became = what;
    wake.notify_one();
  }

  std::condition_variable_any wake;
  outcome became = outcome::waiting;
  clock::time_point served_at{};
};

bulkhead::bulkhead(bulkhead_options options, std::function<void(priority, shed_reason)> on_shed)
    : options_(usable(std::move(options))),
      on_shed_(std::move(on_shed)),
      queue_({.servers = options_.max_concurrent, .max_waiters = options_.max_waiters}) {}

result<bulkhead::permit> bulkhead::acquire(const bulkhead_call& how) {
  std::unique_lock lock(mutex_);
  if (in_flight_ < options_.max_concurrent) {
    ++in_flight_;
    return permit(*this, {});
  }
  return wait_for_place(lock, how);
}

result<bulkhead::permit> bulkhead::wait_for_place(std::unique_lock<std::mutex>& lock, const bulkhead_call& how) {
  waiter self(how.priority, how.until);
  const auto admitted = queue_.join(self, clock::now());
  if (admitted.displaced != nullptr) static_cast<waiter&>(*admitted.displaced).tell(outcome::displaced);
  if (admitted.refused) {
    lock.unlock();
    return refusal(how, *admitted.refused, admitted.estimated_wait);
  }

  const auto told = [&self] { return self.became != outcome::waiting; };
  if (how.until.is_never()) {
    self.wake.wait(lock, how.cancel, told);
  } else {
    self.wake.wait_until(lock, how.cancel, how.until.at(), told);
  }
  if (!told()) queue_.leave(self);
  lock.unlock();

  switch (self.became) {
    case outcome::served: return permit(*this, self.served_at);
    case outcome::displaced: return refusal(how, shed_reason::displaced, {});
    case outcome::expired:
      if (!how.until.expired(clock::now())) return refusal(how, shed_reason::too_late, {});
      break;
    case outcome::waiting:
      if (how.cancel.stop_requested()) {
        return error(errc::cancelled, "cancelled while waiting for a place in \"" + options_.name + "\"");
      }
      break;
  }
  return error(errc::deadline_exceeded, "no place in \"" + options_.name + "\" became free before the deadline");
}

error bulkhead::refusal(const bulkhead_call& how, shed_reason why, clock::duration estimated_wait) const {
  if (on_shed_) on_shed_(how.priority, why);
  const std::string where = "\"" + options_.name + "\"";
  switch (why) {
    case shed_reason::displaced:
      return error(errc::overloaded, "gave way to a more important call while waiting for a place in " + where);
    case shed_reason::too_late: {
      const std::string wait = estimated_wait > clock::duration::zero()
                                   ? " (estimated wait: " + std::to_string(milliseconds_of(estimated_wait)) + " ms)"
                                   : std::string();
      return error(errc::overloaded, "a place in " + where + " would come too late for its deadline" + wait +
                                         ": allow more time, or make fewer calls");
    }
    default: break;
  }
  return error(errc::overloaded, "too many calls wait for a place in " + where +
                                     " already (max_waiters = " + std::to_string(options_.max_waiters) + ")");
}

void bulkhead::release(clock::time_point since) noexcept {
  const std::lock_guard lock(mutex_);
  const bool was_waited_for = since != clock::time_point{};
  if (queue_.empty() && !was_waited_for) {
    --in_flight_;
    return;
  }
  const auto now = clock::now();
  if (was_waited_for) queue_.note_held(now - since, now);
  auto turn = queue_.next(now);
  while (auto* const gone = turn.expired.pop_oldest()) static_cast<waiter&>(*gone).tell(outcome::expired);
  if (turn.next == nullptr) {
    --in_flight_;
    return;
  }
  auto& chosen = static_cast<waiter&>(*turn.next);
  chosen.served_at = now;
  chosen.tell(outcome::served);
}

std::size_t bulkhead::in_flight() const {
  const std::lock_guard lock(mutex_);
  return in_flight_;
}

std::size_t bulkhead::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

}  // namespace breakwater::resilience
