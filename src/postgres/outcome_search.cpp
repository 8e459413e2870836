#include "postgres/outcome_search.hpp"

#include <breakwater/core/random.hpp>
#include <breakwater/resilience/backoff.hpp>
#include <breakwater/resilience/timing.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace breakwater::postgres {
namespace {

using clock = deadline::clock;
using std::chrono::milliseconds;

/// A COMMIT that is merely slow is over by then; one that is not has its server process ended.
constexpr milliseconds claim_wait{100};
/// Of what is left, at most: so that a claim that waits leaves time for ending the twin, another claim and the rerun.
constexpr int share_for_claim_wait = 8;
/// Of what is left, for one claim on one connection: another silent link must not take it all.
constexpr int share_for_claim = 2;
/// How long pg_terminate_backend waits for all processes to be gone; a rollback takes no longer as a rule.
constexpr milliseconds termination_wait{1000};
/// What a standby needs to answer on a bad day.
constexpr milliseconds least_confirmation{500};
/// Between tries where the primary can not be reached: a failover takes seconds, and each try is one statement.
constexpr resilience::backoff_options setback_backoff{.base = milliseconds(10), .cap = milliseconds(250)};

constexpr std::string_view end_twin_sql =
    "select pg_catalog.pg_terminate_backend(a.pid, $3) from rows from (pg_catalog.unnest($1::int4[]), "
    "pg_catalog.unnest($2::timestamptz[]), pg_catalog.unnest($4::timestamptz[])) as twin (number, start, transaction), "
    "pg_catalog.pg_stat_get_activity(twin.number) a where a.backend_start = twin.start and "
    "(twin.transaction is null or a.xact_start = twin.transaction) and a.wait_event is distinct from 'SyncRep'";
constexpr statement end_twin_statement{.sql = end_twin_sql,
                                       .name = "outcome_guard.end_twin",
                                       .operation = "SELECT",
                                       .print = fingerprint(end_twin_sql),
                                       .kind = statement_class::read,
                                       .prepare = false};

constexpr std::string_view set_level_sql = "select pg_catalog.set_config('synchronous_commit', $1, true)";
constexpr statement set_level_statement{.sql = set_level_sql,
                                        .name = "outcome_guard.confirm",
                                        .operation = "SELECT",
                                        .print = fingerprint(set_level_sql),
                                        .prepare = false};
constexpr std::string_view confirm_sql = "update breakwater.outcomes set at = at where token = $1";
constexpr statement confirm_statement{.sql = confirm_sql,
                                      .name = "outcome_guard.confirm",
                                      .operation = "UPDATE",
                                      .table = "breakwater.outcomes",
                                      .print = fingerprint(confirm_sql),
                                      .prepare = false};

/// A missing right or table; or the pool is closed, because the program ends. (An operator's cancel has a SQLSTATE.)
bool will_not_pass(const error& failure) noexcept {
  return failure.is_callers_mistake() || (failure.code() == errc::cancelled && failure.sqlstate().empty());
}

/// `part` of the time left, at most `most` and at least a millisecond.
milliseconds bounded_share(deadline until, clock::time_point now, int part, milliseconds most) noexcept {
  if (until.is_never()) return most;
  const auto share = std::chrono::duration_cast<milliseconds>(until.remaining(now) / part);
  return std::clamp(share, milliseconds(1), most);
}

/// One search: carries the decisions out.
class searcher {
 public:
  explicit searcher(const outcome_search& wanted) : wanted_(wanted), decisions_(wanted.mark.token.made_at) {
    if (wanted.mark.backend.empty() || wanted.mark.backend_start.empty()) return;
    twins_.push_back({.number = wanted.mark.backend,
                      .start = wanted.mark.backend_start,
                      .transaction = wanted.mark.transaction_start});
  }

  [[nodiscard]] outcome_finding run() {
    for (;;) {
      switch (decisions_.step()) {
        case outcome_step::applied: return {.what = commit_resolution::applied};
        case outcome_step::not_applied:
          return {.what = commit_resolution::not_applied, .carrying_on = std::move(carrying_on_)};
        case outcome_step::unresolved: return {.obstacle = std::move(obstacle_)};
        default: break;
      }
      if (!may_go_on()) {
        decisions_.give_up();
        continue;
      }
      switch (decisions_.step()) {
        case outcome_step::claim: claim(); break;
        case outcome_step::end_twin: decisions_.twin_ended(end_twins()); break;
        default: confirm(); break;
      }
    }
  }

 private:
  [[nodiscard]] bool stopped() const { return wanted_.cancel != nullptr && wanted_.cancel->stop_requested(); }

  /// Pauses where the last answer was of no use. False: no time is left, or the caller is asked to stop.
  [[nodiscard]] bool may_go_on() const {
    if (stopped()) return false;
    if (const unsigned setbacks = decisions_.setbacks(); setbacks > 0) {
      const auto now = clock::now();
      const auto wished = resilience::full_jitter(setback_backoff, setbacks - 1, random_unit());
      const auto pause = std::min<clock::duration>(wished, wanted_.until.remaining(now));
      if (!resilience::system_timing().wait_until(now + pause, wanted_.cancel)) return false;
    }
    return !wanted_.until.expired(clock::now());
  }

  void claim() {
    auto held = wanted_.borrow_primary(wanted_.until);
    if (!held) return note_claim(std::move(held).error());
    auto channel =
        std::make_unique<transaction_channel>(std::move(held).assume_value(), wanted_.options, wanted_.until);
    const auto now = clock::now();
    const auto wait = bounded_share(wanted_.until, now, share_for_claim_wait, claim_wait);
    const auto patience = std::max<clock::duration>(2 * wait, wanted_.until.remaining(now) / share_for_claim);
    const auto claimed = channel->claim(wanted_.mark.token, wait,
                                        wanted_.until.earlier_of(deadline::after(patience, now)), wanted_.cancel);
    if (!claimed) {
      leave(*channel, claimed.error());
      return note_claim(claimed.error());
    }
    decisions_.claimed(nullptr, wanted_.now());
    if (decisions_.step() == outcome_step::not_applied) {
      carrying_on_ = std::move(channel);
      return;
    }
    channel->rollback();
    obstacle_ = error(errc::commit_unknown, "the transaction's token is so old that its row may have been swept");
  }

  /// It has failed: undone, where that can be; else it is a twin from now on.
  void leave(transaction_channel& channel, const error& failure) {
    if (!failure.poisons_connection()) return channel.rollback();
    if (auto process = channel.abandon()) twins_.push_back(std::move(*process));
  }

  void note_claim(error failure) {
    decisions_.claimed(&failure, wanted_.now());
    if (decisions_.step() == outcome_step::confirm) twins_.clear();
    explain_outcome_table(failure);
    obstacle_ = std::move(failure);
  }

  /// False: the server could not be asked for it, and whoever waits for a twin waits again.
  [[nodiscard]] bool end_twins() {
    if (twins_.empty()) return true;
    auto held = wanted_.borrow_primary(wanted_.until);
    if (!held) return false;
    const auto wait = bounded_share(wanted_.until, clock::now(), share_for_claim, termination_wait);
    std::string numbers = "{";
    std::string starts = "{";
    std::string transactions = "{";
    for (const server_process& twin : twins_) {
      if (numbers.size() > 1) {
        numbers += ',';
        starts += ',';
        transactions += ',';
      }
      numbers += twin.number;
      // As servers write them: nothing in them to be escaped.
      starts.append("\"").append(twin.start).append("\"");
      transactions.append(twin.transaction.empty() ? "NULL" : '"' + twin.transaction + '"');
    }
    parameters values;
    values.add_text(numbers + '}');
    values.add_text(starts + '}');
    // It waits for one after the other; those that are gone take no time.
    values.add_text(std::to_string(wait.count() / static_cast<std::int64_t>(twins_.size())), oid::int8);
    values.add_text(transactions + '}');
    const std::array commands{command{&end_twin_statement, &values}};
    return held.assume_value()
        ->run({.commands = commands, .until = share_of_time(wait), .cancel = wanted_.cancel})
        .has_value();
  }

  /// For one conversation on one connection: a part of what is left, and more than `least`, if there is so much.
  [[nodiscard]] deadline share_of_time(milliseconds least) const {
    const auto now = clock::now();
    const auto patience = std::max<clock::duration>(2 * least, wanted_.until.remaining(now) / share_for_claim);
    return wanted_.until.earlier_of(deadline::after(patience, now));
  }

  void confirm() {
    auto seen = update_row();
    if (seen) return decisions_.confirmed(seen.assume_value());
    decisions_.not_confirmed(seen.error());
    obstacle_ = std::move(seen).error();
  }

  /// Was it there?
  [[nodiscard]] result<bool> update_row() {
    BOOST_OUTCOME_TRY(auto held, wanted_.borrow_primary(wanted_.until));
    // A standby may take its time, but a link that has gone silent must not take all of it.
    const deadline until = share_of_time(least_confirmation);
    transaction_channel channel(std::move(held), {}, until);
    parameters level;
    level.add_text(confirming_level(wanted_.mark));
    parameters token;
    bind_token(token, wanted_.mark.token);
    const std::array statements{command{&set_level_statement, &level}, command{&confirm_statement, &token}};
    const parameters none;
    auto updated = channel.run_batch(
        {.what = confirm_statement, .values = none, .until = until, .cancel = wanted_.cancel}, statements);
    if (!updated) {
      leave(channel, updated.error());
      return std::move(updated).error();
    }
    // Committed also where there was no row, so that the connection is in order.
    if (auto committed = channel.commit(); !committed) {
      leave(channel, committed.error());
      return std::move(committed).error();
    }
    return updated.assume_value().back().affected() == 1;
  }

  const outcome_search& wanted_;
  outcome_decisions decisions_;
  std::vector<server_process> twins_;  // their connections are closed on this side, and lent to nobody
  std::unique_ptr<transaction_channel> carrying_on_;
  std::optional<error> obstacle_;
};

}  // namespace

void outcome_decisions::claimed(const error* failure, clock::time_point now) noexcept {
  if (failure == nullptr) {
    step_ = now - made_at_ < oldest_claim ? outcome_step::not_applied : outcome_step::unresolved;
  } else if (is_known_token(*failure)) {
    step_ = outcome_step::confirm;
    is_committed_ = true;
    twin_may_live_ = false;
    setbacks_ = 0;
  } else if (is_token_in_flight(*failure)) {
    step_ = twin_may_live_ ? outcome_step::end_twin : outcome_step::claim;
    setbacks_ = 0;
  } else if (will_not_pass(*failure)) {
    step_ = outcome_step::unresolved;
  } else {
    twin_may_live_ = twin_may_live_ || failure->poisons_connection();
    ++setbacks_;
  }
}

void outcome_decisions::not_confirmed(const error& failure) noexcept {
  ++setbacks_;
  twin_may_live_ = twin_may_live_ || failure.poisons_connection();
  if (will_not_pass(failure)) {
    step_ = outcome_step::unresolved;
  } else if (twin_may_live_) {
    step_ = outcome_step::end_twin;
  }
}

outcome_finding find_outcome(const outcome_search& search) { return searcher(search).run(); }

}  // namespace breakwater::postgres
