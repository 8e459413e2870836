#pragma once

#include <breakwater/core/deadline.hpp>
#include <breakwater/core/observer.hpp>
#include <breakwater/core/resilience_options.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/resilience/latency_quantile.hpp>
#include <breakwater/resilience/timing.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace breakwater::resilience {

/// How one hedged call waits, and where it says what came of it.
struct hedge_call {
  /// Bounds the wait for the second copy after the first one has failed; the copies keep to it by themselves.
  deadline until{};
  std::stop_token cancel{};
  /// Where not null: what came of the second copy, where one was due.
  std::optional<hedge_result>* outcome = nullptr;
};

/// How many extra copies there may be: never more than that part of all calls. What is not used is kept for a burst of
/// the calls that a hundred copies stand for.
///
/// Thread-safe, lock-free.
class hedge_budget {
 public:
  explicit hedge_budget(double max_extra) noexcept;
  /// A call is made.
  void deposit() noexcept;
  /// Leave for an extra copy.
  [[nodiscard]] bool try_withdraw() noexcept;

 private:
  const std::int64_t part_;
  std::atomic<std::int64_t> tokens_{0};
};

class hedge_timer;

namespace detail {

/// What the hedger and its calls share, also with those copies that outlive it.
struct hedge_core {
  hedge_core(const hedge_options& options, std::function<void(std::function<void()>)> run_on)
      : settings(options), executor(std::move(run_on)), latencies(options.quantile), budget(options.max_extra) {}
  const hedge_options settings;
  const std::function<void(std::function<void()>)> executor;
  latency_quantile latencies;
  hedge_budget budget;
};

/// One call in two copies, free of types.
///
///     second   | event                     | then
///     none     | the first copy ends       | its answer is the call's
///     none     | due                       | running, on the executor; without budget: refused
///     running  | the first copy succeeds   | the second is told to stop; the first's answer is the call's
///     running  | the first copy fails      | the caller waits for the second
///     running  | the second copy succeeds  | succeeded; the first is told to stop
///     running  | the second copy fails     | failed: the first's answer, whatever it is, is the call's
class hedged_call : public std::enable_shared_from_this<hedged_call> {
 public:
  explicit hedged_call(std::shared_ptr<hedge_core> core) noexcept : core_(std::move(core)) {}
  hedged_call(const hedged_call&) = delete;
  hedged_call& operator=(const hedged_call&) = delete;
  virtual ~hedged_call() = default;

  /// It takes too long: starts the second copy, unless the first has ended.
  void due() noexcept;

 protected:
  /// Runs the second copy and keeps its answer; says whether it is a good one.
  [[nodiscard]] virtual bool run_second(std::stop_token stop) = 0;

  [[nodiscard]] std::stop_token token_of(std::size_t copy) const noexcept { return stops_.at(copy).get_token(); }
  void stop_all() noexcept;
  /// The first copy has ended. Says whether the second's answer is the call's; waits for that where it may be.
  [[nodiscard]] bool second_wins(bool first_succeeded, const hedge_call& how);

 private:
  enum class state : std::uint8_t { none, refused, running, succeeded, failed };
  class second_copy;

  void second_ended(bool succeeded) noexcept;

  const std::shared_ptr<hedge_core> core_;
  std::array<std::stop_source, 2> stops_{};
  std::mutex mutex_;
  std::condition_variable_any ended_;
  state second_ = state::none;
  bool first_ended_ = false;
};

}  // namespace detail

/// What calls `due()` of a hedged call later: a thread of the hedger's own, or a test.
class hedge_timer {
 public:
  hedge_timer() = default;
  hedge_timer(const hedge_timer&) = delete;
  hedge_timer& operator=(const hedge_timer&) = delete;
  virtual ~hedge_timer() = default;
  /// Calls `what->due()` at or after `when`, on any thread, unless the call is gone by then. There is no way to call it
  /// off: `due` of a call that has ended does nothing.
  virtual void at(deadline::clock::time_point when, std::weak_ptr<detail::hedged_call> what) = 0;
};

/// A thread, started by the first call, which sleeps while nothing is due. A call that ends on it may own the timer.
[[nodiscard]] std::shared_ptr<hedge_timer> make_hedge_timer();

/// Sends a second copy of calls that take long, and takes the first good answer ("hedged requests": J. Dean and L. A.
/// Barroso, "The Tail at Scale", CACM 56(2), 2013).
///
///     hedger reads({.enabled = true}, [&](std::function<void()> task) { threads.post(std::move(task)); });
///     auto answer = reads.run([=](std::size_t copy, std::stop_token stop) { return ask(replicas[copy], key, stop); });
///
/// The first copy runs on the caller's own thread. If it has not ended after the configured quantile of recent
/// latencies, a second one starts on the executor. The first value wins, and the other copy is told to stop through its
/// token; only for calls that may run twice. If the first copy fails before the second has begun, that is the answer:
/// this is not a retry. If both fail, the first copy's error is.
///
/// The caller returns when there is a winner, except that the first copy, running on its thread, has to obey its token.
/// A losing second copy may still run then: what it uses must be owned by the callable, which is copied or moved into a
/// state that both share and must be fit for being called twice at a time.
///
/// Thread-safe. A call that is answered in time costs one allocation, a timer's entry and some atomics, and no change of
/// threads; less than a millisecond is not waited for before the second copy. With `enabled = false` it costs nothing
/// and there is no thread.
class hedger {
 public:
  /// A second copy that starts earlier would cost more than it could save.
  static constexpr std::chrono::milliseconds least_delay{1};

  /// `executor` runs what it is given, soon and on another thread; dropping it counts as the copy's failure. `timer`:
  /// null for a thread of its own. `clock` outlives the hedger.
  hedger(const hedge_options& options, std::function<void(std::function<void()>)> executor,
         std::shared_ptr<hedge_timer> timer = nullptr, const timing& clock = system_timing());

  /// `call(copy, stop)` returns a `result<T>`; `copy` is 0 and perhaps 1. An exception of the first copy passes through;
  /// one of the second is a failure.
  template <class Call>
  [[nodiscard]] std::invoke_result_t<const Call&, std::size_t, std::stop_token> run(Call call,
                                                                                    const hedge_call& how = {});

  /// After how long a second copy is sent now; zero: not yet known, none is.
  [[nodiscard]] std::chrono::nanoseconds delay() const noexcept;

 private:
  const std::shared_ptr<detail::hedge_core> core_;
  const std::shared_ptr<hedge_timer> timer_;
  const timing& clock_;
};

namespace detail {

template <class Call>
class hedged final : public hedged_call {
 public:
  using answer = std::invoke_result_t<const Call&, std::size_t, std::stop_token>;

  hedged(std::shared_ptr<hedge_core> core, Call call) : hedged_call(std::move(core)), call_(std::move(call)) {}

  [[nodiscard]] answer run_first(const hedge_call& how) {
    const std::stop_callback pass_on(how.cancel, [this] { stop_all(); });
    stop_on_exit guard{*this};
    answer first = call_(std::size_t{0}, token_of(0));
    guard.of = nullptr;
    if (second_wins(first.has_value(), how)) return std::move(*second_);
    return first;
  }

 private:
  struct stop_on_exit {  // by an exception
    explicit stop_on_exit(hedged& call) noexcept : of(&call) {}
    stop_on_exit(const stop_on_exit&) = delete;
    stop_on_exit& operator=(const stop_on_exit&) = delete;
    ~stop_on_exit() {
      if (of != nullptr) of->give_up();
    }
    hedged* of;
  };

  void give_up() noexcept { (void)second_wins(true, {}); }
  bool run_second(std::stop_token stop) override {
    second_.emplace(call_(std::size_t{1}, std::move(stop)));
    return second_->has_value();
  }

  const Call call_;
  std::optional<answer> second_;
};

}  // namespace detail

template <class Call>
std::invoke_result_t<const Call&, std::size_t, std::stop_token> hedger::run(Call call, const hedge_call& how) {
  if (!core_->settings.enabled) return std::as_const(call)(std::size_t{0}, how.cancel);
  const auto started = clock_.now();
  core_->budget.deposit();
  const auto answer_of = [&] {
    const auto wait = delay();
    if (wait == std::chrono::nanoseconds::zero()) return std::as_const(call)(std::size_t{0}, how.cancel);
    const auto both = std::make_shared<detail::hedged<Call>>(core_, std::move(call));
    timer_->at(started + wait, both);
    return both->run_first(how);
  };
  auto answer = answer_of();
  if (answer.has_value()) core_->latencies.record(clock_.now() - started);
  return answer;
}

}  // namespace breakwater::resilience
