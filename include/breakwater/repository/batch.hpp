#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/repository/detail/entity_binding.hpp>
#include <breakwater/repository/detail/row_shape.hpp>
#include <breakwater/repository/mapping.hpp>
#include <breakwater/repository/raw_query.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace breakwater {

class batch;

namespace detail {

/// What is asked of a statement's answer.
enum class batch_reading : std::uint8_t { all, one, maybe, affected };

/// One statement of a batch.
struct batch_entry {
  statement what{};
  std::string sql{};   // what.sql and what.name of raw SQL are views of these once the batch runs
  std::string name{};  // empty for a statement of a mapping, whose texts are constants
  parameters values{};
  extra_columns extra = extra_columns::refused;
};

/// What a batch answered.
struct batch_outcome {
  std::uint64_t batch = 0;
  bool committed = false;  // it wrote, and that stands
  std::vector<rows> answers{};
  std::vector<std::string> names{};
  std::vector<extra_columns> extra{};
};

/// \name Of `batch_answers`, without its types.
/// @{
[[nodiscard]] error not_of_this_batch();
[[nodiscard]] error after_batch(const batch_outcome& outcome, std::size_t place, error failure);
[[nodiscard]] error not_one_of_batch(const batch_outcome& outcome, std::size_t place);
/// @}

}  // namespace detail

/// One statement of a batch, as `batch::add` and its like hand it out: what to ask `batch_answers` for.
template <class T, detail::batch_reading How>
class batch_item {
  friend class batch;
  friend class batch_answers;
  batch_item(std::uint64_t of, std::size_t at) noexcept : batch_(of), place_(at) {}
  std::uint64_t batch_;
  std::size_t place_;
};

/// The answers of a batch that has run. Read them in any order and as often as wanted.
class batch_answers {
 public:
  explicit batch_answers(detail::batch_outcome outcome) noexcept : outcome_(std::move(outcome)) {}

  /// What the statement answered, read as it was said when it was added. Errors: those of reading, as in `raw_query`;
  /// `not_found` and `too_many_rows` for `one`; `invalid_argument` for an item of another batch. What the batch wrote
  /// stands all the same, and `error::applied()` says so.
  template <class T, detail::batch_reading How>
  [[nodiscard]] auto get(const batch_item<T, How>& item) const {
    if constexpr (How == detail::batch_reading::all) {
      return decode<T>(item.batch_, item.place_);
    } else if constexpr (How == detail::batch_reading::affected) {
      return affected(item.batch_, item.place_);
    } else if constexpr (How == detail::batch_reading::maybe) {
      return maybe<T>(item.batch_, item.place_);
    } else {
      return one<T>(item.batch_, item.place_);
    }
  }

 private:
  [[nodiscard]] bool is_here(std::uint64_t batch, std::size_t place) const noexcept {
    return batch == outcome_.batch && place < outcome_.answers.size();
  }
  template <class T>
  [[nodiscard]] result<std::vector<T>> decode(std::uint64_t batch, std::size_t place) const {
    if (!is_here(batch, place)) return detail::not_of_this_batch();
    auto decoded = detail::decode_rows<T>(outcome_.answers[place], outcome_.extra[place]);
    if (!decoded) return detail::after_batch(outcome_, place, std::move(decoded).error());
    return decoded;
  }
  template <class T>
  [[nodiscard]] result<std::optional<T>> maybe(std::uint64_t batch, std::size_t place) const {
    if (is_here(batch, place) && outcome_.answers[place].size() > 1) return detail::not_one_of_batch(outcome_, place);
    BOOST_OUTCOME_TRY(auto all, decode<T>(batch, place));
    if (all.empty()) return std::optional<T>();
    return std::optional<T>(std::move(all.front()));
  }
  template <class T>
  [[nodiscard]] result<T> one(std::uint64_t batch, std::size_t place) const {
    BOOST_OUTCOME_TRY(auto found, maybe<T>(batch, place));
    if (!found) return detail::not_one_of_batch(outcome_, place);
    return T(std::move(*found));
  }
  [[nodiscard]] result<std::size_t> affected(std::uint64_t batch, std::size_t place) const;

  detail::batch_outcome outcome_;
};

/// Statements that are collected and then travel together: one round trip, all of them or none.
///
///     bw::batch b = session.batch();
///     auto totals = b.add<OwnerTotal>(session.query("select owner, sum(balance) total from accounts group by owner"));
///     auto open = b.one<std::int64_t>(session.query("select count(*) from tickets"));
///     BOOST_OUTCOME_TRY(auto answers, b.run());
///     BOOST_OUTCOME_TRY(auto list, answers.get(totals));
///
/// From a session it is a transaction of its own, with BEGIN and COMMIT in the same round trip; it goes to the primary
/// if any of its statements may write, and else wherever the session reads. From a transaction it runs on that
/// transaction's connection, and a failure in it fails the transaction, as any statement's does; `tx.transact` around
/// it keeps that inside.
///
/// The statements run one after the other, each sees what those before it did, and none can use the answer of another.
/// A batch of one statement is that statement, run by itself.
///
/// Movable; for one thread at a time, as the session or transaction it came from.
class batch {
 public:
  /// How many statements a batch may have. The answers are read while the statements are still being sent, so neither
  /// side waits for the other; but all statements, and then all answers, are in memory at once.
  static constexpr std::size_t most_statements = 1000;

  explicit batch(std::shared_ptr<executor> on);
  batch(batch&&) noexcept = default;
  batch& operator=(batch&&) noexcept = default;
  batch(const batch&) = delete;
  batch& operator=(const batch&) = delete;
  ~batch() = default;

  /// \name Adds a statement made by the same session or transaction; `get` then gives what the name says.
  /// `read_only()` counts where all statements of the batch say it. Statements that begin or end a transaction are
  /// refused when the batch runs, as is one that was made elsewhere.
  /// @{
  /// All rows, as `std::vector<T>`; T as in `raw_query::as`.
  template <class T>
  [[nodiscard]] batch_item<T, detail::batch_reading::all> add(raw_query statement) {
    return {id_, append(std::move(statement))};
  }
  /// How many rows it changed or returned.
  batch_item<std::size_t, detail::batch_reading::affected> add(raw_query statement) {
    return {id_, append(std::move(statement))};
  }
  /// The only row.
  template <class T>
  [[nodiscard]] batch_item<T, detail::batch_reading::one> one(raw_query statement) {
    return {id_, append(std::move(statement))};
  }
  /// The only row, if there is one.
  template <class T>
  [[nodiscard]] batch_item<T, detail::batch_reading::maybe> maybe(raw_query statement) {
    return {id_, append(std::move(statement))};
  }
  /// @}

  /// The entity of this key, if there is one and it is not in the trash: `repository<E>::find` as one of many.
  template <entity E>
  [[nodiscard]] batch_item<E, detail::batch_reading::maybe> find(
      const typename detail::unwrap_single<detail::key_tuple<E>>::type& key) requires(detail::has_key<E>) {
    detail::binder bound;
    detail::bind_key<E>(bound, key);
    return {id_, append(detail::statements<E>::get, std::move(bound.values))};
  }

  /// The batch's name in events, and in errors that no one statement caused, such as a deadline's; "batch" by default.
  /// Names become metric labels: take them from a fixed set.
  batch& named(std::string_view name) {
    name_ = name;
    return *this;
  }

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }

  /// Sends all of it and reads all answers. An empty batch succeeds and sends nothing. May be called again: it then
  /// runs once more.
  ///
  /// Errors: the first statement that fails, by its name and its place, and with `applied::no`: nothing of the batch
  /// stays. `commit_unknown` as for any write. `invalid_argument` before anything is sent for a mistake in a
  /// statement, for one that ends a transaction, and for more than `most_statements`.
  [[nodiscard]] result<batch_answers> run() const;

 private:
  std::size_t append(raw_query&& statement);
  std::size_t append(const statement& what, parameters values);
  [[nodiscard]] result<std::vector<rows>> send() const;

  std::shared_ptr<executor> on_;
  std::uint64_t id_;
  std::string name_ = "batch";
  std::vector<detail::batch_entry> entries_;
  std::optional<error> mistake_;
};

}  // namespace breakwater
