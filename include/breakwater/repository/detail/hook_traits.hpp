#pragma once

namespace breakwater {

class hook_context;
class validation;

/// Your code around an entity's reads and writes: specialise it with static functions, each of which may be left out.
/// See hooks.hpp.
template <class E>
struct hooks {};

/// Which hooks an entity has. A function of a hook's name that can not be called as that hook does not compile, so that
/// none is passed over silently (an overloaded one is: its name alone names no function).
namespace detail {

// Found by name first, whatever its parameters: only then can a wrong signature be told from an absent hook.
template <class E>
inline constexpr bool has_validate = requires {
  &hooks<E>::validate;
};
template <class E>
inline constexpr bool has_before_insert = requires {
  &hooks<E>::before_insert;
};
template <class E>
inline constexpr bool has_after_insert = requires {
  &hooks<E>::after_insert;
};
template <class E>
inline constexpr bool has_before_update = requires {
  &hooks<E>::before_update;
};
template <class E>
inline constexpr bool has_after_update = requires {
  &hooks<E>::after_update;
};
template <class E>
inline constexpr bool has_before_patch = requires {
  &hooks<E>::before_patch;
};
template <class E>
inline constexpr bool has_before_remove = requires {
  &hooks<E>::before_remove;
};
template <class E>
inline constexpr bool has_after_remove = requires {
  &hooks<E>::after_remove;
};
template <class E>
inline constexpr bool has_before_restore = requires {
  &hooks<E>::before_restore;
};
template <class E>
inline constexpr bool has_after_restore = requires {
  &hooks<E>::after_restore;
};
template <class E>
inline constexpr bool has_before_purge = requires {
  &hooks<E>::before_purge;
};
template <class E>
inline constexpr bool has_after_purge = requires {
  &hooks<E>::after_purge;
};
template <class E>
inline constexpr bool has_after_load = requires {
  &hooks<E>::after_load;
};

/// Tells an entity that it was just read from a row.
template <class E>
void loaded(E& read) {
  if constexpr (has_after_load<E>) {
    static_assert(
        requires { hooks<E>::after_load(read); }, "breakwater: hooks<E>::after_load is a static void(E&)");
    hooks<E>::after_load(read);
  }
}

}  // namespace detail
}  // namespace breakwater
