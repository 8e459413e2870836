#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/repository/detail/decode.hpp>
#include <breakwater/repository/detail/relation_keys.hpp>
#include <breakwater/repository/detail/relation_traits.hpp>
#include <breakwater/repository/relation.hpp>
#include <breakwater/repository/with_trashed.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

/// Reading related rows and putting them where they belong. For the library's own use.
namespace breakwater::detail {

/// A relation to load, and those of the rows it brings: what `include` collects, free of types.
///
/// Among the relations of one entity `place`, its place in the mapping, says which it is.
struct include_node {
  using loader = result<void> (*)(executor& on, void* owners, std::size_t count, const include_node& wanted);

  std::size_t place = 0;
  loader load = nullptr;
  trash scope = trash::excluded;
  std::vector<include_node> nested{};
};

/// One relation of a path.
struct include_step {
  std::size_t place = 0;
  include_node::loader load = nullptr;
};

/// Adds a path: what is there already of it is not added again, so that it is loaded once. With `scope` not the
/// default, the path's last relation gets it.
void add_include(std::vector<include_node>& to, std::span<const include_step> path, trash scope);

/// Loads the relations into all owners, each with one statement, one after the other; without owners none is sent.
[[nodiscard]] result<void> load_includes(executor& on, std::span<const include_node> wanted, void* owners,
                                         std::size_t count);

// ---- keys of owners and rows --------------------------------------------------------------------------------------

template <auto TypeMember, class Value, class E>
bool is_of_type(const E& owner, const polymorphic_option<TypeMember, Value>& type) {
  return owner.*TypeMember == type.value;
}
bool is_of_type(const auto& /*owner*/, const auto& /*another option*/) { return true; }

/// Of a polymorphic belongs_to: does the owner belong to this kind of entity at all?
template <auto Member, class E>
bool may_have(const E& owner) {
  using traits = relation_traits<Member>;
  if constexpr (!traits::linked) {
    if constexpr (traits::sides::polymorphic && traits::sides::owner_holds_key) {
      constexpr const auto& relation = std::get<relation_of<Member>::place>(mapping_of<E>.relations);
      return std::apply([&](const auto&... options) { return (is_of_type(owner, options) && ...); }, relation.options);
    }
  }
  return true;
}

template <auto TypeMember, class Value>
void bind_type(parameters& to, const polymorphic_option<TypeMember, Value>& type) {
  bind(to, type.value);
  if constexpr (info_of<TypeMember>.sensitive) to.mark_sensitive();
}
void bind_type(parameters& /*to*/, const auto& /*another option*/) {}

/// Appends the type that the rows of a polymorphic relation have.
template <auto Member>
void bind_row_type(parameters& to) {
  using traits = relation_traits<Member>;
  if constexpr (!traits::view().type_column.empty()) {
    constexpr const auto& relation = std::get<relation_of<Member>::place>(mapping_of<typename traits::owner>.relations);
    std::apply([&](const auto&... options) { (bind_type(to, options), ...); }, relation.options);
  }
}

/// The numbers of the owners' keys.
template <auto Member, class E>
std::vector<std::uint32_t> collect_keys(relation_keys& keys, std::span<const E> owners) {
  std::vector<std::uint32_t> numbers(owners.size(), relation_keys::none);
  parameters key;
  for (std::size_t i = 0; i < owners.size(); ++i) {
    if (!may_have<Member>(owners[i])) continue;
    bind_members(key, owners[i], typename relation_traits<Member>::sides::owner_key{});
    numbers[i] = keys.add(key);
  }
  return numbers;
}

/// The owner's key as a many_to_many's statement gives it, in a column after those of the row itself.
template <auto ToThis>
result<void> check_link_type(const rows& answer, std::size_t column, member_list<ToThis> /*member*/) {
  return check_type(answer, column, codec<without_optional_t<value_of<ToThis>>>::reads, info_of<ToThis>.name);
}
template <auto ToThis>
result<void> bind_link(parameters& to, const cell& from, member_list<ToThis> /*member*/) {
  without_optional_t<value_of<ToThis>> value{};
  if (!decode_cell(from, value)) {
    return bad_cell(from.null, view_of<owner_of<ToThis>>.name.table, info_of<ToThis>.name);
  }
  bind(to, value);
  return success();
}

/// The rows that were read, and the number of the key that each has.
template <class T>
struct related_rows {
  std::vector<T> found{};
  std::vector<std::uint32_t> numbers{};
};

template <auto Member>
result<related_rows<target_of<Member>>> decode_related(const rows& answer, const relation_request& request,
                                                       relation_keys& keys) {
  using traits = relation_traits<Member>;
  using sides = typename traits::sides;
  using target = typename traits::target;
  related_rows<target> related;
  BOOST_OUTCOME_TRY(related.found, decode_entities<target>(answer));
  [[maybe_unused]] constexpr std::size_t link_column = view_of<target>.columns.size();
  if constexpr (traits::linked) {
    BOOST_OUTCOME_TRY(check_link_type(answer, link_column, typename sides::to_owner{}));
  }
  related.numbers.reserve(related.found.size());
  parameters key;
  for (std::size_t row = 0; row < related.found.size(); ++row) {
    if constexpr (traits::linked) {
      BOOST_OUTCOME_TRY(bind_link(key, answer.at(row, link_column), typename sides::to_owner{}));
    } else {
      bind_members(key, related.found[row], typename sides::target_key{});
    }
    related.numbers.push_back(keys.find(key));
    if (related.numbers.back() == relation_keys::none) return nobodys_row(request);
  }
  return related;
}

// ---- putting rows where they belong -------------------------------------------------------------------------------

/// REQUIRES that every row's number is below `count`.
template <class T>
std::vector<std::vector<T>> grouped(related_rows<T>&& related, std::size_t count) {
  std::vector<std::vector<T>> groups(count);
  for (std::size_t i = 0; i < related.found.size(); ++i) {
    groups[related.numbers[i]].push_back(std::move(related.found[i]));
  }
  return groups;
}

template <auto Member, class E, class T>
void give_many(std::span<E> owners, const std::vector<std::uint32_t>& numbers, std::vector<std::vector<T>> groups) {
  std::vector<std::uint32_t> waiting(groups.size());
  for (const std::uint32_t number : numbers) {
    if (number != relation_keys::none) ++waiting[number];
  }
  for (std::size_t i = 0; i < owners.size(); ++i) {
    if (numbers[i] == relation_keys::none) {
      owners[i].*Member = many<T>(std::vector<T>{});
    } else if (--waiting[numbers[i]] == 0) {
      owners[i].*Member = many<T>(std::move(groups[numbers[i]]));
    } else {
      owners[i].*Member = many<T>(groups[numbers[i]]);  // the same owner twice among them
    }
  }
}

template <auto Member, class E, class T>
result<void> give_one(std::span<E> owners, const std::vector<std::uint32_t>& numbers, related_rows<T>&& related,
                      std::size_t count, const relation_request& request) {
  std::vector<one<T>> by_number(count, one<T>::none());
  for (std::size_t i = 0; i < related.found.size(); ++i) {
    one<T>& place = by_number[related.numbers[i]];
    if (place) return second_row(request);
    place = std::move(related.found[i]);
  }
  for (std::size_t i = 0; i < owners.size(); ++i) {
    owners[i].*Member = numbers[i] == relation_keys::none ? one<T>::none() : by_number[numbers[i]];
  }
  return success();
}

// ---- loading ------------------------------------------------------------------------------------------------------

/// Runs the relation's statement and reads its answer.
template <auto Member>
result<related_rows<target_of<Member>>> fetch_related(executor& on, const relation_request& request,
                                                      relation_keys& keys) {
  parameters type;
  bind_row_type<Member>(type);
  BOOST_OUTCOME_TRY(const auto answer, read_related(on, request, keys, type));
  auto related = decode_related<Member>(answer, request, keys);
  if (!related) related.error().with_statement(request.what.name);
  return related;
}

template <auto Member>
const statement& statement_for([[maybe_unused]] trash scope) noexcept {
  if constexpr (is_soft_deleted<target_of<Member>>) {
    if (scope == trash::included) return relation_statement<Member, trash::included>;
  }
  return relation_statement<Member, trash::excluded>;
}

/// Loads the relation into the owners, and what is nested into the rows it brings. One statement. When it fails the
/// owners are as they were.
template <auto Member>
result<void> load_relation(executor& on, void* first, std::size_t count, const include_node& wanted) {
  using traits = relation_traits<Member>;
  using owner = typename traits::owner;
  const relation_request request{.what = statement_for<Member>(wanted.scope),
                                 .columns = traits::sides::matched,
                                 .sensitive = traits::sides::sensitive};

  const std::span<owner> owners(static_cast<owner*>(first), count);
  relation_keys keys(traits::sides::matched.size());
  const std::vector<std::uint32_t> numbers = collect_keys<Member, owner>(keys, owners);

  related_rows<typename traits::target> related;
  if (keys.size() > 0) {
    BOOST_OUTCOME_TRY(related, fetch_related<Member>(on, request, keys));
    BOOST_OUTCOME_TRY(load_includes(on, wanted.nested, related.found.data(), related.found.size()));
  }
  if constexpr (traits::to_many) {
    give_many<Member>(owners, numbers, grouped(std::move(related), keys.size()));
    return success();
  } else {
    return give_one<Member>(owners, numbers, std::move(related), keys.size(), request);
  }
}

// ---- paths --------------------------------------------------------------------------------------------------------

/// Each member belongs to the entity that the one before it leads to.
template <class From, auto First, auto... More>
consteval bool check_path() {
  constexpr bool starts = std::same_as<owner_of<First>, From>;
  static_assert(starts,
                "breakwater: a path of relations begins with a member of the entity that is read, and each next member "
                "belongs to the entity that the one before it leads to");
  if constexpr (starts) {
    constexpr bool found = check_is_relation<First>();
    if constexpr (found && sizeof...(More) > 0) {
      return check_path<target_of<First>, More...>();
    } else {
      return found;
    }
  } else {
    return false;
  }
}

template <auto Member>
inline constexpr include_step step_of{.place = relation_of<Member>::place, .load = &load_relation<Member>};

template <class E, auto... Path>
void include_path(std::vector<include_node>& to, trash scope) {
  static_assert(sizeof...(Path) > 0, "breakwater: include and load name a relation: include<&Account::entries>()");
  if constexpr (sizeof...(Path) > 0) {
    if constexpr (check_path<E, Path...>()) {
      static constexpr include_step path[] = {step_of<Path>...};
      add_include(to, path, scope);
    }
  }
}

/// The same with the last relation's rows in the trash.
template <class E, auto... Path>
void include_path_with_trashed(std::vector<include_node>& to) {
  if constexpr ((check_path<E, Path...>())) {
    constexpr bool soft_deleted[] = {is_soft_deleted<target_of<Path>>...};
    static_assert(soft_deleted[sizeof...(Path) - 1],
                  "breakwater: with_trashed needs the related entity to have a bw::soft_delete column");
  }
  include_path<E, Path...>(to, trash::included);
}

}  // namespace breakwater::detail
