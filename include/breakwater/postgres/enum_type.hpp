#pragma once

#include <breakwater/postgres/codec.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

/// Enumerations as enum types of the database.
///
///     enum class colour { red, green };
///     template <>
///     inline constexpr auto breakwater::enum_labels<colour> =
///         bw::enum_type("colour", bw::label(colour::red, "red"), bw::label(colour::green, "green"));
///
/// From then on `colour` is a column's type like any other. The codec is stateless: any number of threads may use it.
namespace breakwater {
namespace detail {

struct enum_entry {
  std::int64_t value = 0;
  std::string_view label{};
};

template <class E>
struct enum_label {
  E value;
  std::string_view text;
};

/// The labels of E, once in the order of the values and once in that of the texts.
template <class E, std::size_t N>
struct enum_def {
  std::string_view sql_type{};
  std::array<enum_entry, N> by_value{};
  std::array<enum_entry, N> by_label{};
};

struct no_enum {};

/// The entry of this value, or null. `sorted` by value. Logarithmic.
[[nodiscard]] const enum_entry* find_value(std::span<const enum_entry> sorted, std::int64_t value) noexcept;
/// The entry of this label, or null. `sorted` by label. Logarithmic.
[[nodiscard]] const enum_entry* find_label(std::span<const enum_entry> sorted, std::string_view label) noexcept;

constexpr void check_label(std::string_view label) {
  if (label.empty() || label.size() > 63) throw "breakwater: an enum's label has 1 to 63 bytes";
  for (const char c : label) {
    if (c == '\0') throw "breakwater: a label can not contain a NUL byte";
  }
}

/// By insertion: the labels are few. Equal neighbours are a mistake.
template <std::size_t N, class Less>
constexpr void sort_entries(std::array<enum_entry, N>& entries, Less less) {
  for (std::size_t i = 1; i < N; ++i) {
    for (std::size_t k = i; k > 0 && !less(entries[k - 1], entries[k]); --k) {
      if (!less(entries[k], entries[k - 1])) throw "breakwater: an enum's value or label is given twice";
      const enum_entry moved = entries[k];
      entries[k] = entries[k - 1];
      entries[k - 1] = moved;
    }
  }
}

}  // namespace detail

/// The labels of E, made by `bw::enum_type`; specialise it.
template <class E>
inline constexpr auto enum_labels = detail::no_enum{};

/// What a value is called in the database, letter by letter.
template <class E>
requires std::is_enum_v<E>
[[nodiscard]] consteval detail::enum_label<E> label(E value, std::string_view text) {
  detail::check_label(text);
  return {value, text};
}

/// An enum type of the database, named as in SQL ("crm.colour", "\"Colour\""), with all its labels. A value or a label
/// that is given twice does not compile.
///
/// A label that the server sends and this list does not have is `errc::data_error` naming the column; so is a value
/// without a label, before anything is sent.
template <class E, class... More>
requires(std::same_as<More, detail::enum_label<E>>&&...)
    [[nodiscard]] consteval auto enum_type(std::string_view sql_type, detail::enum_label<E> first, More... more) {
  detail::enum_def<E, 1 + sizeof...(More)> made{.sql_type = sql_type};
  made.by_value = {detail::enum_entry{static_cast<std::int64_t>(first.value), first.text},
                   detail::enum_entry{static_cast<std::int64_t>(more.value), more.text}...};
  made.by_label = made.by_value;
  detail::sort_entries(made.by_value,
                       [](const detail::enum_entry& a, const detail::enum_entry& b) { return a.value < b.value; });
  detail::sort_entries(made.by_label,
                       [](const detail::enum_entry& a, const detail::enum_entry& b) { return a.label < b.label; });
  return made;
}

namespace detail {

template <class E>
inline constexpr bool has_labels = !std::same_as<std::remove_cvref_t<decltype(enum_labels<E>)>, no_enum>;

}  // namespace detail

template <class E>
requires(std::is_enum_v<E>&& detail::has_labels<E>) struct codec<E> {
  static constexpr std::string_view sql_type = enum_labels<E>.sql_type;
  static constexpr std::uint32_t type = oid::unknown;  // it has another number in each database
  static constexpr detail::any_type reads{};
  static constexpr bool has_named_type = true;

  static void encode(E value, parameters& out) {
    const detail::enum_entry* found = detail::find_value(enum_labels<E>.by_value, static_cast<std::int64_t>(value));
    if (found == nullptr) return out.refuse("is an enumerator without a label; add one to its bw::enum_type");
    out.add_text(found->label, type);
  }
  static bool decode(std::string_view text, E& out) noexcept {
    const detail::enum_entry* found = detail::find_label(enum_labels<E>.by_label, text);
    if (found == nullptr) return false;
    out = static_cast<E>(found->value);
    return true;
  }
};

}  // namespace breakwater
