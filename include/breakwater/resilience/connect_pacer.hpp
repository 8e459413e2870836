#pragma once

#include <breakwater/core/deadline.hpp>

#include <array>
#include <chrono>
#include <cstddef>

namespace breakwater::resilience {

/// When one more connection to a node may be opened, so that a node that comes back is not trampled.
///
///     while (pacer.may_start(now, on_their_way)) { pacer.started(now); ++on_their_way; connect(); }
///     pacer.succeeded(now);   // or failed(now, random_unit()); and lost(now) when an open one broke
///
///     state   | event                                        | then
///     any     | a connect succeeded                          | twice as many at a time: 1, 2, 4
///     any     | a connect failed                             | one at a time, after U(0, min(1 s, 100 ms * 2^failures))
///             |                                              | but at least 100 ms; trouble
///     any     | the server was found alive by another        | no pause: as after a success; in trouble as before
///     any     | an open connection broke                     | trouble
///     trouble | ten connects were started within this second | the next one waits until it is over
///     trouble | `calm` passed without a failure or a break   | no trouble: connects as fast as the ramp allows
///
/// In trouble no span of one second sees more than ten connects started, whether they fail or succeed and break
/// again. Times may come a little out of order, as they do when several threads read the clock before they take a lock;
/// a clock that goes back by more than `pause_cap` takes the waits back with it.
///
/// Pure: time and chance come in as arguments. Not thread-safe: its owner's lock guards it.
class connect_pacer {
 public:
  using time_point = deadline::clock::time_point;

  /// Doubling up to here fills an empty pool quickly without greeting a server that just came back with a crowd.
  static constexpr std::size_t most_parallel = 4;
  /// After a failure at least this long: a server that refuses needs no crowd to refuse.
  static constexpr std::chrono::milliseconds pause_min{100};
  /// Any longer, and the service notices a server that is back later than its users do.
  static constexpr std::chrono::milliseconds pause_cap{1000};
  /// What one client may cost a server that has trouble: a forked process and a password check, ten times a second.
  static constexpr std::size_t most_per_second = 10;
  /// A server that keeps its connections for so long is taken for well.
  static constexpr std::chrono::seconds calm{10};

  /// Whether one more may be started now, with `on_their_way` started and not yet settled.
  [[nodiscard]] bool may_start(time_point now, std::size_t on_their_way) noexcept;
  /// The earliest time at which `may_start` lets another one pass, were none on its way; `now` or earlier if at once.
  [[nodiscard]] time_point next_start(time_point now) const noexcept;

  void started(time_point now) noexcept;
  void succeeded(time_point now) noexcept;
  /// `unit` is a random number in [0, 1).
  void failed(time_point now, double unit) noexcept;
  /// Somebody else has just connected.
  void found_alive(time_point now) noexcept;
  /// An open connection was lost: not closed by us, and not by an operator for its own sake.
  void lost(time_point now) noexcept;

  /// Failed connects since the last that succeeded.
  [[nodiscard]] unsigned failures() const noexcept { return failures_; }
  [[nodiscard]] bool is_in_trouble(time_point now) const noexcept { return now < trouble_until_; }
  /// How many connects may be on their way at a time.
  [[nodiscard]] std::size_t parallel() const noexcept { return parallel_; }

 private:
  void see(time_point now) noexcept;

  std::size_t parallel_ = 1;
  unsigned failures_ = 0;
  time_point next_ = time_point::min();  // the end of the pause after a failure
  time_point trouble_until_ = time_point::min();
  time_point latest_ = time_point::min();                                   // of all times seen
  std::array<time_point, most_per_second> starts_ = filled_with_nothing();  // the last ones, as a ring
  std::size_t oldest_ = 0;

  static constexpr std::array<time_point, most_per_second> filled_with_nothing() noexcept {
    std::array<time_point, most_per_second> none{};
    none.fill(time_point::min());
    return none;
  }
};

}  // namespace breakwater::resilience
