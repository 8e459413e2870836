#pragma once

#include <breakwater/core/deadline.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/core/source_location.hpp>
#include <breakwater/postgres/parameters.hpp>
#include <breakwater/postgres/rows.hpp>
#include <breakwater/postgres/statement.hpp>

#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

namespace breakwater {

/// One statement with its values and its limits: what travels from a session down to a connection.
///
/// A view of things that its maker keeps alive until `channel::run` returns.
struct request {
  const statement& what;
  const parameters& values;
  deadline until;
  const std::stop_token* cancel = nullptr;  ///< null: can not be cancelled
  source_location where{};                  ///< the borrower, for leak warnings
};

/// One of several statements that travel together. A view.
struct batched_statement {
  const statement* what = nullptr;
  const parameters* values = nullptr;
};

/// Something that runs single statements: a lease, a transaction's connection, later a pipelined lane.
///
/// An implementation ends by `request::until`, tracks the statement's phase and says in every error whether
/// the write was applied. Whether threads may share one is the implementation's to say.
class channel {
 public:
  channel() = default;
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;
  virtual ~channel() = default;
  [[nodiscard]] virtual result<rows> run(const request& wanted) = 0;
  /// Runs several in one round trip, all of them or none, and returns their answers in order. `wanted.what` describes
  /// them as a whole: the name, and a write where any of them is one; it has no text and no values.
  [[nodiscard]] virtual result<std::vector<rows>> run_batch(const request& wanted,
                                                            std::span<const batched_statement> /*statements*/) {
    return error(errc::unsafe_operation, "batches can not be run here").with_statement(wanted.what.name);
  }
};

/// What a repository runs its statements on: a session, which routes each one, or a transaction, which keeps
/// them all on its own connection. The one narrow place through which everything passes.
///
/// For one thread at a time, as the session or transaction behind it.
class executor {
 public:
  executor() = default;
  executor(const executor&) = delete;
  executor& operator=(const executor&) = delete;
  virtual ~executor() = default;
  /// Runs one statement. Errors carry its name, the node and `applied`.
  [[nodiscard]] virtual result<rows> execute(const statement& what, const parameters& values) = 0;
  /// Runs several in one round trip, all of them or none, and returns their answers in order. Errors say which one
  /// failed; where it was none of them in particular they carry `name`.
  [[nodiscard]] virtual result<std::vector<rows>> execute_batch(std::span<const batched_statement> /*statements*/,
                                                                std::string_view name) {
    return error(errc::unsafe_operation, "batches can not be run here").with_statement(name);
  }
  /// Is a statement that was answered thereby committed? False inside a transaction.
  [[nodiscard]] virtual bool autocommits() const noexcept { return true; }
};

}  // namespace breakwater
