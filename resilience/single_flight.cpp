#include <breakwater/resilience/single_flight.hpp>

namespace breakwater::resilience::detail {

result<flight::fate> flight::await(const flight_call& how) {
  std::unique_lock lock(mutex_);
  const auto ended = [this] { return fate_ != fate::under_way; };
  if (how.until.is_never()) {
    ended_.wait(lock, how.cancel, ended);
  } else {
    ended_.wait_until(lock, how.cancel, how.until.at(), ended);
  }
  if (ended()) return fate_;
  if (how.cancel.stop_requested()) {
    return error(errc::cancelled, "cancelled while waiting for an identical call that was under way");
  }
  return error(errc::deadline_exceeded, "the deadline came while waiting for an identical call that was under way");
}

void flight::end(fate how) noexcept {
  const std::lock_guard lock(mutex_);
  fate_ = how;
  ended_.notify_all();
}

bool is_callers_own(const error& failure) noexcept {
  switch (failure.code()) {
    case errc::cancelled:
    case errc::deadline_exceeded:
    case errc::overloaded: return true;
    default: return false;
  }
}

}  // namespace breakwater::resilience::detail
