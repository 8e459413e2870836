#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

// The text of ranges, apart from the types of their bounds.

namespace breakwater::detail {

/// A range with its bounds as text.
struct range_text {
  std::string lower{};
  std::string upper{};
  bool empty = false;
  bool has_lower = false;
  bool has_upper = false;
  bool lower_inclusive = false;
  bool upper_inclusive = false;
};

/// Cuts one range off the front of `text`, as the server's range_in reads it: "[1,10)", "(,\"a b\"]", "empty". False for
/// anything else; `text` is then anywhere.
[[nodiscard]] bool take_range(std::string_view& text, range_text& out);

/// Appends a range, with the bounds quoted that range_out of the server quotes.
void append_range(std::string& to, const range_text& from);

/// Cuts spaces off the front.
void skip_range_spaces(std::string_view& text) noexcept;

template <class T>
void append_bound(std::string& to, const T& value) {
  if constexpr (std::integral<T>) {
    char digits[20];
    to.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  } else {
    to.append(value.to_string());
  }
}

template <class T>
[[nodiscard]] bool read_bound(std::string_view text, T& to) {
  if constexpr (std::integral<T>) {
    const char* end = text.data() + text.size();
    const auto [at, failure] = std::from_chars(text.data(), end, to);
    return failure == std::errc{} && at == end;
  } else {
    return T::parse_into(text, to);
  }
}

}  // namespace breakwater::detail
