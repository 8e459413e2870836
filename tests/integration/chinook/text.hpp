#pragma once

#include <breakwater/breakwater.hpp>

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

/// Rows as text, which is how answers of the library are compared with those that libpq got: a line for each row, a bar
/// between its values, NULL as such, everything else as the server writes it.
namespace chinook {

using lines = std::vector<std::string>;

[[nodiscard]] inline std::string shown(std::string_view text) { return std::string(text); }
template <std::integral T>
[[nodiscard]] std::string shown(T number) {
  if constexpr (std::same_as<T, bool>) {
    return number ? "t" : "f";
  } else {
    return std::to_string(number);
  }
}
template <class T>
requires requires(const T& value) {
  { value.to_string() } -> std::same_as<std::string>;
}
[[nodiscard]] std::string shown(const T& value) { return value.to_string(); }
template <class T>
[[nodiscard]] std::string shown(const std::optional<T>& value) {
  return value ? shown(*value) : "NULL";
}

template <class First, class... More>
[[nodiscard]] std::string line(const First& first, const More&... more) {
  std::string text = shown(first);
  ((text.append("|").append(shown(more))), ...);
  return text;
}
template <class... Values>
[[nodiscard]] std::string line(const std::tuple<Values...>& row) {
  return std::apply([](const auto&... values) { return line(values...); }, row);
}

/// Lines made by `show`; of an error, its message.
template <class T, class Show>
[[nodiscard]] lines listed(const bw::result<std::vector<T>>& found, const Show& show) {
  if (!found) return {found.error().message()};
  lines all;
  all.reserve(found.value().size());
  for (const T& row : found.value()) all.push_back(show(row));
  return all;
}
/// Of values and tuples.
template <class T>
[[nodiscard]] lines listed(const bw::result<std::vector<T>>& found) {
  return listed(found, [](const T& row) { return line(row); });
}

}  // namespace chinook
