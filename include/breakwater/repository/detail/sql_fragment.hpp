#pragma once

#include <breakwater/postgres/parameters.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace breakwater::detail {

/// A piece of SQL with the values it binds. In the text each value is a placeholder byte, and becomes $1, $2, ... when
/// the whole statement is put together: pieces can be joined in any order. No SQL text or quoted identifier can
/// contain a NUL byte, so the placeholder can not be confused with anything.
struct sql_fragment {
  static constexpr char placeholder = '\0';

  std::string text{};
  parameters values{};

  [[nodiscard]] bool empty() const noexcept { return text.empty(); }
  sql_fragment& add(std::string_view sql) {
    text.append(sql);
    return *this;
  }
  sql_fragment& add(const sql_fragment& other) {
    text.append(other.text);
    values.append(other.values);
    return *this;
  }
};

/// Appends the one value `from[i]`.
void append_value(parameters& to, const parameters& from, std::size_t i);

/// The text with its placeholders numbered from $1.
[[nodiscard]] std::string numbered(std::string_view text);

/// The text with its values in place of the placeholders, as SQL literals, for people to read: sensitive ones are
/// '***'. Not for execution.
[[nodiscard]] std::string with_values_inlined(const sql_fragment& statement);

}  // namespace breakwater::detail
