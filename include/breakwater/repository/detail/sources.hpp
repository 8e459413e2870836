#pragma once

#include <breakwater/repository/detail/entity_traits.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>

/// Which tables the columns of a condition or an expression belong to, as types: so that a column of an entity that is
/// not in the query does not compile. For the library's own use.
namespace breakwater::detail {

/// A text as a template argument: an alias of `col`.
template <std::size_t N>
struct alias_text {
  char text[N]{};
  consteval alias_text(const char (&from)[N]) {
    for (std::size_t i = 0; i < N; ++i) text[i] = from[i];
  }
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {text, N - 1}; }
};

/// An entity as it stands in a query, under its own table's name or under an alias.
template <class E, alias_text Alias>
struct source {};

/// Stands among the sources of whatever contains an aggregate function: such a thing belongs into `select`, `having` and
/// `order_by`, and not into `where`.
struct aggregated {};

template <class... Sources>
struct source_list {
  template <class S>
  static constexpr bool contains = (std::same_as<S, Sources> || ...);
};

template <class List, class... More>
struct add_sources {
  using type = List;
};
template <class... Have, class Next, class... More>
struct add_sources<source_list<Have...>, Next, More...>
    : add_sources<std::conditional_t<source_list<Have...>::template contains<Next>, source_list<Have...>,
                                     source_list<Have..., Next>>,
                  More...> {};

template <class... Lists>
struct union_of {
  using type = source_list<>;
};
template <class Only>
struct union_of<Only> {
  using type = Only;
};
template <class First, class... Second, class... Rest>
struct union_of<First, source_list<Second...>, Rest...>
    : union_of<typename add_sources<First, Second...>::type, Rest...> {};
/// All sources of the lists, each once.
template <class... Lists>
using union_of_sources = typename union_of<Lists...>::type;

// ---- how a column is written ----------------------------------------------------------------------------------------

// Without the schema: in a query a table is known by its name or its alias alone, and where the table is a sub-query
// there is no schema.
template <auto Member, alias_text Alias>
constexpr void write_qualified_name(text_out& out) noexcept {
  constexpr std::string_view table = Alias.view().empty() ? view_of<owner_of<Member>>.name.table : Alias.view();
  write_column(out, {.schema = {}, .table = table}, info_of<Member>.name);
}

template <auto Member, alias_text Alias>
consteval auto qualified_name_text() {
  constexpr std::size_t size = [] {
    text_out counter;
    write_qualified_name<Member, Alias>(counter);
    return counter.size();
  }();
  std::array<char, size + 1> text{};
  text_out out(text.data());
  write_qualified_name<Member, Alias>(out);
  return text;
}

template <auto Member, alias_text Alias>
inline constexpr auto qualified_name_of = qualified_name_text<Member, Alias>();

}  // namespace breakwater::detail
