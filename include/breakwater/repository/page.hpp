#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace breakwater {

/// A page of a query's rows.
///
/// `page(number, size)` counts pages from 1 and knows the total; what lies before the page is found and thrown away by
/// the server, so late pages cost more. `page(size)` goes by keyset: it begins behind `after`'s cursor, whatever was
/// inserted or deleted meanwhile, and costs the same anywhere.
template <class T>
struct page {
  std::vector<T> items{};
  /// For `after`, of the page that follows; empty: there is none.
  std::string next_cursor{};
  /// For `before`, of the page in front; empty: this is the first. A numbered page has none.
  std::string previous_cursor{};
  /// \name Of numbered pages only.
  /// @{
  std::optional<std::int64_t> total{};  ///< rows of all pages
  std::int64_t number = 0;              ///< from 1
  std::int64_t size = 0;                ///< rows to a page
  /// @}

  /// How many numbered pages there are; 0 where the total is not known.
  [[nodiscard]] std::int64_t page_count() const noexcept { return total && size > 0 ? (*total + size - 1) / size : 0; }
};

}  // namespace breakwater
