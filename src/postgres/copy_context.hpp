#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace breakwater::postgres {

/// Where in the data of a COPY ... FROM an error was found.
struct copy_place {
  std::optional<std::size_t> row{};  ///< from 1
  std::string_view column{};         ///< one of those that were asked about, or empty
};

/// Reads the CONTEXT of an error, such as `COPY accounts, line 3, column balance: "1O.00"`, of which nothing but the
/// number and the name of a column known beforehand is taken: what follows quotes the data. Words of other languages
/// than English are understood where the order is the same.
[[nodiscard]] copy_place read_copy_context(std::string_view context, std::string_view table,
                                           std::span<const std::string_view> columns) noexcept;

}  // namespace breakwater::postgres
