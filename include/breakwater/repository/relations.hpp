#pragma once

#include <breakwater/repository/mapping.hpp>
#include <breakwater/repository/relation.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

/// \file
/// How mapped entities are related; listed in `bw::table` after the columns.
///
///     bw::has_many<&Account::entries, &Entry::account_id>()       // the entries whose account_id is this account's key
///     bw::belongs_to<&Entry::account, &Entry::account_id>()       // the account whose key is this entry's account_id
///     accounts.where(...).include<&Account::entries, &Entry::tags>().all()
///
/// Entities may name each other in any order: of the other one only the struct has to be complete here, its mapping may
/// come later. Definitions are constants.
namespace breakwater {

namespace detail {

enum class relation_kind : std::uint8_t { has_one, has_many, belongs_to, many_to_many };

/// Members as a type.
template <auto... Members>
struct member_list {};

/// Of owners of several types, related rows that say in a column whose they are.
template <auto TypeMember, class Value>
struct polymorphic_option {
  Value value;
};

/// One term of a relation's order.
template <auto Member, bool Descending>
struct order_option {};

/// One relation: everything but a polymorphic type's value is in its type.
///
/// `ForeignKey` is a list of the members that hold the other side's key: of the related entity, of this one in a
/// belongs_to; of a join entity in a many_to_many: first those for this side's key, then those for the other's.
template <relation_kind Kind, auto Member, class ForeignKey, class... Options>
struct relation_def {
  static constexpr relation_kind kind = Kind;
  std::tuple<Options...> options;
};

template <relation_kind Kind, auto Member, class ForeignKey, class... Options>
inline constexpr bool is_relation<relation_def<Kind, Member, ForeignKey, Options...>> = true;

template <class Value>
inline constexpr bool is_one = false;
template <class T>
inline constexpr bool is_one<one<T>> = true;
template <class Value>
inline constexpr bool is_many = false;
template <class T>
inline constexpr bool is_many<many<T>> = true;

/// What is inside a one or many; void for anything else.
template <class Value>
struct related_to {
  using type = void;
};
template <class T>
struct related_to<one<T>> {
  using type = T;
};
template <class T>
struct related_to<many<T>> {
  using type = T;
};
/// The entity on the other side of a relation.
template <auto Member>
using target_of = typename related_to<value_of<Member>>::type;

template <class Option>
inline constexpr bool is_relation_option = false;
template <auto Target>
inline constexpr bool is_relation_option<references_attribute<Target>> = true;
template <auto TypeMember, class Value>
inline constexpr bool is_relation_option<polymorphic_option<TypeMember, Value>> = true;
template <auto Member, bool Descending>
inline constexpr bool is_relation_option<order_option<Member, Descending>> = true;

template <class... Options>
consteval void check_relation_options() {
  static_assert((is_relation_option<Options> && ...),
                "breakwater: a relation's options are bw::references<&Other::column>(), "
                "bw::polymorphic<&Other::type_column>(value), bw::order_by<&Other::column>() and bw::order_by_desc");
}

/// The foreign key's members belong to this entity.
template <class Entity, auto... ForeignKey>
inline constexpr bool all_owned_by = (std::same_as<owner_of<ForeignKey>, Entity> && ...);

}  // namespace detail

/// The rows of another table that hold this one's key: `bw::has_many<&Account::entries, &Entry::account_id>()`. Several
/// foreign key members are a composite key, in the order of the key's columns in this mapping.
///
/// Options: `bw::references<&Account::code>()` when it is not the primary key that they hold; `bw::polymorphic`;
/// `bw::order_by`. The rows come in that order, then in their primary key's.
template <auto Member, auto... ForeignKey, class... Options>
[[nodiscard]] consteval auto has_many(Options... options) {
  static_assert(detail::is_many<detail::value_of<Member>>, "breakwater: a has_many member is a bw::many<Entity>");
  static_assert(sizeof...(ForeignKey) > 0,
                "breakwater: has_many<&This::members, &Other::foreign_key> needs the foreign key of the other entity");
  static_assert(detail::all_owned_by<detail::target_of<Member>, ForeignKey...>,
                "breakwater: the foreign key of a has_many is a member of the related entity");
  detail::check_relation_options<Options...>();
  return detail::relation_def<detail::relation_kind::has_many, Member, detail::member_list<ForeignKey...>, Options...>{
      {options...}};
}

/// The one row of another table that holds this one's key, if there is one. As `has_many`; that there are not two is a
/// unique index's to see to, and loading is `errc::too_many_rows` where there are.
template <auto Member, auto... ForeignKey, class... Options>
[[nodiscard]] consteval auto has_one(Options... options) {
  static_assert(detail::is_one<detail::value_of<Member>>, "breakwater: a has_one member is a bw::one<Entity>");
  static_assert(sizeof...(ForeignKey) > 0,
                "breakwater: has_one<&This::member, &Other::foreign_key> needs the foreign key of the other entity");
  static_assert(detail::all_owned_by<detail::target_of<Member>, ForeignKey...>,
                "breakwater: the foreign key of a has_one is a member of the related entity");
  detail::check_relation_options<Options...>();
  return detail::relation_def<detail::relation_kind::has_one, Member, detail::member_list<ForeignKey...>, Options...>{
      {options...}};
}

/// The row of another table whose key this one holds: `bw::belongs_to<&Entry::account, &Entry::account_id>()`. Where
/// the foreign key is NULL there is none.
///
/// Options: `bw::references<&Account::code>()` when it is not the primary key that is held; `bw::polymorphic`.
template <auto Member, auto... ForeignKey, class... Options>
[[nodiscard]] consteval auto belongs_to(Options... options) {
  static_assert(detail::is_one<detail::value_of<Member>>, "breakwater: a belongs_to member is a bw::one<Entity>");
  static_assert(sizeof...(ForeignKey) > 0,
                "breakwater: belongs_to<&This::member, &This::foreign_key> needs the foreign key of this entity");
  static_assert(detail::all_owned_by<detail::owner_of<Member>, ForeignKey...>,
                "breakwater: the foreign key of a belongs_to is a member of the entity itself");
  detail::check_relation_options<Options...>();
  return detail::relation_def<detail::relation_kind::belongs_to, Member, detail::member_list<ForeignKey...>,
                              Options...>{{options...}};
}

/// The rows of another table that a join table, itself a mapped entity, links to this one:
/// `bw::many_to_many<&Entry::tags, &EntryTag::entry_id, &EntryTag::tag_id>()`. Both sides have a primary key of one
/// column. A link in the trash links nothing; one that stands twice gives its row twice.
///
/// Options: `bw::order_by`, of columns of the other table.
template <auto Member, auto ToThis, auto ToOther, class... Options>
[[nodiscard]] consteval auto many_to_many(Options... options) {
  static_assert(detail::is_many<detail::value_of<Member>>, "breakwater: a many_to_many member is a bw::many<Entity>");
  static_assert(std::same_as<detail::owner_of<ToThis>, detail::owner_of<ToOther>>,
                "breakwater: many_to_many's two foreign keys are members of one join entity");
  detail::check_relation_options<Options...>();
  return detail::relation_def<detail::relation_kind::many_to_many, Member, detail::member_list<ToThis, ToOther>,
                              Options...>{{options...}};
}

/// The foreign key may hold keys of several tables; this column says of which:
///
///     bw::has_many<&Post::comments, &Comment::owner_id>(bw::polymorphic<&Comment::owner_type>("post"))
///     bw::belongs_to<&Comment::post, &Comment::owner_id>(bw::polymorphic<&Comment::owner_type>("post"))
///
/// On the side that belongs there is a member and a relation for each possible owner; only rows of that type have one
/// there.
template <auto TypeMember>
[[nodiscard]] consteval auto polymorphic(
    std::string_view value) requires std::same_as<without_optional_t<detail::value_of<TypeMember>>, std::string> {
  return detail::polymorphic_option<TypeMember, std::string_view>{value};
}
/// The same for a column of any other type with a codec, such as an enumeration.
template <auto TypeMember>
[[nodiscard]] consteval auto polymorphic(const without_optional_t<detail::value_of<TypeMember>>& value) requires(
    !std::same_as<without_optional_t<detail::value_of<TypeMember>>, std::string>) {
  return detail::polymorphic_option<TypeMember, without_optional_t<detail::value_of<TypeMember>>>{value};
}

/// The related rows' order: `bw::has_many<...>(bw::order_by<&Entry::booked>(), ...)`. Repeated options add to it.
template <auto Member>
[[nodiscard]] consteval auto order_by() {
  return detail::order_option<Member, false>{};
}
template <auto Member>
[[nodiscard]] consteval auto order_by_desc() {
  return detail::order_option<Member, true>{};
}

}  // namespace breakwater
