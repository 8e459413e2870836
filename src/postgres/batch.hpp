#pragma once

#include <breakwater/core/deadline.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/postgres/parameters.hpp>
#include <breakwater/postgres/statement.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

namespace breakwater::postgres {

/// One statement of a batch with its values.
using command = batched_statement;

/// What a batch means for the database, and so what its loss means.
enum class batch_kind : std::uint8_t {
  autocommit,      ///< commits when the server meets its Sync
  whole,           ///< holds its own BEGIN and COMMIT: the same, and a failure leaves a transaction to roll back
  in_transaction,  ///< applies nothing: the transaction's COMMIT does
  commit           ///< is the COMMIT: never cancelled, and its loss leaves the fate of all unknown
};

/// Statements that travel together, under one Sync and in one round trip: those that prepare the caller's way, the
/// caller's, and those behind them.
struct batch {
  std::span<const command> commands;
  batch_kind kind = batch_kind::autocommit;
  deadline until;
  const std::stop_token* cancel = nullptr;
  /// Of one that is `in_transaction`: a raw COMMIT of the caller's is among its statements, so it may apply all the same.
  bool holds_commit = false;
  std::size_t callers = 1;  ///< how many of them are the caller's; at least 1
  std::size_t behind = 0;   ///< how many come after those
  std::size_t own = 0;      ///< how many of the first of `callers` are the library's: answered, named, not counted
  /// The COMMIT among them. With its answer all is committed, whatever becomes of what stands behind it. Null: there is
  /// none, or nothing behind it.
  const statement* commit = nullptr;
  /// Where the answers of those behind the caller's go, in order, up to the first that failed; of `run_all`, where one
  /// of the caller's fails, the answers before it instead. Null: nobody wants them.
  std::vector<rows>* reports = nullptr;
  /// One ahead of the caller's whose answer is wanted as well, in `exchange_outcome::told`. Null: none.
  const command* told = nullptr;
  /// False: names in it mean something else than in other batches on the connection, as with another search path; nothing
  /// of it is kept prepared, or found so.
  bool cacheable = true;

  [[nodiscard]] std::span<const command> subjects() const noexcept {
    return commands.subspan(commands.size() - behind - callers, callers);
  }
  /// The caller's statement; of several the last.
  [[nodiscard]] const statement& subject() const noexcept { return *subjects().back().what; }
  /// Its Sync makes changes permanent: once sent, only the server's answer tells what became of it.
  [[nodiscard]] bool may_apply() const noexcept {
    if (kind == batch_kind::commit) return true;
    if (kind == batch_kind::in_transaction) return holds_commit;
    return std::ranges::any_of(subjects().subspan(own),
                               [](const command& each) { return each.what->kind == statement_class::write; });
  }
};

/// Whether what runs behind these (`request::before`) may share prepared statements with what runs without. The first of
/// them says so for all, by whether it may be prepared itself.
[[nodiscard]] inline bool shares_plans(std::span<const command> before) noexcept {
  return before.empty() || before.front().what->prepare;
}

}  // namespace breakwater::postgres
