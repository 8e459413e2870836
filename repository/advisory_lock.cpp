// Advisory locks of a transaction: the statements, and waiting for no longer than was said.

#include "session_state.hpp"
#include <breakwater/postgres/codec.hpp>
#include <breakwater/repository/advisory_lock.hpp>

#include <array>
#include <string>
#include <utility>

namespace breakwater::detail {
namespace {

constexpr statement asking(std::string_view sql, std::string_view name) noexcept {
  return {.sql = sql,
          .name = name,
          .operation = "SELECT",
          .print = fingerprint(sql),
          .kind = statement_class::locking_read,
          .mapped = false};
}

enum class lock_call : std::uint8_t { wait, wait_shared, attempt, attempt_shared };

constexpr std::string_view lock_name = "advisory_lock";

// By `lock_call`; on one number, and on two.
constexpr std::array one_number{asking("select pg_catalog.pg_advisory_xact_lock($1)", lock_name),
                                asking("select pg_catalog.pg_advisory_xact_lock_shared($1)", lock_name),
                                asking("select pg_catalog.pg_try_advisory_xact_lock($1)", lock_name),
                                asking("select pg_catalog.pg_try_advisory_xact_lock_shared($1)", lock_name)};
constexpr std::array two_numbers{asking("select pg_catalog.pg_advisory_xact_lock($1, $2)", lock_name),
                                 asking("select pg_catalog.pg_advisory_xact_lock_shared($1, $2)", lock_name),
                                 asking("select pg_catalog.pg_try_advisory_xact_lock($1, $2)", lock_name),
                                 asking("select pg_catalog.pg_try_advisory_xact_lock_shared($1, $2)", lock_name)};

constexpr statement show_lock_timeout =
    asking("select pg_catalog.current_setting('lock_timeout')", "show lock_timeout");
constexpr statement set_lock_timeout =
    asking("select pg_catalog.set_config('lock_timeout', $1, true)", "set lock_timeout");

/// A lock's statement with its key.
struct lock_statement {
  lock_statement(lock_call call, const advisory_key& key)
      : what(&(key.is_pair() ? two_numbers : one_number)[static_cast<std::size_t>(call)]) {
    if (key.is_pair()) {
      bind(values, key.kind());
      bind(values, static_cast<std::int32_t>(key.number()));
    } else {
      bind(values, key.number());
    }
  }
  const statement* what;
  parameters values{};
};

error somebody_has_it() {
  return error(errc::lock_not_available, "somebody else holds the advisory lock").with_statement(lock_name);
}

}  // namespace

result<bool> transaction_state::try_advisory_lock(const advisory_key& key, bool shared) {
  const lock_statement lock(shared ? lock_call::attempt_shared : lock_call::attempt, key);
  BOOST_OUTCOME_TRY(const auto answer, execute(*lock.what, lock.values));
  return !answer.empty() && answer.at(0, 0).text == "t";
}

result<void> transaction_state::advisory_lock(const advisory_key& key, const advisory_lock_options& options) {
  if (options.timeout) {
    if (*options.timeout <= std::chrono::milliseconds(0)) {
      BOOST_OUTCOME_TRY(const bool taken, try_advisory_lock(key, options.shared));
      if (!taken) return somebody_has_it();
      return success();
    }
    const auto left = until_.earlier_of(session_->operation_deadline(deadline::clock::now()));
    if (left.remaining(deadline::clock::now()) > *options.timeout) {
      return lock_within(key, options.shared, *options.timeout);
    }
  }
  const lock_statement lock(options.shared ? lock_call::wait_shared : lock_call::wait, key);
  BOOST_OUTCOME_TRY(execute(*lock.what, lock.values));
  return success();
}

/// The lock's own lock_timeout, inside a savepoint: undone with it where the lock was not to be had, which also keeps
/// the transaction usable, and set back where it was.
result<void> transaction_state::lock_within(const advisory_key& key, bool shared, std::chrono::milliseconds timeout) {
  const unsigned depth = savepoints_ + 1;
  const std::string savepoint_sql = postgres::savepoint_sql(depth);
  const statement savepoint{.sql = savepoint_sql, .name = "savepoint", .operation = "SQL", .prepare = false};
  const lock_statement lock(shared ? lock_call::wait_shared : lock_call::wait, key);
  const parameters none;
  parameters wanted;
  wanted.add_text(std::to_string(timeout.count()));

  const std::array taking{batched_statement{&savepoint, &none}, batched_statement{&show_lock_timeout, &none},
                          batched_statement{&set_lock_timeout, &wanted}, batched_statement{lock.what, &lock.values}};
  auto taken = run_batch(taking, lock_name);
  if (!taken) {
    // In a transaction that had failed before, the savepoint is not even there.
    const bool timed_out = taken.error().code() == errc::lock_not_available && taken.error().statement() == lock_name;
    if (!timed_out) return std::move(taken).error();
    BOOST_OUTCOME_TRY(channel_->rollback_to_savepoint(depth));
    rerun_cause_.reset();  // the caller said for how long to wait, and it is over
    return somebody_has_it().with_sqlstate(taken.error().sqlstate()).with_node(taken.error().node());
  }
  parameters former;
  former.add_text(taken.assume_value()[1].at(0, 0).text);
  const std::string release_sql = postgres::release_sql(depth);
  const statement release{.sql = release_sql, .name = "release savepoint", .operation = "SQL", .prepare = false};
  const std::array settling{batched_statement{&set_lock_timeout, &former}, batched_statement{&release, &none}};
  BOOST_OUTCOME_TRY(run_batch(settling, lock_name));
  return success();
}

result<void> advisory_lock(transaction_state& state, const advisory_key& key, const advisory_lock_options& options) {
  return state.advisory_lock(key, options);
}
result<bool> try_advisory_lock(transaction_state& state, const advisory_key& key, bool shared) {
  return state.try_advisory_lock(key, shared);
}

}  // namespace breakwater::detail
