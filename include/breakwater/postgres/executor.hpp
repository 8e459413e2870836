#pragma once

#include <breakwater/core/deadline.hpp>
#include <breakwater/core/priority.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/core/source_location.hpp>
#include <breakwater/postgres/copy.hpp>
#include <breakwater/postgres/parameters.hpp>
#include <breakwater/postgres/row_cursor.hpp>
#include <breakwater/postgres/rows.hpp>
#include <breakwater/postgres/statement.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <stop_token>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace breakwater {

class causality_token;

namespace postgres {
struct causal_read;
}  // namespace postgres

/// One of several statements that travel together. A view.
struct batched_statement {
  const statement* what = nullptr;
  const parameters* values = nullptr;
};

/// One statement with its values and its limits: what travels from a session down to a connection.
///
/// A view of things that its maker keeps alive until `channel::run` returns.
struct request {
  const statement& what;
  const parameters& values;
  deadline until;
  const std::stop_token* cancel = nullptr;                       ///< null: can not be cancelled
  source_location where{};                                       ///< the borrower, for leak warnings
  breakwater::priority priority = breakwater::priority::normal;  ///< in the queue for a connection
  /// The primary was asked for: a server that turns out to be a replica is not what is wanted (`errc::no_primary`).
  bool on_primary = false;
  /// When its operation began, where its maker has just looked at the clock: reading it is most of what a call that
  /// nothing delays costs. Not given: whoever needs it looks.
  deadline::clock::time_point began{};
  /// The library's own, that set up the transaction in which it runs: settings with `is_local`, for one. Where there are
  /// any it runs in a transaction, whatever it is; and unprepared, where the first of them may not be prepared.
  std::span<const batched_statement> before{};
  /// Where it is written what has seen its write when that is committed, at the cost of a transaction around it. Null:
  /// nobody asks.
  causality_token* written = nullptr;
  /// Of a read: the writes that it has to see, and what came of that. Null: none.
  postgres::causal_read* causal = nullptr;
};

/// Something that runs single statements: a lease, a transaction's connection, later a pipelined lane.
///
/// An implementation ends by `request::until`, tracks the statement's phase and says in every error whether
/// the write was applied, and by `attempts()` (1 or 0) whether there was a connection to send it on. Whether threads may
/// share one is the implementation's to say.
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

class auditor;
class executor;

/// What `executor::run_in_transaction` runs: a view of a callable, which its maker keeps alive. An error of it, or an
/// exception, undoes what it did.
class transaction_body {
 public:
  template <class Body>
  requires(!std::same_as<Body, transaction_body>) transaction_body(const Body& body)
  noexcept
      : body_(&body), call_([](const void* of, const std::shared_ptr<executor>& on) -> result<void> {
          return (*static_cast<const Body*>(of))(on);
        }) {}
  [[nodiscard]] result<void> operator()(const std::shared_ptr<executor>& on) const { return call_(body_, on); }

 private:
  const void* body_;
  result<void> (*call_)(const void*, const std::shared_ptr<executor>&);
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
  /// Runs `body` on an executor whose statements are committed together, or not at all. A session begins and commits a
  /// transaction for it, once: after a conflict it is not run again. A transaction runs it on itself, so that an error
  /// of the body is an error of the transaction, which its owner ends.
  [[nodiscard]] virtual result<void> run_in_transaction(transaction_body /*body*/) {
    return error(errc::unsafe_operation, "what this runs on can not begin a transaction");
  }

  /// \name What takes more than one answer. An executor that does not override them refuses.
  /// @{
  /// Runs a COPY ... FROM STDIN. Returns how many rows the server counted.
  [[nodiscard]] virtual result<std::size_t> copy_in(const statement& what, copy_source& /*from*/) {
    return refuse(what);
  }
  /// Runs a COPY ... TO STDOUT; `shape` is a statement that answers with the same columns and no row. Returns how many
  /// rows were taken.
  [[nodiscard]] virtual result<std::size_t> copy_out(const statement& what, std::string_view /*shape*/,
                                                     copy_sink& /*to*/) {
    return refuse(what);
  }
  /// Opens a cursor over a SELECT. It must not outlive this executor; the statement's names must outlive it.
  [[nodiscard]] virtual result<std::unique_ptr<row_cursor>> open_cursor(const statement& what,
                                                                        const parameters& /*values*/) {
    return refuse(what);
  }
  /// @}

  /// \name On whose behalf it runs, and who is told of changes (null: nobody).
  /// @{
  [[nodiscard]] std::string_view actor() const noexcept { return actor_; }
  [[nodiscard]] std::string_view correlation_id() const noexcept { return correlation_id_; }
  [[nodiscard]] breakwater::auditor* auditor() const noexcept { return auditor_; }
  /// Makes another the one that is told, or nobody; returns who was told before.
  breakwater::auditor* tell(breakwater::auditor* other) noexcept { return std::exchange(auditor_, other); }
  /// @}

 protected:
  /// Both outlive the executor.
  void act_for(std::string_view actor, std::string_view correlation_id) noexcept {
    actor_ = actor;
    correlation_id_ = correlation_id;
  }

 private:
  [[nodiscard]] static error refuse(const statement& what) {
    return error(errc::unsafe_operation, "this executor runs single statements only").with_statement(what.name);
  }

  std::string_view actor_{};
  std::string_view correlation_id_{};
  breakwater::auditor* auditor_ = nullptr;
};

}  // namespace breakwater
