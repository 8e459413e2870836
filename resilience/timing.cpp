#include <breakwater/core/random.hpp>
#include <breakwater/resilience/timing.hpp>

#include <condition_variable>
#include <mutex>

namespace breakwater::resilience {
namespace {

class real_timing final : public timing {
 public:
  time_point now() const noexcept override { return deadline::clock::now(); }
  double unit() const noexcept override { return random_unit(); }
  bool wait_until(time_point until, const std::stop_token* cancel) const override {
    std::mutex mutex;
    std::condition_variable_any wake;
    // Nobody else locks it: it is what a condition variable wants to have.
    // cppcheck-suppress localMutex
    std::unique_lock<std::mutex> lock(mutex);
    const std::stop_token token = cancel == nullptr ? std::stop_token{} : *cancel;
    wake.wait_until(lock, token, until, [] { return false; });
    return !token.stop_requested();
  }
};

}  // namespace

const timing& system_timing() noexcept {
  static const real_timing real;
  return real;
}

}  // namespace breakwater::resilience
