#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/codec.hpp>
#include <breakwater/postgres/rows.hpp>
#include <breakwater/repository/detail/entity_traits.hpp>
#include <breakwater/repository/detail/hook_traits.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

/// From the server's rows to members. For the library's own use.
namespace breakwater::detail {

/// What a result column has to be to fill a member.
struct field_type {
  std::string_view column;
  std::span<const std::uint32_t> reads;  // empty: any type
  bool nullable = false;
  bool named_type = false;  // of a type with another number in each database: its name has to be right
};

template <class T>
constexpr field_type field_type_of(std::string_view column) noexcept {
  using value = without_optional_t<T>;
  return {
      .column = column, .reads = codec<value>::reads, .nullable = is_optional<T>, .named_type = has_named_type<value>};
}

/// Errors: `mapping_mismatch` naming the first column whose type the member can not hold. The fields' columns begin at
/// `first` in the answer.
[[nodiscard]] result<void> check_types(const rows& answer, std::span<const field_type> fields, std::string_view table,
                                       std::size_t first = 0);

/// The same for one column.
[[nodiscard]] result<void> check_type(const rows& answer, std::size_t column, std::span<const std::uint32_t> reads,
                                      std::string_view name);

/// The value does not fit the member, or is NULL where the member holds no NULL.
[[nodiscard]] error bad_cell(bool null, std::string_view table, std::string_view column);

template <class T>
[[nodiscard]] bool decode_cell(const cell& from, T& to) {
  if constexpr (is_optional<T>) {
    if (from.null) {
      to.reset();
      return true;
    }
    return codec<typename T::value_type>::decode(from.text, to.emplace());
  } else {
    return !from.null && codec<T>::decode(from.text, to);
  }
}

template <class E>
inline constexpr auto field_types = [] {
  std::array<field_type, view_of<E>.columns.size()> fields{};
  for_each_member(mapping_of<E>, [&](auto i, auto member) {
    using value = typename member_traits<decltype(member)>::value;
    fields[i] = field_type_of<value>(view_of<E>.columns[i].name);
  });
  return fields;
}();

/// Nothing of the table is in this row: an outer join found none. Told by the key, or by all columns where there is none.
[[nodiscard]] bool is_absent(const rows& answer, std::size_t row, std::size_t first, const table_view& table) noexcept;

/// Fills an entity from a row whose columns from `first` on are those of the mapping, in its order.
template <entity E>
[[nodiscard]] result<void> decode_entity(const rows& answer, std::size_t row, E& to, std::size_t first = 0) {
  std::size_t failed = view_of<E>.columns.size();
  for_each_member(mapping_of<E>, [&](auto i, auto member) {
    if (failed == view_of<E>.columns.size() && !decode_cell(answer.at(row, first + i), to.*member)) failed = i;
  });
  if (failed < view_of<E>.columns.size()) {
    return bad_cell(answer.at(row, first + failed).null, view_of<E>.name.table, view_of<E>.columns[failed].name);
  }
  loaded(to);
  return success();
}

template <entity E>
[[nodiscard]] result<std::vector<E>> decode_entities(const rows& answer) {
  BOOST_OUTCOME_TRY(check_types(answer, field_types<E>, view_of<E>.name.table));
  std::vector<E> all(answer.size());
  for (std::size_t row = 0; row < all.size(); ++row) {
    BOOST_OUTCOME_TRY(decode_entity(answer, row, all[row]));
  }
  return all;
}

/// REQUIRES that the answer has a row.
template <entity E>
[[nodiscard]] result<E> decode_first(const rows& answer) {
  BOOST_OUTCOME_TRY(check_types(answer, field_types<E>, view_of<E>.name.table));
  E found{};
  BOOST_OUTCOME_TRY(decode_entity(answer, 0, found));
  return found;
}

}  // namespace breakwater::detail
