#include <breakwater/resilience/backoff.hpp>
#include <breakwater/resilience/connect_pacer.hpp>

#include <algorithm>

namespace breakwater::resilience {
namespace {

constexpr backoff_options pauses{.base = connect_pacer::pause_min, .cap = connect_pacer::pause_cap};
/// Over which `most_per_second` are counted.
constexpr std::chrono::seconds span{1};

constexpr connect_pacer::time_point never = connect_pacer::time_point::min();

/// `at` + `length`, and no wait where nothing happened yet.
constexpr connect_pacer::time_point end_of(connect_pacer::time_point at, connect_pacer::time_point::duration length) {
  return at == never ? never : at + length;
}

}  // namespace

void connect_pacer::see(time_point now) noexcept {
  if (latest_ != never && now < latest_ - pause_cap) {
    const auto back = latest_ - now;
    for (time_point* each : {&next_, &trouble_until_}) {
      if (*each != never) *each -= back;
    }
    for (time_point& each : starts_) {
      if (each != never) each -= back;
    }
    latest_ = now;
  }
  latest_ = std::max(latest_, now);
}

connect_pacer::time_point connect_pacer::next_start(time_point now) const noexcept {
  if (!is_in_trouble(now)) return next_;
  return std::max(next_, end_of(starts_[oldest_], span));
}

bool connect_pacer::may_start(time_point now, std::size_t on_their_way) noexcept {
  see(now);
  return on_their_way < parallel_ && now >= next_start(now);
}

void connect_pacer::started(time_point now) noexcept {
  see(now);
  starts_[oldest_] = latest_;  // never before the one started last
  oldest_ = (oldest_ + 1) % starts_.size();
}

void connect_pacer::succeeded(time_point now) noexcept {
  see(now);
  failures_ = 0;
  parallel_ = std::min(parallel_ * 2, most_parallel);
}

void connect_pacer::failed(time_point now, double unit) noexcept {
  see(now);
  const auto pause = std::max<std::chrono::nanoseconds>(pause_min, full_jitter(pauses, failures_, unit));
  ++failures_;
  parallel_ = 1;
  next_ = std::max(next_, now + pause);
  lost(now);
}

void connect_pacer::found_alive(time_point now) noexcept {
  see(now);
  failures_ = 0;
  next_ = std::min(next_, now);
}

void connect_pacer::lost(time_point now) noexcept {
  see(now);
  trouble_until_ = std::max(trouble_until_, now + calm);
}

}  // namespace breakwater::resilience
