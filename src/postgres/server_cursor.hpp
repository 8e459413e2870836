#pragma once

#include "postgres/transaction_channel.hpp"
#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace breakwater::postgres {

/// A cursor on the server: DECLARE, FETCH and CLOSE on a transaction's connection, between which other statements may
/// run there.
///
///     state    | becomes | when
///     unopened | open    | the first fetch, with which DECLARE travels
///     open     | at_end  | a fetch answered with fewer rows than were asked for
///     any      | gone    | it was closed, or a fetch failed and the transaction with it
class server_cursor {
 public:
  /// `number` is unique among the cursors of the transaction.
  explicit server_cursor(unsigned number);

  /// The next rows, at most `count` and at least one, of `query`: the same request each time, with the values of the
  /// first. None at the end, where nothing is sent.
  [[nodiscard]] result<rows> fetch(transaction_channel& on, const request& query, std::size_t count);
  /// Frees what the server holds for it before the transaction's end would.
  void close(transaction_channel& on, const request& limits) noexcept;
  /// The savepoint in which it was declared was rolled back.
  void lose() noexcept { state_ = state::gone; }
  /// A fetch sends nothing any more.
  [[nodiscard]] bool is_over() const noexcept { return state_ == state::at_end || state_ == state::gone; }

 private:
  enum class state : std::uint8_t { unopened, open, at_end, gone };
  std::string name_;
  state state_ = state::unopened;
};

}  // namespace breakwater::postgres
