#pragma once

#include "sim/events.hpp"
#include <breakwater/core/error.hpp>
#include <breakwater/core/resilience_options.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace breakwater::sim {

class database;

/// What must hold in every run.
enum class invariant : std::uint8_t {
  no_lost_write,          ///< told "applied", and it is not there
  no_doubled_write,       ///< not declared idempotent, and there twice
  no_false_denial,        ///< told "not applied", and it is there
  guard_resolves,         ///< guarded, told "unknown" although there was time and a primary
  retries_within_budget,  ///< a retry beyond what the budget allows
  connects_paced,         ///< more than ten connects within a second to a node in trouble
  throughput_returns,     ///< less than nine tenths of before, five seconds after all is well again
  ends_at_deadline,       ///< a caller was answered later than 10 ms past its deadline
  breaker_closes          ///< a breaker that lets no call pass, long after all is well again
};
constexpr std::size_t invariant_count = 9;

[[nodiscard]] std::string_view to_string(invariant value) noexcept;

/// What kinds of writes there are, and what a write's caller has declared.
enum class write_form : std::uint8_t { read, plain, idempotent, transaction, guarded };
constexpr std::size_t write_form_count = 5;

struct operation_record {
  instant until = 0;
  instant ended_at = 0;
  instant doubt_since = 0;  ///< when the answer to its COMMIT was lost for the last time; 0: never
  std::uint32_t process = 0;
  write_form form{};
  applied told = applied::no;
  bool succeeded = false;
  bool ended = false;
};

struct violation {
  invariant what{};
  instant at = 0;
  std::uint32_t who = 0;
};

/// What clients were told, what they did to the servers, and what of it must not be.
class history {
 public:
  history(std::size_t processes, std::size_t nodes, retry_budget_options budget);

  [[nodiscard]] std::uint32_t begin(std::size_t process, write_form form, instant until);
  [[nodiscard]] operation_record& at(std::uint32_t operation) noexcept { return operations_[operation]; }
  void end(std::uint32_t operation, instant now, bool succeeded, applied told);

  void first_attempt(std::size_t process, instant now);
  void retried(std::size_t process, instant now);
  void connect_began(std::size_t process, std::size_t node, instant now);
  /// A connect failed, or an open connection broke.
  void trouble(std::size_t process, std::size_t node, instant now);
  void break_rule(invariant what, instant at, std::uint32_t who) { violations_.push_back({what, at, who}); }
  /// From when on everything was in order, up to the end.
  void healthy_from(instant since) noexcept { healthy_since_ = since; }

  /// Compares what was told with what is true, when nothing is under way any more.
  void check_against(const database& truth);
  /// Operations of a process that succeeded and ended within [from, to).
  [[nodiscard]] std::size_t successes_between(instant from, instant to, std::size_t process) const;

  [[nodiscard]] const std::vector<violation>& violations() const noexcept { return violations_; }
  [[nodiscard]] const std::vector<operation_record>& operations() const noexcept { return operations_; }
  [[nodiscard]] std::uint64_t retries() const noexcept { return retries_; }
  [[nodiscard]] std::uint64_t connects() const noexcept { return connects_; }

 private:
  struct attempts_of {
    std::deque<instant> first;
    std::deque<instant> again;
  };
  struct connects_of {
    instant trouble_since = 0;
    instant trouble_until = 0;
    std::deque<instant> recent;
  };

  const std::size_t nodes_;
  const retry_budget_options budget_;
  std::vector<operation_record> operations_;
  std::vector<attempts_of> attempts_;
  std::vector<connects_of> connects_to_;
  std::vector<violation> violations_;
  instant healthy_since_ = 0;
  std::uint64_t retries_ = 0;
  std::uint64_t connects_ = 0;
};

}  // namespace breakwater::sim
