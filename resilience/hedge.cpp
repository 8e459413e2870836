#include <breakwater/resilience/hedge.hpp>

#include <algorithm>

namespace breakwater::resilience {
namespace {

/// A copy's worth in the budget: fine enough for a part of a thousandth.
constexpr std::int64_t one_copy = 1'000'000;
/// As many copies may come at once after a long calm.
constexpr std::int64_t most_saved = 100 * one_copy;

}  // namespace

hedge_budget::hedge_budget(double max_extra) noexcept
    : part_(static_cast<std::int64_t>(std::clamp(max_extra, 0.0, 1.0) * static_cast<double>(one_copy))) {}

void hedge_budget::deposit() noexcept {
  // Some threads at once may exceed the bound by their own parts, which bounds nothing less.
  if (tokens_.load(std::memory_order_relaxed) < most_saved) tokens_.fetch_add(part_, std::memory_order_relaxed);
}

bool hedge_budget::try_withdraw() noexcept {
  std::int64_t left = tokens_.load(std::memory_order_relaxed);
  do {
    if (left < one_copy) return false;
  } while (!tokens_.compare_exchange_weak(left, left - one_copy, std::memory_order_relaxed));
  return true;
}

namespace detail {

/// The task of the second copy: where the executor drops it, it has failed.
class hedged_call::second_copy {
 public:
  explicit second_copy(std::shared_ptr<hedged_call> of) noexcept : of_(std::move(of)) {}
  second_copy(const second_copy&) = delete;
  second_copy& operator=(const second_copy&) = delete;
  ~second_copy() {
    if (of_ != nullptr) of_->second_ended(false);
  }
  void run() noexcept {
    const auto call = std::exchange(of_, nullptr);
    if (call == nullptr) return;
    bool succeeded = false;
    try {
      succeeded = call->run_second(call->token_of(1));
    } catch (...) {  // a failed copy, whatever its author threw: the first one's answer is the call's
      succeeded = false;
    }
    call->second_ended(succeeded);
  }

 private:
  std::shared_ptr<hedged_call> of_;
};

void hedged_call::due() noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (first_ended_ || second_ != state::none) return;
    second_ = core_->budget.try_withdraw() ? state::running : state::refused;
    if (second_ == state::refused) return;
  }
  try {
    // Owned by a shared pointer because std::function copies.
    const auto copy = std::make_shared<second_copy>(shared_from_this());
    core_->executor([copy] { copy->run(); });
  } catch (...) {  // no memory, or the executor is closed: the copy was dropped, which counts as its failure
    return;
  }
}

void hedged_call::stop_all() noexcept {
  for (std::stop_source& each : stops_) each.request_stop();
}

void hedged_call::second_ended(bool succeeded) noexcept {
  bool wins = false;
  {
    const std::lock_guard lock(mutex_);
    if (second_ != state::running) return;
    second_ = succeeded ? state::succeeded : state::failed;
    wins = succeeded && !first_ended_;
    ended_.notify_all();
  }
  if (wins) stops_[0].request_stop();
}

bool hedged_call::second_wins(bool first_succeeded, const hedge_call& how) {
  std::unique_lock lock(mutex_);
  first_ended_ = true;
  if (!first_succeeded && second_ == state::running) {
    const auto ended = [this] { return second_ != state::running; };
    if (how.until.is_never()) {
      ended_.wait(lock, how.cancel, ended);
    } else {
      ended_.wait_until(lock, how.cancel, how.until.at(), ended);
    }
  }
  const state second = second_;
  // From here on its answer is nobody's.
  if (second == state::running) second_ = state::failed;
  lock.unlock();
  if (second == state::running) stops_[1].request_stop();
  const bool wins = !first_succeeded && second == state::succeeded;
  if (how.outcome != nullptr && second != state::none) {
    *how.outcome = wins ? hedge_result::won : second == state::refused ? hedge_result::refused : hedge_result::lost;
  }
  return wins;
}

}  // namespace detail

hedger::hedger(const hedge_options& options, std::function<void(std::function<void()>)> executor,
               std::shared_ptr<hedge_timer> timer, const timing& clock)
    : core_(std::make_shared<detail::hedge_core>(options, std::move(executor))),
      timer_(timer != nullptr  ? std::move(timer)
             : options.enabled ? make_hedge_timer()
                               : nullptr),
      clock_(clock) {}

std::chrono::nanoseconds hedger::delay() const noexcept {
  const auto known = core_->latencies.value();
  return known == std::chrono::nanoseconds::zero() ? known : std::max<std::chrono::nanoseconds>(known, least_delay);
}

}  // namespace breakwater::resilience
