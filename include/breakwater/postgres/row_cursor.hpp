#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/rows.hpp>

#include <cstddef>

namespace breakwater {

/// The result of a statement, fetched piece by piece: a cursor on the server, inside a transaction.
///
/// Gives back what it holds when its end is reached, when a fetch fails and when it goes. For one thread at a time.
class row_cursor {
 public:
  row_cursor() = default;
  row_cursor(const row_cursor&) = delete;
  row_cursor& operator=(const row_cursor&) = delete;
  virtual ~row_cursor() = default;

  /// The next `count` rows, at least 1; fewer at the end, and then none. One round trip, and none after the end.
  [[nodiscard]] virtual result<rows> fetch(std::size_t count) = 0;
};

}  // namespace breakwater
