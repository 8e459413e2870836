#pragma once

#include <breakwater/repository/condition.hpp>
#include <breakwater/repository/detail/entity_traits.hpp>

/// What `repository::upsert` and `find_or_insert` are told besides the entity:
///
///     accounts.upsert(ada, bw::conflict<&Account::email>);
///     accounts.upsert(ada, bw::conflict<&Account::email>, bw::update<&Account::name>);
///     accounts.upsert(ada, bw::conflict<&Account::email>, bw::do_nothing);
///
/// Constants; shared by threads freely.
namespace breakwater {

namespace detail {

template <auto... Members>
struct conflict_target {};
template <auto... Members>
struct updated_columns {};
struct do_nothing_tag {};

template <auto First, auto... Rest>
inline constexpr bool same_owner = (std::is_same_v<owner_of<First>, owner_of<Rest>> && ...);

template <auto... Members>
consteval auto make_conflict() {
  static_assert(sizeof...(Members) > 0, "breakwater: bw::conflict names at least one column");
  static_assert(same_owner<Members...>, "breakwater: the columns of bw::conflict belong to one entity");
  static_assert((mapped_member<Members> && ...),
                "breakwater: a member in bw::conflict is not mapped; add a bw::column for it to its class's mapping");
  if constexpr ((mapped_member<Members> && ...)) {
    static_assert((is_sent_by_insert(info_of<Members>) && ...),
                  "breakwater: a column in bw::conflict is not sent by an insert (it is generated, or kept by the "
                  "library), so nothing can conflict with it");
  }
  return conflict_target<Members...>{};
}

template <auto... Members>
consteval auto make_update() {
  static_assert(sizeof...(Members) > 0, "breakwater: bw::update names at least one column");
  static_assert(same_owner<Members...>, "breakwater: the columns of bw::update belong to one entity");
  static_assert((mapped_member<Members> && ...),
                "breakwater: a member in bw::update is not mapped; add a bw::column for it to its class's mapping");
  if constexpr ((mapped_member<Members> && ...)) {
    static_assert((is_updated(info_of<Members>) && ...),
                  "breakwater: a column in bw::update can not be updated: keys do not change, and generated, "
                  "created_at, updated_at, version and soft_delete columns are kept by the database and the library");
  }
  return updated_columns<Members...>{};
}

}  // namespace detail

/// The columns of the unique constraint (or index) whose conflict is meant: `bw::conflict<&Account::email>`, or
/// `bw::conflict<&Line::order_id, &Line::number>`. Where the mapping has a soft_delete column the index may be one over
/// live rows only (`where deleted_at is null`).
template <auto... Members>
inline constexpr auto conflict = detail::make_conflict<Members...>();

/// Only these columns of a row that is there already are changed: `bw::update<&Account::name, &Account::phone>`.
template <auto... Members>
inline constexpr auto update = detail::make_update<Members...>();

/// A row that is there already stays as it is.
inline constexpr detail::do_nothing_tag do_nothing{};

/// What became of an upsert.
template <class E>
struct upserted {
  E row{};                ///< as it is stored
  bool inserted = false;  ///< false: it was there already
};

}  // namespace breakwater
