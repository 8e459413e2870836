// P7: what protects a call costs when all is well. A session's call from its deadline to the observer's event, with
// everything that is between, apart from the statement: in its place stands a function that succeeds at once.

#include "benchmarks/harness.hpp"
#include "benchmarks/server.hpp"
#include "repository/operation_report.hpp"
#include "repository/session_state.hpp"
#include <breakwater/resilience/adaptive_limiter.hpp>
#include <breakwater/resilience/circuit_breaker.hpp>
#include <breakwater/resilience/policy.hpp>
#include <breakwater/resilience/retry_budget.hpp>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace breakwater::benchmarks {
namespace {

constexpr unsigned several = 4;
constexpr double at_most_alone = 150;
constexpr double at_most_of_several = 300;

/// Stands for metrics: a count and a sum, of few threads each.
class counting_observer final : public observer {
 public:
  void on_operation(const operation_event& event) noexcept override {
    shard& own = shards_[own_shard()];
    own.operations.fetch_add(1, std::memory_order_relaxed);
    own.duration.fetch_add(event.duration.count(), std::memory_order_relaxed);
  }

 private:
  struct alignas(64) shard {
    std::atomic<std::uint64_t> operations{0};
    std::atomic<std::chrono::nanoseconds::rep> duration{0};
  };
  static std::size_t own_shard() noexcept {
    static std::atomic<std::size_t> next{0};
    thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed);
    return mine % several;
  }
  std::array<shard, several> shards_;
};

/// A call that nothing protects. Not inlined, as no statement would be.
[[gnu::noinline]] const error* nothing() noexcept {
  asm volatile("");
  return nullptr;
}

constexpr std::string_view sql = "select 1";
constexpr statement read_statement{.sql = sql,
                                   .name = "things.get",
                                   .operation = "SELECT",
                                   .table = "things",
                                   .print = fingerprint(sql),
                                   .kind = statement_class::read,
                                   .mapped = true};

/// As `session_state::execute` and `router::run`, without the statement.
void call(detail::session_state& session, const parameters& values) {
  const statement& what = read_statement;
  const auto began = deadline::clock::now();
  const detail::operation_report report(session.watcher(), what, session.options().correlation_id, began);
  const auto work = [](routing::node& /*on*/, routing::node_call& /*call*/, const request& /*there*/) {
    return nothing();
  };
  const routing::visited seen = session.nodes().visit(
      {.what = what, .values = values, .until = session.operation_deadline(began), .began = began}, true, work);
  report.finish(seen.refusal ? &*seen.refusal : nullptr, 1, seen.last->name(), seen.last->role(), seen.attempts,
                seen.ended);
}

std::string on_threads(std::string text, unsigned threads) {
  return std::move(text) + ", " + std::to_string(threads) + (threads == 1 ? " thread" : " threads");
}

/// One of our calls beside an empty one.
template <class Call>
void compare_with_nothing(runner& with, const std::string& name, unsigned threads, const Call& ours,
                          std::optional<goal> target = std::nullopt) {
  with.compare({.id = "P7",
                .name = on_threads(name, threads),
                .ours = nanoseconds_per_call(threads, ours),
                .reference_name = "an empty call",
                .reference = nanoseconds_per_call(threads, [](unsigned /*thread*/) { keep(nothing()); }),
                .target = target});
}

void measure_whole(runner& with) {
  config settings = settings_for_server();
  settings.observer = std::make_shared<counting_observer>();
  const auto database = std::make_shared<detail::database_state>(settings, open_router(settings, 1));
  std::vector<std::shared_ptr<detail::session_state>> sessions;
  for (unsigned i = 0; i < several; ++i) {
    sessions.push_back(
        std::make_shared<detail::session_state>(database, session_options{}, source_location::current()));
  }
  const parameters none;
  const auto whole = [&](unsigned thread) { call(*sessions[thread], none); };
  compare_with_nothing(with, "policies around a statement", 1, whole, absolute(at_most_alone));
  compare_with_nothing(with, "policies around a statement", several, whole, absolute(at_most_of_several));
}

void measure_parts(runner& with) {
  for (const unsigned threads : {1U, several}) {
    compare_with_nothing(with, "  reading the clock once", threads,
                         [](unsigned /*thread*/) { keep(deadline::clock::now()); });

    const auto now = deadline::clock::now();
    resilience::circuit_breaker breaker(circuit_breaker_options{});
    compare_with_nothing(with, "  circuit breaker: acquire, success", threads, [&breaker, now](unsigned /*thread*/) {
      auto permit = breaker.try_acquire(now);
      keep(permit);
      permit.succeeded(now);
    });

    resilience::retry_budget budget(retry_budget_options{});
    compare_with_nothing(with, "  retry budget: deposit", threads,
                         [&budget, now](unsigned /*thread*/) { budget.deposit(now); });

    const auto admit = [](resilience::adaptive_limiter& limiter) {
      return [&limiter](unsigned /*thread*/) {
        auto place = limiter.try_acquire();
        keep(place);
        place.release(std::chrono::microseconds(50), resilience::call_outcome::success);
      };
    };
    resilience::adaptive_limiter off(limiter_options{});
    compare_with_nothing(with, "  limiter, off: acquire, release", threads, admit(off));
    resilience::adaptive_limiter on({.algorithm = limit_algorithm::gradient2});
    compare_with_nothing(with, "  limiter, gradient2: acquire, release", threads, admit(on));

    const resilience::policy guarded(resilience::with_timeout(std::chrono::seconds(1)),
                                     resilience::with_retry(retry_options{}, &budget),
                                     resilience::with_breaker(breaker, "things"));
    compare_with_nothing(with, "  policy(timeout, retry, breaker) around a call", threads,
                         [&guarded](unsigned /*thread*/) {
                           keep(guarded([]() -> result<void> {
                                  keep(nothing());
                                  return success();
                                }).has_value());
                         });
  }
}

void measure(runner& with) {
  measure_whole(with);
  measure_parts(with);
}

const suite registered("P7", &measure);

}  // namespace
}  // namespace breakwater::benchmarks
