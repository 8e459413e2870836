#pragma once

#include "postgres/outcome_guard.hpp"
#include "postgres/pool.hpp"
#include "postgres/transaction_channel.hpp"
#include <breakwater/core/deadline.hpp>
#include <breakwater/core/observer.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/postgres/transaction_options.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

namespace breakwater::postgres {

/// What has to be done next to find out what became of a guarded transaction, or what was found.
enum class outcome_step : std::uint8_t { claim, end_twin, confirm, applied, not_applied, unresolved };

/// The decisions of the search, without its statements. The first attempt, whose COMMIT's answer was lost, is the twin.
///
///     step     | what is done                 | answer                                 | next step
///     claim    | BEGIN, lock_timeout, token   | inserted, token younger than an hour   | not_applied
///              |                              | inserted, token older                  | unresolved: may have been swept
///              |                              | 23505 on the token: committed locally  | confirm
///              |                              | 55P03, a twin not ended yet: in flight | end_twin
///              |                              | 55P03 else                             | claim
///              |                              | no right, no table; shutdown           | unresolved
///              |                              | connection lost or silent: a new twin  | claim, after a pause
///              |                              | anything else                          | claim, after a pause
///     end_twin | pg_terminate_backend, of all | whatever it is; if it is none, they    | what it came from
///              | twins                        | count as not ended                     |
///     confirm  | UPDATE of the token's row,   | committed, no warning                  | applied
///              | COMMIT                       | no such row any more                   | unresolved
///              |                              | no right, no table; shutdown           | unresolved
///              |                              | connection lost or silent: a new twin  | end_twin
///              |                              | anything else, a twin not ended yet    | end_twin
///              |                              | anything else                          | confirm, after a pause
///     any      |                              | no time left, or asked to stop         | unresolved
///
/// From a token that is known on, the twins of before are done with: they are committed, or can not hold it.
///
/// Never from confirm to claim: what was committed once is not run again, whatever has become of its token.
class outcome_decisions {
 public:
  explicit outcome_decisions(deadline::clock::time_point token_made_at) noexcept : made_at_(token_made_at) {}

  [[nodiscard]] outcome_step step() const noexcept { return step_; }
  /// How often in a row an answer was of no use: the pause grows with it. 0: no pause; there is none before `end_twin`.
  [[nodiscard]] unsigned setbacks() const noexcept { return step_ == outcome_step::end_twin ? 0 : setbacks_; }

  /// `failure`: null where the token was inserted. What poisons its connection leaves a twin.
  void claimed(const error* failure, deadline::clock::time_point now) noexcept;
  /// `asked`: the server was reached, and told to end them.
  void twin_ended(bool asked) noexcept {
    step_ = is_committed_ ? outcome_step::confirm : outcome_step::claim;
    twin_may_live_ = !asked;
  }
  /// Committed, with or without the row.
  void confirmed(bool row_was_there) noexcept {
    step_ = row_was_there ? outcome_step::applied : outcome_step::unresolved;
  }
  void not_confirmed(const error& failure) noexcept;
  void give_up() noexcept { step_ = outcome_step::unresolved; }

 private:
  const deadline::clock::time_point made_at_;
  outcome_step step_ = outcome_step::claim;
  unsigned setbacks_ = 0;
  bool twin_may_live_ = true;
  bool is_committed_ = false;  // the token is known
};

/// A guarded transaction whose fate is not known, and what there is to find it out with.
struct outcome_search {
  outcome_mark mark;
  transaction_options options{};  ///< of the transaction that is to carry on where nothing was applied
  deadline until{};
  const std::stop_token* cancel = nullptr;
  /// A connection to the confirmed primary; never the one in doubt.
  std::function<result<lease>(deadline until)> borrow_primary;
  std::function<deadline::clock::time_point()> now = [] { return deadline::clock::now(); };
};

/// What was found.
struct outcome_finding {
  commit_resolution what = commit_resolution::unresolved;
  /// Of `not_applied`: a transaction that holds the token, in which the closure can run again.
  std::unique_ptr<transaction_channel> carrying_on{};
  /// Of `unresolved`: what stood in the way last.
  std::optional<error> obstacle{};
};

/// Finds out, by `search.until` at the latest.
[[nodiscard]] outcome_finding find_outcome(const outcome_search& search);

}  // namespace breakwater::postgres
