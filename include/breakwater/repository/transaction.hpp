#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/transaction_options.hpp>
#include <breakwater/repository/advisory_lock.hpp>
#include <breakwater/repository/batch.hpp>
#include <breakwater/repository/raw_query.hpp>
#include <breakwater/repository/repository.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace pqxx {
class dbtransaction;
}  // namespace pqxx

namespace breakwater {

namespace detail {
class transaction_state;

/// What `on_commit` or `on_rollback` was given.
class end_callback {
 public:
  end_callback() = default;
  end_callback(const end_callback&) = delete;
  end_callback& operator=(const end_callback&) = delete;
  virtual ~end_callback() = default;
  virtual void call() = 0;
};
template <class Callable>
class end_callback_of final : public end_callback {
 public:
  explicit end_callback_of(Callable callable) : callable_(std::move(callable)) {}
  void call() override { callable_(); }

 private:
  Callable callable_;
};
enum class transaction_end : std::uint8_t { commit, rollback };

/// \name What `session::transact` and `transaction::transact` are made of, without their closures' types.
/// @{
[[nodiscard]] std::shared_ptr<executor> executor_of(const std::shared_ptr<transaction_state>& state);
[[nodiscard]] unsigned attempt_of(const transaction_state& state) noexcept;
[[nodiscard]] pqxx::dbtransaction& native_of(transaction_state& state);
[[nodiscard]] result<unsigned> begin_savepoint(transaction_state& state);
[[nodiscard]] result<void> end_savepoint(transaction_state& state, unsigned depth, bool keep);
void remember(transaction_state& state, std::unique_ptr<end_callback> call, transaction_end when);
[[nodiscard]] result<void> advisory_lock(transaction_state& state, const advisory_key& key,
                                         const advisory_lock_options& options);
[[nodiscard]] result<bool> try_advisory_lock(transaction_state& state, const advisory_key& key, bool shared);
/// @}

/// What a closure of a transaction may return: any of Outcome's results whose error can be made from ours.
template <class R>
concept transaction_result = requires(const R& given) {
  typename R::value_type;
  typename R::error_type;
  { given.has_value() } -> std::convertible_to<bool>;
}
&&std::constructible_from<typename R::error_type, error>;

/// The closure's own result type for an error of ours.
template <class R>
[[nodiscard]] R failed(error cause) {
  return R(boost::outcome_v2::failure(typename R::error_type(std::move(cause))));
}

}  // namespace detail

/// A transaction under way: what the closure of `session.transact` is given. Everything made from it runs on its one
/// connection.
///
///     session.transact([&](bw::transaction& tx) -> bw::result<void> {
///       auto accounts = tx.repository<Account>();
///       BOOST_OUTCOME_TRY(auto from, accounts.get(1));
///       ...
///       return bw::success();      // commits; an error or an exception rolls back
///     });
///
/// For one thread at a time. Repositories and queries of it that outlive the closure refuse with
/// `errc::unsafe_operation`.
class transaction {
 public:
  explicit transaction(std::shared_ptr<detail::transaction_state> state) noexcept : state_(std::move(state)) {}
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;
  ~transaction() = default;

  /// The repository of E on this transaction's connection.
  template <entity E>
  [[nodiscard]] breakwater::repository<E> repository() const {
    return breakwater::repository<E>(detail::executor_of(state_));
  }

  /// Raw SQL on this transaction's connection; see `raw_query`.
  template <class... Args>
  [[nodiscard]] raw_query query(std::string_view sql, const Args&... args) const {
    return raw_query(detail::executor_of(state_), sql, args...);
  }
  /// Runs raw SQL and returns the number of rows affected.
  template <class... Args>
  [[nodiscard]] result<std::size_t> execute(std::string_view sql, const Args&... args) const {
    return query(sql, args...).execute();
  }

  /// Statements to be collected and sent in one round trip on this transaction's connection; see `batch`.
  [[nodiscard]] breakwater::batch batch() const { return breakwater::batch(detail::executor_of(state_)); }

  /// A closure inside the closure, as a savepoint: its error or exception undoes what it did, and the transaction
  /// goes on. Returns what `body` returns.
  template <std::invocable<transaction&> Body>
  requires detail::transaction_result<std::invoke_result_t<Body, transaction&>>
  [[nodiscard]] auto transact(Body&& body) -> std::invoke_result_t<Body, transaction&> {
    using outcome = std::invoke_result_t<Body, transaction&>;
    auto depth = detail::begin_savepoint(*state_);
    if (!depth) return detail::failed<outcome>(std::move(depth).error());
    savepoint_guard guard{*state_, depth.assume_value()};
    outcome inner = std::forward<Body>(body)(*this);
    guard.armed = false;
    if (auto ended = detail::end_savepoint(*state_, guard.depth, inner.has_value()); !ended && inner.has_value()) {
      return detail::failed<outcome>(std::move(ended).error());
    }
    return inner;
  }

  /// \name What to do when the transaction has ended.
  /// Called on this thread, in the order given, when the connection went back and the session can be used again. All
  /// are called, also when one throws; the first exception then passes through `transact`, instead of its result. One
  /// thrown while the closure's own exception passes through is dropped. The deadline does not cover them.
  /// @{
  /// Calls it once the server has confirmed the commit, and only then: never after `errc::commit_unknown`. Dropped
  /// when a savepoint around it is rolled back. Where it throws, the commit stands all the same.
  template <std::invocable<> Callable>
  void on_commit(Callable&& callable) {
    call_at_end(std::forward<Callable>(callable), detail::transaction_end::commit);
  }
  /// Calls it when it is certain that nothing of this run of the closure stays: neither after a commit nor after
  /// `errc::commit_unknown`. A run that ends in a conflict is one, so it is called for each such run. Where it was given
  /// inside a savepoint that was rolled back it is called too, at the end, whatever becomes of the rest.
  template <std::invocable<> Callable>
  void on_rollback(Callable&& callable) {
    call_at_end(std::forward<Callable>(callable), detail::transaction_end::rollback);
  }
  /// @}

  /// \name Advisory locks: they lock no row but what the program means by their key.
  /// Held until the transaction ends, or the savepoint in which they were taken is rolled back; so they can not be
  /// forgotten. Taking one twice is allowed. One round trip each.
  ///
  /// With `isolation::repeatable_read` and above the transaction's first statement fixes what it sees. Where that is
  /// the lock, it sees the state before the wait for it.
  /// @{
  /// Waits for the lock. Errors: `lock_not_available` when `options.timeout` is over, after which the transaction can
  /// go on; `deadline_exceeded`, which ends it; `deadlock`.
  [[nodiscard]] result<void> advisory_lock(const advisory_key& key, const advisory_lock_options& options = {}) const {
    return detail::advisory_lock(*state_, key, options);
  }
  /// Together with other shared ones.
  [[nodiscard]] result<void> advisory_lock_shared(const advisory_key& key, advisory_lock_options options = {}) const {
    options.shared = true;
    return detail::advisory_lock(*state_, key, options);
  }
  /// Takes the lock if that needs no waiting. False: somebody else has it.
  [[nodiscard]] result<bool> try_advisory_lock(const advisory_key& key) const {
    return detail::try_advisory_lock(*state_, key, false);
  }
  [[nodiscard]] result<bool> try_advisory_lock_shared(const advisory_key& key) const {
    return detail::try_advisory_lock(*state_, key, true);
  }
  /// @}

  /// Which run of the closure this is, from 1.
  [[nodiscard]] unsigned attempt() const noexcept { return detail::attempt_of(*state_); }

  /// The transaction for libpqxx, for what is not here: include <pqxx/pqxx>. Its exceptions are libpqxx's own; inside
  /// `transact` they roll back and pass through. Its calls block, bounded by the server's statement_timeout, which
  /// is set to the time left when the transaction began. It can not be committed from there.
  [[nodiscard]] pqxx::dbtransaction& native() { return detail::native_of(*state_); }

 private:
  template <class Callable>
  void call_at_end(Callable&& callable, detail::transaction_end when) {
    using stored = std::decay_t<Callable>;
    static_assert(std::is_void_v<std::invoke_result_t<stored&>>,
                  "breakwater: what on_commit and on_rollback call returns nothing, because nobody would look at it");
    detail::remember(*state_, std::make_unique<detail::end_callback_of<stored>>(std::forward<Callable>(callable)),
                     when);
  }

  /// Undoes the savepoint when the closure throws.
  struct savepoint_guard {
    detail::transaction_state& state;
    unsigned depth;
    bool armed = true;
    savepoint_guard(detail::transaction_state& of, unsigned at) noexcept : state(of), depth(at) {}
    savepoint_guard(const savepoint_guard&) = delete;
    savepoint_guard& operator=(const savepoint_guard&) = delete;
    ~savepoint_guard() {
      if (armed) (void)detail::end_savepoint(state, depth, false);
    }
  };

  std::shared_ptr<detail::transaction_state> state_;
};

}  // namespace breakwater
