#pragma once

#include <breakwater/repository/detail/entity_traits.hpp>
#include <breakwater/repository/detail/relation_sql.hpp>
#include <breakwater/repository/relations.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

/// What the library derives from a relation's definition at compile time, once both mappings are there. For the
/// library's own use.
namespace breakwater::detail {

template <auto... A, auto... B>
consteval member_list<A..., B...> operator+(member_list<A...> /*a*/, member_list<B...> /*b*/) {
  return {};
}

// ---- finding a definition -----------------------------------------------------------------------------------------

template <auto Member, relation_kind Kind, auto Defined, class ForeignKey, class... Options>
consteval bool is_definition_of(std::type_identity<relation_def<Kind, Defined, ForeignKey, Options...>> /*relation*/) {
  return same_member<Member, Defined>();
}

struct no_relation {
  static constexpr std::size_t place = static_cast<std::size_t>(-1);
};
template <std::size_t Place, class Def>
struct relation_at {
  static constexpr std::size_t place = Place;
  using def = Def;
};

template <auto Member, class... Defs, auto... Members>
consteval auto find_relation(const related_table_def<std::tuple<Defs...>, Members...>& /*mapping*/) {
  constexpr std::array<bool, sizeof...(Defs)> found{is_definition_of<Member>(std::type_identity<Defs>{})...};
  constexpr std::size_t place = [&] {
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (found[i]) return i;
    }
    return no_relation::place;
  }();
  if constexpr (place == no_relation::place) {
    return no_relation{};
  } else {
    static_assert((std::size_t{is_definition_of<Member>(std::type_identity<Defs>{})} + ...) == 1,
                  "breakwater: two relations of a mapping fill the same member");
    return relation_at<place, std::tuple_element_t<place, std::tuple<Defs...>>>{};
  }
}
template <auto Member>
consteval auto find_relation(const auto& /*a mapping without relations, or none*/) {
  return no_relation{};
}

template <auto Member>
using relation_of = decltype(find_relation<Member>(mapping_of<owner_of<Member>>));

/// The member is filled by a relation.
template <auto Member>
consteval bool check_is_relation() {
  constexpr bool found = !std::same_as<relation_of<Member>, no_relation>;
  static_assert(found,
                "breakwater: this member has no relation in its entity's mapping; add a bw::has_many, bw::has_one, "
                "bw::belongs_to or bw::many_to_many to its bw::table");
  return found;
}

// ---- options ------------------------------------------------------------------------------------------------------

template <auto Target>
member_list<Target> referenced_members(std::type_identity<references_attribute<Target>>);
template <class Option>
member_list<> referenced_members(std::type_identity<Option>);

template <auto TypeMember, class Value>
member_list<TypeMember> type_members(std::type_identity<polymorphic_option<TypeMember, Value>>);
template <class Option>
member_list<> type_members(std::type_identity<Option>);

template <class... Options>
struct relation_options {
  using references = decltype((member_list<>{} + ... + referenced_members(std::type_identity<Options>{})));
  using types = decltype((member_list<>{} + ... + type_members(std::type_identity<Options>{})));
};

template <auto Member, bool Descending>
consteval void add_order(relation_order*& to, order_option<Member, Descending> /*option*/) {
  *to++ = {.column = info_of<Member>.name, .descending = Descending};
}
consteval void add_order(relation_order*& /*to*/, const auto& /*another option*/) {}

template <class Option>
inline constexpr bool is_order = false;
template <auto Member, bool Descending>
inline constexpr bool is_order<order_option<Member, Descending>> = true;

template <class Target, class Option>
inline constexpr bool orders_by_target = true;
template <class Target, auto Member, bool Descending>
inline constexpr bool orders_by_target<Target, order_option<Member, Descending>> =
    std::same_as<owner_of<Member>, Target>&& mapped_member<Member>;

// ---- keys ---------------------------------------------------------------------------------------------------------

template <class E, auto... Members, std::size_t... I>
auto primary_members_of(const table_def<Members...>&, std::index_sequence<I...>)
    -> decltype((member_list<>{} + ... +
                 std::conditional_t<view_of<E>.columns[I].primary_key, member_list<Members>, member_list<>>{}));

/// The members of E's primary key, in mapping order.
template <class E>
using primary_members =
    decltype(primary_members_of<E>(mapping_of<E>, std::make_index_sequence<view_of<E>.columns.size()>{}));

template <class E, auto... Members>
consteval bool all_mapped_in(member_list<Members...> /*members*/) {
  if constexpr ((std::same_as<owner_of<Members>, E> && ...)) {
    return (mapped_member<Members> && ...);
  } else {
    return false;
  }
}

template <auto... A, auto... B>
consteval bool same_count(member_list<A...> /*a*/, member_list<B...> /*b*/) {
  return sizeof...(A) == sizeof...(B);
}

/// Pair by pair the same type, but that either may be optional.
template <auto... A, auto... B>
consteval bool same_types(member_list<A...> /*a*/, member_list<B...> /*b*/) {
  if constexpr (sizeof...(A) == sizeof...(B)) {
    return (std::same_as<without_optional_t<value_of<A>>, without_optional_t<value_of<B>>> && ...);
  } else {
    return true;  // another message's business
  }
}

template <auto... Members>
consteval auto names_of(member_list<Members...> /*members*/) {
  return std::array<std::string_view, sizeof...(Members)>{info_of<Members>.name...};
}
template <auto... Members>
consteval bool any_sensitive(member_list<Members...> /*members*/) {
  return (info_of<Members>.sensitive || ...);
}
template <auto... Members>
consteval std::size_t count_of(member_list<Members...> /*members*/) {
  return sizeof...(Members);
}

/// Appends these members of an entity.
template <class E, auto... Members>
void bind_members(parameters& to, const E& from, member_list<Members...> /*members*/) {
  (bind(to, from.*Members), ...);
}

// ---- the two kinds of relation ------------------------------------------------------------------------------------

/// has_many, has_one, belongs_to: the foreign key stands on one of the two sides.
template <relation_kind Kind, auto Member, class ForeignKey, class... Options>
struct direct_relation {
  using owner = owner_of<Member>;
  using target = target_of<Member>;
  using options = relation_options<Options...>;
  static constexpr bool owner_holds_key = Kind == relation_kind::belongs_to;

  static_assert(entity<target>, "breakwater: the related entity has no mapping");

  // Where the key stands that the foreign key holds, and where the foreign key does.
  using keyed = std::conditional_t<owner_holds_key, target, owner>;
  using holder = std::conditional_t<owner_holds_key, owner, target>;
  using key = std::conditional_t<count_of(typename options::references{}) == 0, primary_members<keyed>,
                                 typename options::references>;

  static_assert(all_mapped_in<holder>(ForeignKey{}), "breakwater: a relation's foreign key is not a mapped column");
  static_assert(all_mapped_in<keyed>(key{}),
                "breakwater: what a relation references with bw::references is not a mapped column of the entity whose "
                "key the foreign key holds");
  static_assert(count_of(key{}) > 0,
                "breakwater: a relation needs a key to reference: a primary key, or bw::references<&Entity::member>()");
  static_assert(same_count(ForeignKey{}, key{}),
                "breakwater: a relation's foreign key has as many members as the key that it holds");
  static_assert(same_types(ForeignKey{}, key{}),
                "breakwater: a relation's foreign key and the key that it holds have different types");
  static_assert(all_mapped_in<holder>(typename options::types{}) && count_of(typename options::types{}) <= 1,
                "breakwater: bw::polymorphic names one mapped column, beside the foreign key");
  static_assert((orders_by_target<target, Options> && ...),
                "breakwater: a relation is ordered by mapped columns of the related entity");

  using owner_key = std::conditional_t<owner_holds_key, ForeignKey, key>;
  using target_key = std::conditional_t<owner_holds_key, key, ForeignKey>;
  static constexpr bool polymorphic = count_of(typename options::types{}) > 0;

  static constexpr bool sensitive = any_sensitive(ForeignKey{} + key{});
  static constexpr auto matched = names_of(target_key{});
  static constexpr auto type_columns = names_of(typename options::types{});
};

/// many_to_many: both foreign keys stand in a join entity.
template <auto Member, auto ToThis, auto ToOther, class... Options>
struct linked_relation {
  using owner = owner_of<Member>;
  using target = target_of<Member>;
  using link = owner_of<ToThis>;

  static_assert(entity<target>, "breakwater: the related entity has no mapping");
  static_assert(entity<link>, "breakwater: the join entity of a many_to_many has no mapping");
  using owner_key = primary_members<owner>;
  using target_key = primary_members<target>;
  static_assert(all_mapped_in<link>(member_list<ToThis, ToOther>{}),
                "breakwater: a relation's foreign key is not a mapped column");
  static_assert(count_of(owner_key{}) == 1 && count_of(target_key{}) == 1,
                "breakwater: a many_to_many relates entities whose primary keys have one column each");
  static_assert(same_types(member_list<ToThis, ToOther>{}, owner_key{} + target_key{}),
                "breakwater: a relation's foreign key and the key that it holds have different types");
  static_assert((is_order<Options> && ...),
                "breakwater: a many_to_many has no other options than bw::order_by and bw::order_by_desc");
  static_assert((orders_by_target<target, Options> && ...),
                "breakwater: a relation is ordered by mapped columns of the related entity");

  using to_owner = member_list<ToThis>;
  static constexpr bool sensitive = any_sensitive(member_list<ToThis>{} + owner_key{});
  static constexpr std::array<std::string_view, 1> matched{info_of<ToThis>.name};
  static constexpr std::string_view link_to_target = info_of<ToOther>.name;
  static constexpr auto target_names = names_of(target_key{});
};

// ---- by member ----------------------------------------------------------------------------------------------------

template <class... Options>
consteval auto order_of(std::type_identity<std::tuple<Options...>> /*options*/) {
  std::array<relation_order, (std::size_t{is_order<Options>} + ... + 0)> order{};
  [[maybe_unused]] relation_order* next = order.data();
  (add_order(next, Options{}), ...);
  return order;
}

template <class Def>
struct relation_types;
template <relation_kind Kind, auto Member, class ForeignKey, class... Options>
struct relation_types<relation_def<Kind, Member, ForeignKey, Options...>> {
  using sides = direct_relation<Kind, Member, ForeignKey, Options...>;
  using options = std::type_identity<std::tuple<Options...>>;
  static constexpr bool linked = false;
};
template <auto Member, auto ToThis, auto ToOther, class... Options>
struct relation_types<relation_def<relation_kind::many_to_many, Member, member_list<ToThis, ToOther>, Options...>> {
  using sides = linked_relation<Member, ToThis, ToOther, Options...>;
  using options = std::type_identity<std::tuple<Options...>>;
  static constexpr bool linked = true;
};

/// Everything about the relation that fills a member.
template <auto Member>
struct relation_traits {
  using def = typename relation_of<Member>::def;
  using types = relation_types<def>;
  using sides = typename types::sides;
  using owner = typename sides::owner;
  using target = typename sides::target;
  static constexpr bool to_many = is_many<value_of<Member>>;
  static constexpr bool linked = types::linked;

  static constexpr auto order = order_of(typename types::options{});

  [[nodiscard]] static consteval relation_view view() {
    relation_view made{.target = view_of<target>, .matched = sides::matched, .order = order, .ordered = to_many};
    if constexpr (linked) {
      made.linked = true;
      made.links = view_of<typename sides::link>;
      made.link_to_target = sides::link_to_target;
      made.target_key = sides::target_names[0];
    } else if constexpr (sides::polymorphic && !sides::owner_holds_key) {
      made.type_column = sides::type_columns[0];
    }
    return made;
  }
};

// ---- statements ---------------------------------------------------------------------------------------------------

/// The member's name from the compiler's spelling of it: "... = &shop::Account::entries]" of GCC and of Clang.
template <auto Member>
consteval auto member_name() {
  const std::string_view spelling = static_cast<const char*>(__PRETTY_FUNCTION__);
  const std::size_t end = spelling.rfind(']');
  const std::size_t separator = spelling.find_last_of(':', end);
  return spelling.substr(separator + 1, end - separator - 1);
}

template <auto Member>
consteval auto make_relation_name() {
  constexpr std::string_view table = view_of<owner_of<Member>>.name.table;
  constexpr std::string_view name = member_name<Member>();
  std::array<char, table.size() + 1 + name.size() + 1> text{};
  text_out out(text.data());
  out << table << "." << name;
  return text;
}
template <auto Member>
inline constexpr auto relation_name_text = make_relation_name<Member>();

template <auto Member, trash Scope>
consteval auto make_relation_text() {
  constexpr std::size_t size = [] {
    text_out counter;
    write_relation(counter, relation_traits<Member>::view(), Scope);
    return counter.size();
  }();
  std::array<char, size + 1> text{};
  text_out out(text.data());
  write_relation(out, relation_traits<Member>::view(), Scope);
  return text;
}
template <auto Member, trash Scope>
inline constexpr auto relation_text = make_relation_text<Member, Scope>();

template <auto Member, trash Scope>
consteval statement make_relation_statement() {
  constexpr std::string_view sql = as_view(relation_text<Member, Scope>);
  return {.sql = sql,
          .name = as_view(relation_name_text<Member>),
          .operation = "SELECT",
          .table = view_of<target_of<Member>>.name.table,
          .print = fingerprint(sql),
          .kind = statement_class::read,
          .mapped = true};
}

/// "table.member": reads the related rows of any number of owners.
template <auto Member, trash Scope>
inline constexpr statement relation_statement = make_relation_statement<Member, Scope>();

}  // namespace breakwater::detail
