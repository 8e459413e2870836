#pragma once

#include <breakwater/repository/operand.hpp>

#include <string_view>

namespace breakwater {

/// A mapped column in a query. Use through `bw::col`.
///
/// Comparisons follow SQL: with NULL in the column they are neither true nor false, so `col != v` leaves out rows
/// where the column is NULL. Compared with `std::nullopt` (or an empty optional) they become IS [NOT] NULL.
template <auto Member, detail::alias_text Alias>
requires detail::mapped_member<Member>
class column_ref : public operand<column_ref<Member, Alias>, detail::value_of<Member>,
                                  detail::source_list<detail::source<detail::owner_of<Member>, Alias>>> {
 public:
  using entity_type = detail::owner_of<Member>;
  using source_type = detail::source<entity_type, Alias>;

  /// "table"."column", quoted.
  [[nodiscard]] static constexpr std::string_view sql_name() noexcept {
    return detail::as_view(detail::qualified_name_of<Member, Alias>);
  }
  /// The column's own name, for errors about values it is compared with.
  [[nodiscard]] static constexpr std::string_view column_name() noexcept { return detail::info_of<Member>.name; }
  [[nodiscard]] static constexpr bool is_sensitive() noexcept { return detail::info_of<Member>.sensitive; }
  static void append_to(detail::sql_fragment& sql) { sql.add(sql_name()); }
};

namespace detail {

template <auto Member, alias_text Alias>
consteval auto make_column_ref() {
  static_assert(entity<owner_of<Member>>,
                "breakwater: the class of this member has no mapping; specialise breakwater::mapping for it");
  static_assert(mapped_member<Member>,
                "breakwater: this member is not mapped; add a bw::column for it to its class's mapping");
  if constexpr (mapped_member<Member>) {
    return column_ref<Member, Alias>{};
  } else {
    return 0;
  }
}

}  // namespace detail

/// A mapped column in a condition, an order or an assignment: `bw::col<&Account::balance> > 5`. With an alias where a
/// query holds the same entity twice: `bw::col<&Employee::name, "manager">`.
template <auto Member, detail::alias_text Alias = "">
inline constexpr auto col = detail::make_column_ref<Member, Alias>();

}  // namespace breakwater
