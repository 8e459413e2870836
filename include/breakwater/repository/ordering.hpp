#pragma once

#include <breakwater/repository/expression.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace breakwater {

namespace detail {
/// Where NULLs stand in an order. By default as PostgreSQL has it: last when ascending, first when descending.
enum class nulls : std::uint8_t { by_default, first, last };
}  // namespace detail

/// An order by one column: `bw::asc<&Account::id>`, `bw::desc<&Account::balance>.nulls_last()`. NULLs stand where
/// PostgreSQL puts them unless said otherwise: last when ascending, first when descending.
template <class Source>
struct ordering {
  std::string_view column;  ///< "table"."column"
  bool descending = false;
  detail::nulls where_nulls = detail::nulls::by_default;
  std::uint32_t type = oid::unknown;
  bool nullable = false;
  bool sensitive = false;
  const detail::column_info* info = nullptr;

  using sources = detail::source_list<Source>;
  [[nodiscard]] constexpr ordering nulls_first() const noexcept {
    ordering other = *this;
    other.where_nulls = detail::nulls::first;
    return other;
  }
  [[nodiscard]] constexpr ordering nulls_last() const noexcept {
    ordering other = *this;
    other.where_nulls = detail::nulls::last;
    return other;
  }
};

/// An order by an expression: `bw::ascending(bw::lower(bw::col<&Account::owner>))`, `bw::descending(bw::count())`. Also
/// of a column under an alias.
template <class Sources>
class expression_ordering {
 public:
  using sources = Sources;
  expression_ordering(detail::sql_fragment by, bool is_descending, std::uint32_t value_type, bool is_sensitive)
      : sql(std::move(by)), descending(is_descending), type(value_type), sensitive(is_sensitive) {}
  [[nodiscard]] expression_ordering nulls_first() && {
    where_nulls = detail::nulls::first;
    return std::move(*this);
  }
  [[nodiscard]] expression_ordering nulls_last() && {
    where_nulls = detail::nulls::last;
    return std::move(*this);
  }

  detail::sql_fragment sql;
  bool descending;
  detail::nulls where_nulls = detail::nulls::by_default;
  std::uint32_t type;
  bool sensitive;
};

namespace detail {

template <auto Member>
consteval auto make_ordering(bool descending) {
  [[maybe_unused]] constexpr auto checked = make_column_ref<Member, alias_text("")>();
  if constexpr (mapped_member<Member>) {
    using value = value_of<Member>;
    return ordering<source<owner_of<Member>, "">>{.column = as_view(qualified_name_of<Member, alias_text("")>),
                                                  .descending = descending,
                                                  .type = codec<without_optional_t<value>>::type,
                                                  .nullable = is_optional<value>,
                                                  .sensitive = info_of<Member>.sensitive,
                                                  .info = &info_of<Member>};
  } else {
    return 0;
  }
}

template <class Operand>
[[nodiscard]] auto order_by_operand(const Operand& by, bool descending) {
  sql_fragment sql;
  by.append_to(sql);
  return expression_ordering<typename Operand::sources>(
      std::move(sql), descending, codec<without_optional_t<typename Operand::value_type>>::type, by.is_sensitive());
}

}  // namespace detail

template <auto Member>
inline constexpr auto asc = detail::make_ordering<Member>(false);
template <auto Member>
inline constexpr auto desc = detail::make_ordering<Member>(true);

template <detail::any_operand Operand>
[[nodiscard]] auto ascending(const Operand& by) {
  return detail::order_by_operand(by, false);
}
template <detail::any_operand Operand>
[[nodiscard]] auto descending(const Operand& by) {
  return detail::order_by_operand(by, true);
}

}  // namespace breakwater
