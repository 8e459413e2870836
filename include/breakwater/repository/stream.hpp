#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/postgres/row_cursor.hpp>
#include <breakwater/repository/detail/row_handler.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace breakwater {

/// How a result is streamed.
struct stream_options {
  /// Rows per round trip. 0: 64 at first, then as many as make about 256 KiB, going by the rows so far and at most
  /// doubling each time. Set it where rows may suddenly be very much larger than those before.
  std::size_t fetch_rows = 0;
};

namespace detail {

/// How many rows to ask for next.
class fetch_size {
 public:
  explicit fetch_size(std::size_t fixed) noexcept;
  [[nodiscard]] std::size_t next() const noexcept { return next_; }
  /// What the last fetch was like: so many rows in so many bytes of memory.
  void learn(std::size_t rows, std::size_t bytes) noexcept;

 private:
  bool fixed_;
  std::size_t next_;
};

/// Fetches the rows of a cursor and stands at one of them.
class row_source {
 public:
  /// Fetches the first rows. Errors: the statement's.
  [[nodiscard]] static result<row_source> open(std::shared_ptr<executor> on, const statement& what,
                                               const parameters& values, const stream_options& options);

  row_source(row_source&&) noexcept = default;
  row_source& operator=(row_source&& other) noexcept {
    from_ = std::move(other.from_);  // the old cursor goes before its executor
    on_ = std::move(other.on_);
    size_ = other.size_;
    fetched_ = std::move(other.fetched_);
    next_ = other.next_;
    return *this;
  }
  ~row_source() = default;

  /// Goes to the next row. False: there are no more.
  [[nodiscard]] result<bool> next();
  /// Those that were fetched last; after `open` also when there are none.
  [[nodiscard]] const rows& fetched() const noexcept { return fetched_; }
  [[nodiscard]] std::size_t row() const noexcept { return next_ - 1; }
  [[nodiscard]] std::size_t held() const noexcept { return fetched_.size() - next_; }
  /// Gives everything back.
  void close() noexcept;

 private:
  row_source(std::shared_ptr<executor> on, std::unique_ptr<row_cursor> from, const stream_options& options) noexcept
      : on_(std::move(on)), from_(std::move(from)), size_(options.fetch_rows) {}
  [[nodiscard]] result<void> fetch();

  std::shared_ptr<executor> on_;      // outlives the cursor
  std::unique_ptr<row_cursor> from_;  // null at the end
  fetch_size size_;
  rows fetched_;
  std::size_t next_ = 0;  // the row after the one it stands at
};

}  // namespace detail

/// Rows of a result that need not fit into memory, one after the other.
///
///     BOOST_OUTCOME_TRY(auto rows, accounts.where(rich).stream());
///     for (;;) {
///       BOOST_OUTCOME_TRY(auto account, rows.next());
///       if (!account) break;
///     }
///
/// It holds one fetch of rows (see `stream_options`), and, made by a session, a connection with an open transaction of
/// its own from the first row to the last; it gives both back at its end, after an error and when it goes. Made by a
/// transaction it shares that one's connection, where other statements may run between two rows. The operation's
/// deadline covers the whole, from opening it to the last row. For one thread at a time.
template <class T>
class row_stream {
 public:
  /// Reads one row; `places` as found for the first ones.
  using reader = result<void> (*)(const rows& from, std::size_t row, const std::size_t* places, T& to);

  row_stream(detail::row_source source, std::vector<std::size_t> places, reader read) noexcept
      : source_(std::move(source)), places_(std::move(places)), read_(read) {}

  /// The next row, or none at the end. After an error there are no more.
  [[nodiscard]] result<std::optional<T>> next() {
    BOOST_OUTCOME_TRY(const bool more, source_.next());
    if (!more) return std::optional<T>();
    std::optional<T> found(std::in_place);
    if (auto done = read_(source_.fetched(), source_.row(), places_.data(), *found); !done) {
      source_.close();
      return std::move(done).error();
    }
    return found;
  }

  /// How many rows are in memory that `next` has not given out yet.
  [[nodiscard]] std::size_t rows_held() const noexcept { return source_.held(); }

 private:
  detail::row_source source_;
  std::vector<std::size_t> places_;
  reader read_;
};

namespace detail {

/// Hands over each row. Returns how many were handed over.
template <class T, class Handler>
[[nodiscard]] result<std::size_t> for_each_row(row_stream<T>& from, Handler& handler) {
  for (std::size_t seen = 0;; ++seen) {
    BOOST_OUTCOME_TRY(auto row, from.next());
    if (!row) return seen;
    BOOST_OUTCOME_TRY(const bool more, hand_over(handler, *std::move(row)));
    if (!more) return seen + 1;
  }
}

}  // namespace detail
}  // namespace breakwater
