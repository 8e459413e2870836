#pragma once

#include <breakwater/postgres/codec.hpp>
#include <breakwater/repository/attributes.hpp>

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// The values that raw SQL is given, and how each travels to the server.
namespace breakwater {
namespace detail {

template <class T>
inline constexpr bool is_character_type =
    std::is_same_v<T, char> || std::is_same_v<T, wchar_t> || std::is_same_v<T, char8_t> ||
    std::is_same_v<T, char16_t> || std::is_same_v<T, char32_t>;

/// Integers of every width and sign, but neither bool nor characters.
template <class T>
inline constexpr bool is_plain_integer = std::is_integral_v<T> && !std::is_same_v<T, bool> && !is_character_type<T>;

template <class T>
inline constexpr bool is_null_literal = std::is_same_v<T, std::nullptr_t> || std::is_same_v<T, std::nullopt_t>;

template <class T>
inline constexpr bool is_text = std::is_convertible_v<const T&, std::string_view>;

/// One value: not NULL by itself, not a list.
template <class T>
inline constexpr bool is_scalar_argument = has_codec<T> || is_plain_integer<T> || std::is_same_v<T, char> || is_text<T>;

template <class T>
inline constexpr bool is_element_argument = is_scalar_argument<without_optional_t<T>>;

template <class T>
struct element_of {
  using type = void;
};
template <class T>
requires requires(const T& values) {
  std::begin(values) != std::end(values);
  *std::begin(values);
}
struct element_of<T> {
  using type = std::remove_cvref_t<decltype(*std::begin(std::declval<const T&>()))>;
};

template <class T>
inline constexpr bool is_list_argument = is_element_argument<typename element_of<T>::type>;
template <class T>
requires std::is_void_v<typename element_of<T>::type>
inline constexpr bool is_list_argument<T> = false;

template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;

/// A list, rather than a value that happens to be a range: text, or a type whose own codec makes one value of it.
template <class T>
inline constexpr bool is_list = is_list_argument<T> && !is_text<T> && (is_vector<T> || !has_codec<T>);

/// Anything that raw SQL takes as a value.
template <class T>
inline constexpr bool is_argument =
    is_null_literal<T> || is_element_argument<T> || is_list_argument<without_optional_t<T>>;

/// Integers go out as the smallest PostgreSQL type that holds all values of their C++ type; of 64
/// unsigned bits, values beyond bigint as numeric.
template <class Int>
void add_integer(parameters& out, Int value) {
  if constexpr (std::numeric_limits<Int>::digits <= 15) {
    codec<std::int16_t>::encode(static_cast<std::int16_t>(value), out);
  } else if constexpr (std::numeric_limits<Int>::digits <= 31) {
    codec<std::int32_t>::encode(static_cast<std::int32_t>(value), out);
  } else if (std::in_range<std::int64_t>(value)) {
    codec<std::int64_t>::encode(static_cast<std::int64_t>(value), out);
  } else {
    constexpr std::size_t longest = 20;  // 18446744073709551615
    char* at = out.reserve(longest);
    const char* end = std::to_chars(at, at + longest, value).ptr;
    out.commit(static_cast<std::size_t>(end - at), oid::numeric);
  }
}

/// What a NULL of this C++ type is sent as.
template <class T>
constexpr std::uint32_t null_type() noexcept {
  if constexpr (has_codec<T>) {
    return codec<T>::type;
  } else if constexpr (is_plain_integer<T>) {
    return std::numeric_limits<T>::digits <= 15   ? oid::int2
           : std::numeric_limits<T>::digits <= 31 ? oid::int4
                                                  : oid::int8;
  } else {
    return oid::unknown;
  }
}

/// The text before the first NUL, or all of it.
template <std::size_t N>
constexpr std::string_view text_of(const char (&text)[N]) noexcept {
  const std::string_view whole(text, N);
  return whole.substr(0, whole.find('\0'));
}

template <class T>
void add_scalar(parameters& out, const T& value) {
  if constexpr (has_codec<T>) {
    codec<T>::encode(value, out);
  } else if constexpr (is_plain_integer<T>) {
    add_integer(out, value);
  } else if constexpr (std::is_same_v<T, char>) {
    out.add_text(std::string_view(&value, 1));
  } else if constexpr (std::is_array_v<T>) {
    out.add_text(text_of(value));
  } else if constexpr (std::is_pointer_v<T>) {
    value == nullptr ? out.add_null() : out.add_text(std::string_view(value));
  } else {
    out.add_text(static_cast<std::string_view>(value));
  }
}

/// Appends one value; a list as one array.
template <class T>
void add_argument(parameters& out, const T& value) {
  static_assert(is_argument<T>,
                "breakwater: an argument of raw SQL needs to be a value with a bw::codec, an "
                "integer, text, an optional or a list of these, or nullptr");
  if constexpr (is_null_literal<T>) {
    out.add_null();
  } else if constexpr (is_optional<T>) {
    if (value) {
      add_argument(out, *value);
    } else {
      out.add_null(null_type<typename T::value_type>());
    }
  } else if constexpr (is_scalar_argument<T>) {
    add_scalar(out, value);
  } else if constexpr (is_list_argument<T>) {
    using element = typename element_of<T>::type;
    if constexpr (column_type<element>) {
      bind_array(out, value);
    } else {
      array_text text;
      parameters one;
      for (const auto& each : value) {
        add_argument(one, each);
        text.add(one);
      }
      text.finish(out);
    }
  }
}

using sensitive_t = std::remove_cv_t<decltype(breakwater::sensitive)>;

}  // namespace detail

/// A named value for raw SQL, made by `bw::arg`. Owns its name and its value's text.
struct named_argument {
  std::string name;
  parameters value;
  bool list = false;
};

/// The value of `:name`: an integer, text, anything with a codec, an optional of these, nullptr for
/// NULL, or a list, for `where id in (:ids)` or `= any(:ids)`; see `raw_query`. Names are compared byte by byte.
template <class T>
[[nodiscard]] named_argument arg(std::string_view name, const T& value) {
  named_argument made{.name = std::string(name), .value = {}, .list = detail::is_list<without_optional_t<T>>};
  detail::add_argument(made.value, value);
  return made;
}
/// The same for a value that shall never be seen: `bw::arg("email", email, bw::sensitive)` shows as
/// '***'.
template <class T>
[[nodiscard]] named_argument arg(std::string_view name, const T& value, detail::sensitive_t /*mark*/) {
  named_argument made = arg(name, value);
  made.value.mark_sensitive();
  return made;
}

namespace detail {

/// The arguments of one raw statement in the order given, while its placeholders are found. Names
/// are views.
struct raw_arguments {
  parameters values{};
  std::vector<std::string_view> names{};  // of the named ones
  std::size_t positional = 0;
  std::vector<std::size_t> lists{};  // which of the values are lists

  void add(const named_argument& given) {
    if (given.list) lists.push_back(values.size());
    names.push_back(given.name);
    values.append(given.value);
  }
  template <class T>
  void add(const T& value) {
    if (is_list<without_optional_t<T>>) lists.push_back(values.size());
    ++positional;
    add_argument(values, value);
  }
};

}  // namespace detail
}  // namespace breakwater
