#pragma once

#include <breakwater/core/causality_token.hpp>
#include <breakwater/core/deadline.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/core/source_location.hpp>
#include <breakwater/postgres/transaction_options.hpp>
#include <breakwater/repository/advisory_lock.hpp>
#include <breakwater/repository/batch.hpp>
#include <breakwater/repository/raw_query.hpp>
#include <breakwater/repository/repository.hpp>
#include <breakwater/repository/session_options.hpp>
#include <breakwater/repository/transaction.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace breakwater {

namespace detail {
class session_state;

/// One run of a transaction's closure: begins it, ends it as the closure's result says, and rolls back when neither
/// was done because the closure threw. What the closure wanted called at the end is called by whoever ends it, last.
class transaction_run {
 public:
  transaction_run(std::shared_ptr<session_state> on, const transaction_options& options, source_location where);
  transaction_run(const transaction_run&) = delete;
  transaction_run& operator=(const transaction_run&) = delete;
  ~transaction_run();

  /// Borrows a connection. Errors: why there is none, or `unsafe_operation` inside another transaction.
  [[nodiscard]] result<void> begin();
  [[nodiscard]] transaction& handle() noexcept { return *handle_; }
  /// What statements of it run on.
  [[nodiscard]] std::shared_ptr<breakwater::executor> executor() const noexcept;
  /// The closure wants to keep what it did. `repeatable`: it can be run again where the outcome guard finds that it was
  /// not applied.
  [[nodiscard]] result<void> commit(bool repeatable = true);
  /// The closure does not.
  void rollback();
  /// After a failure: something that may pass ended it, or its COMMIT was lost and the outcome guard found that it was not
  /// applied, and attempts, time and the retry budget are left. Waits a jittered moment before it says so, where one may
  /// help.
  [[nodiscard]] bool shall_run_again();
  /// An earlier run, declared idempotent, may have been applied: then no failure of a later one says that nothing was.
  [[nodiscard]] bool is_in_doubt() const noexcept;
  /// Where the last run was, and how many there were.
  [[nodiscard]] std::string_view node() const noexcept;
  [[nodiscard]] unsigned runs() const noexcept;
  /// What to report in place of `last`, then.
  [[nodiscard]] error doubt(const error& last) const;
  /// The same of an error of the closure's own.
  [[nodiscard]] error doubt() const;

 private:
  [[nodiscard]] bool is_guarded() const noexcept;
  struct progress;
  [[nodiscard]] result<void> open_channel();
  void let_go_of_claim();
  void note_end(const error* failure);
  void finish() noexcept;

  std::shared_ptr<session_state> session_;
  const transaction_options options_;
  const source_location where_;
  std::shared_ptr<transaction_state> state_;
  std::unique_ptr<transaction> handle_;
  std::unique_ptr<progress> progress_;  // of all attempts together, from the first on
};

[[nodiscard]] std::shared_ptr<executor> executor_of(const std::shared_ptr<session_state>& state);
[[nodiscard]] causality_token token_of(const session_state& state) noexcept;
[[nodiscard]] causality causality_of(const session_state& state) noexcept;

}  // namespace detail

/// One request's view of the database: its deadline, its consistency, its identity in logs.
///
///     bw::session session = db.session({.timeout = 200ms});
///     auto accounts = session.repository<Account>();
///
/// Single reads may go to replicas. Once the session has written only to those that have what it wrote, else to the primary
/// (with `consistency::read_your_writes`, the default). A cheap value, for one thread at a time; it keeps the database
/// alive.
class session {
 public:
  explicit session(std::shared_ptr<detail::session_state> state) noexcept : state_(std::move(state)) {}

  /// The repository of E. While a transaction of this session runs it refuses with `errc::unsafe_operation`: there,
  /// use `tx.repository<E>()`.
  template <entity E>
  [[nodiscard]] breakwater::repository<E> repository() const {
    return breakwater::repository<E>(detail::executor_of(state_));
  }

  /// Raw SQL, sent to the primary unless it says `.read_only()`:
  /// `session.query("select owner from accounts where balance > ?", 5).as<std::string>()`. See `raw_query`.
  template <class... Args>
  [[nodiscard]] raw_query query(std::string_view sql, const Args&... args) const {
    return raw_query(detail::executor_of(state_), sql, args...);
  }
  /// Runs one raw statement on the primary and returns the number of rows affected.
  template <class... Args>
  [[nodiscard]] result<std::size_t> execute(std::string_view sql, const Args&... args) const {
    return query(sql, args...).execute();
  }

  /// Statements to be collected and sent in one round trip, all of them or none; see `batch`.
  [[nodiscard]] breakwater::batch batch() const { return breakwater::batch(detail::executor_of(state_)); }

  /// Runs `body` in a transaction: commits when it returns a value, rolls back when it returns an error or throws
  /// (the exception passes through). Returns what `body` returned, or why the transaction could not be begun or
  /// committed; `error::applied()` says what became of it.
  ///
  /// After a conflict with another transaction `body` is run again from its start, at most
  /// `transaction_options::max_attempts` times: keep effects outside the database out of it. It may return any of
  /// Outcome's results whose error can be made from a `bw::error`, so business errors pass through.
  ///
  /// The whole of it, further runs included, is one operation: it ends by the session's deadline, and at the latest
  /// after `operation_timeout`.
  ///
  /// With the outcome guard (`transaction_options::outcome_guard`) the answer to COMMIT is awaited for half of the time
  /// left. Where it is lost, the rest goes into finding out what became of it: applied, this is a success with what `body`
  /// had returned; not applied, `body` is run again, or the error says so. Only where that can not be found out in time it
  /// is `errc::commit_unknown`.
  ///
  /// While it runs, this session and everything made from it refuse with `errc::unsafe_operation`: nothing can run
  /// outside the transaction by a captured name.
  template <std::invocable<transaction&> Body>
  requires detail::transaction_result<std::invoke_result_t<Body, transaction&>>
  [[nodiscard]] auto transact(Body&& body, const transaction_options& options = {},
                              source_location where = source_location::current())
      -> std::invoke_result_t<Body, transaction&> {
    using outcome = std::invoke_result_t<Body, transaction&>;
    detail::transaction_run run(state_, options, where);
    for (;;) {
      if (auto begun = run.begin(); !begun) return detail::failed<outcome>(run.doubt(std::move(begun).error()));
      outcome wanted = body(run.handle());
      if (!wanted.has_value()) {
        run.rollback();
        if (run.shall_run_again()) continue;
        if (run.is_in_doubt()) return detail::failed<outcome>(run.doubt());
        return wanted;
      }
      auto committed = run.commit();
      if (committed) return wanted;
      if (run.shall_run_again()) continue;
      return detail::failed<outcome>(run.doubt(std::move(committed).error()));
    }
  }

  /// `transact`, with an advisory lock on `key` as the closure's first statement: of all who use the same key, one
  /// closure at a time runs. The lock is waited for as long as the deadline allows, and is given back with the end of
  /// the transaction.
  template <std::invocable<transaction&> Body>
  requires detail::transaction_result<std::invoke_result_t<Body, transaction&>>
  [[nodiscard]] auto with_advisory_lock(const advisory_key& key, Body&& body, const transaction_options& options = {},
                                        source_location where = source_location::current())
      -> std::invoke_result_t<Body, transaction&> {
    using outcome = std::invoke_result_t<Body, transaction&>;
    return transact(
        [&](transaction& tx) -> outcome {
          if (auto locked = tx.advisory_lock(key); !locked) return detail::failed<outcome>(std::move(locked).error());
          return body(tx);
        },
        options, where);
  }

  /// What another session has to be given, as `session_options::after`, to see what this one wrote and was given itself:
  /// empty when that is nothing. Its position is known after single writes and transactions with
  /// `consistency::read_your_writes` on a database of several nodes; else only the primary serves it. No round trip.
  [[nodiscard]] causality_token token() const noexcept { return detail::token_of(*state_); }
  /// Whether the session's reads so far saw what it wrote and was given. No round trip.
  [[nodiscard]] breakwater::causality causality() const noexcept { return detail::causality_of(*state_); }

 private:
  std::shared_ptr<detail::session_state> state_;
};

}  // namespace breakwater
