#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/transaction_options.hpp>
#include <breakwater/repository/raw_query.hpp>
#include <breakwater/repository/repository.hpp>

#include <concepts>
#include <cstddef>
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

/// \name What `session::transact` and `transaction::transact` are made of, without their closures' types.
/// @{
[[nodiscard]] std::shared_ptr<executor> executor_of(const std::shared_ptr<transaction_state>& state);
[[nodiscard]] unsigned attempt_of(const transaction_state& state) noexcept;
[[nodiscard]] pqxx::dbtransaction& native_of(transaction_state& state);
[[nodiscard]] result<unsigned> begin_savepoint(transaction_state& state);
[[nodiscard]] result<void> end_savepoint(transaction_state& state, unsigned depth, bool keep);
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
    if (auto ended = detail::end_savepoint(*state_, guard.depth, inner.has_value()); !ended) {
      return detail::failed<outcome>(std::move(ended).error());
    }
    return inner;
  }

  /// Which run of the closure this is, from 1.
  [[nodiscard]] unsigned attempt() const noexcept { return detail::attempt_of(*state_); }

  /// The transaction for libpqxx, for what is not here: include <pqxx/pqxx>. Its exceptions are libpqxx's own; inside
  /// `transact` they roll back and pass through. Its calls block, bounded by the server's statement_timeout, which
  /// is set to the time left when the transaction began. It can not be committed from there.
  [[nodiscard]] pqxx::dbtransaction& native() { return detail::native_of(*state_); }

 private:
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
