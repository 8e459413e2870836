#pragma once

#include <breakwater/postgres/codec.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

/// Structs as composite types of the database.
///
///     struct address { std::string street{}; std::optional<std::string> zip{}; };
///     // create type address as (street text, zip text)
///     template <>
///     inline constexpr auto breakwater::composite<address> =
///         bw::composite_type("address", &address::street, &address::zip);
///
/// From then on `address` is a column's type like any other, alone, in optionals and in vectors. The codec is stateless:
/// any number of threads may use it.
namespace breakwater {
namespace detail {

template <class Owner, class... Values>
struct composite_def {
  std::string_view sql_type;
  std::tuple<Values Owner::*...> members;
};

struct no_composite {};

/// Puts a composite's text together: (1,"a b",,""). Fields are quoted where record_out of the server quotes them.
class record_writer {
 public:
  /// Appends the first value of `field`, and forgets what `field` holds.
  void add(parameters& field);
  void finish(parameters& out);

 private:
  std::string text_;
  const char* refused_ = nullptr;
};

/// Takes a composite's text apart, field by field.
class record_reader {
 public:
  explicit record_reader(std::string_view text) noexcept : rest_(text) {}

  /// False when there is none left, or the text is no composite's.
  [[nodiscard]] bool next(text_part& out);
  /// Was that the last one, and nothing behind it?
  [[nodiscard]] bool at_end() noexcept { return closed_ && rest_.empty(); }

 private:
  std::string_view rest_;
  std::string unescaped_;
  bool opened_ = false;
  bool closed_ = false;
};

template <class T>
[[nodiscard]] bool read_field(record_reader& from, T& to) {
  text_part part;
  if (!from.next(part)) return false;
  if constexpr (is_optional<T>) {
    if (part.null) {
      to.reset();
      return true;
    }
    return codec<typename T::value_type>::decode(part.text, to.emplace());
  } else {
    return !part.null && codec<T>::decode(part.text, to);
  }
}

}  // namespace detail

/// The composite type of T, made by `bw::composite_type`; specialise it.
template <class T>
inline constexpr auto composite = detail::no_composite{};

/// A composite type of the database, named as in SQL ("address", "crm.address"), and the members that are its
/// attributes, all of them and in their order. A member is anything with a codec, or an optional of it.
///
/// NULL in an attribute whose member is no optional, or another number of attributes, is `errc::data_error` naming the
/// column.
template <class Owner, class... Values>
[[nodiscard]] consteval auto composite_type(std::string_view sql_type, Values Owner::*... members) {
  static_assert(sizeof...(Values) > 0, "breakwater: a composite type needs at least one member");
  static_assert((column_type<Values> && ...),
                "breakwater: a member of this composite type has no bw::codec; specialise one");
  return detail::composite_def<Owner, Values...>{sql_type, {members...}};
}

namespace detail {

template <class T>
inline constexpr bool is_composite = !std::same_as<std::remove_cvref_t<decltype(composite<T>)>, no_composite>;

}  // namespace detail

template <class T>
requires(std::is_class_v<T>&& detail::is_composite<T>) struct codec<T> {
  static constexpr std::string_view sql_type = composite<T>.sql_type;
  static constexpr std::uint32_t type = oid::unknown;  // it has another number in each database
  static constexpr detail::any_type reads{};
  static constexpr bool has_named_type = true;
  static constexpr bool compares_by_cast = true;  // `column = $1` alone would make $1 an anonymous record

  static void encode(const T& value, parameters& out) {
    detail::record_writer text;
    parameters field;
    std::apply([&](auto... member) { ((bind(field, value.*member), text.add(field)), ...); }, composite<T>.members);
    text.finish(out);
  }
  static bool decode(std::string_view text, T& out) {
    detail::record_reader in(text);
    const bool read =
        std::apply([&](auto... member) { return (detail::read_field(in, out.*member) && ...); }, composite<T>.members);
    return read && in.at_end();
  }
};

}  // namespace breakwater
