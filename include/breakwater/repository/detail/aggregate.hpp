#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

/// The fields of a flat struct without a word from its author: how many, of which types, by which
/// names. For the library's own use.
///
/// A flat struct is an aggregate without base classes, of 1 to 64 fields each of which can be made
/// from `{}`. C arrays among them are not supported. The cost is seven probes per struct, one small
/// function per field, and nothing that grows with the square of the fields.
namespace breakwater::detail {

inline constexpr std::size_t most_fields = 64;

// ---- how many -----------------------------------------------------------------------------------

/// What C++20 can only write out, case by case: N braces, and names for N fields.
template <std::size_t N>
struct arity;

// Braces, and not objects that convert to anything, because those are ambiguous to std::optional
// and its like.
// NOLINTBEGIN(cppcoreguidelines-macro-usage,bugprone-macro-parentheses): each is undefined again
// below.
#define BREAKWATER_ARITIES(FIRST, BRACES, NAMES, A, B, C, D, E, F, G, H) \
  template <>                                                            \
  struct arity<(FIRST) + 0> {                                            \
    template <class T>                                                   \
    static constexpr bool fits = requires {                              \
      T{BRACES{}};                                                       \
    };                                                                   \
    template <class T, class Visit>                                      \
    static constexpr decltype(auto) visit(T& of, const Visit& with) {    \
      auto& [NAMES A] = of;                                              \
      return with(NAMES A);                                              \
    }                                                                    \
  };                                                                     \
  template <>                                                            \
  struct arity<(FIRST) + 1> {                                            \
    template <class T>                                                   \
    static constexpr bool fits = requires {                              \
      T{BRACES{}, {}};                                                   \
    };                                                                   \
    template <class T, class Visit>                                      \
    static constexpr decltype(auto) visit(T& of, const Visit& with) {    \
      auto& [NAMES A, B] = of;                                           \
      return with(NAMES A, B);                                           \
    }                                                                    \
  };                                                                     \
  template <>                                                            \
  struct arity<(FIRST) + 2> {                                            \
    template <class T>                                                   \
    static constexpr bool fits = requires {                              \
      T{BRACES{}, {}, {}};                                               \
    };                                                                   \
    template <class T, class Visit>                                      \
    static constexpr decltype(auto) visit(T& of, const Visit& with) {    \
      auto& [NAMES A, B, C] = of;                                        \
      return with(NAMES A, B, C);                                        \
    }                                                                    \
  };                                                                     \
  template <>                                                            \
  struct arity<(FIRST) + 3> {                                            \
    template <class T>                                                   \
    static constexpr bool fits = requires {                              \
      T{BRACES{}, {}, {}, {}};                                           \
    };                                                                   \
    template <class T, class Visit>                                      \
    static constexpr decltype(auto) visit(T& of, const Visit& with) {    \
      auto& [NAMES A, B, C, D] = of;                                     \
      return with(NAMES A, B, C, D);                                     \
    }                                                                    \
  };                                                                     \
  template <>                                                            \
  struct arity<(FIRST) + 4> {                                            \
    template <class T>                                                   \
    static constexpr bool fits = requires {                              \
      T{BRACES{}, {}, {}, {}, {}};                                       \
    };                                                                   \
    template <class T, class Visit>                                      \
    static constexpr decltype(auto) visit(T& of, const Visit& with) {    \
      auto& [NAMES A, B, C, D, E] = of;                                  \
      return with(NAMES A, B, C, D, E);                                  \
    }                                                                    \
  };                                                                     \
  template <>                                                            \
  struct arity<(FIRST) + 5> {                                            \
    template <class T>                                                   \
    static constexpr bool fits = requires {                              \
      T{BRACES{}, {}, {}, {}, {}, {}};                                   \
    };                                                                   \
    template <class T, class Visit>                                      \
    static constexpr decltype(auto) visit(T& of, const Visit& with) {    \
      auto& [NAMES A, B, C, D, E, F] = of;                               \
      return with(NAMES A, B, C, D, E, F);                               \
    }                                                                    \
  };                                                                     \
  template <>                                                            \
  struct arity<(FIRST) + 6> {                                            \
    template <class T>                                                   \
    static constexpr bool fits = requires {                              \
      T{BRACES{}, {}, {}, {}, {}, {}, {}};                               \
    };                                                                   \
    template <class T, class Visit>                                      \
    static constexpr decltype(auto) visit(T& of, const Visit& with) {    \
      auto& [NAMES A, B, C, D, E, F, G] = of;                            \
      return with(NAMES A, B, C, D, E, F, G);                            \
    }                                                                    \
  };                                                                     \
  template <>                                                            \
  struct arity<(FIRST) + 7> {                                            \
    template <class T>                                                   \
    static constexpr bool fits = requires {                              \
      T{BRACES{}, {}, {}, {}, {}, {}, {}, {}};                           \
    };                                                                   \
    template <class T, class Visit>                                      \
    static constexpr decltype(auto) visit(T& of, const Visit& with) {    \
      auto& [NAMES A, B, C, D, E, F, G, H] = of;                         \
      return with(NAMES A, B, C, D, E, F, G, H);                         \
    }                                                                    \
  };

#define BREAKWATER_BRACES_0
#define BREAKWATER_BRACES_8 {}, {}, {}, {}, {}, {}, {}, {},
#define BREAKWATER_BRACES_16 BREAKWATER_BRACES_8 BREAKWATER_BRACES_8
#define BREAKWATER_BRACES_24 BREAKWATER_BRACES_16 BREAKWATER_BRACES_8
#define BREAKWATER_BRACES_32 BREAKWATER_BRACES_24 BREAKWATER_BRACES_8
#define BREAKWATER_BRACES_40 BREAKWATER_BRACES_32 BREAKWATER_BRACES_8
#define BREAKWATER_BRACES_48 BREAKWATER_BRACES_40 BREAKWATER_BRACES_8
#define BREAKWATER_BRACES_56 BREAKWATER_BRACES_48 BREAKWATER_BRACES_8
#define BREAKWATER_BRACES_64 BREAKWATER_BRACES_56 BREAKWATER_BRACES_8
#define BREAKWATER_NAMES_0
#define BREAKWATER_NAMES_8 f0, f1, f2, f3, f4, f5, f6, f7,
#define BREAKWATER_NAMES_16 BREAKWATER_NAMES_8 f8, f9, f10, f11, f12, f13, f14, f15,
#define BREAKWATER_NAMES_24 BREAKWATER_NAMES_16 f16, f17, f18, f19, f20, f21, f22, f23,
#define BREAKWATER_NAMES_32 BREAKWATER_NAMES_24 f24, f25, f26, f27, f28, f29, f30, f31,
#define BREAKWATER_NAMES_40 BREAKWATER_NAMES_32 f32, f33, f34, f35, f36, f37, f38, f39,
#define BREAKWATER_NAMES_48 BREAKWATER_NAMES_40 f40, f41, f42, f43, f44, f45, f46, f47,
#define BREAKWATER_NAMES_56 BREAKWATER_NAMES_48 f48, f49, f50, f51, f52, f53, f54, f55,

BREAKWATER_ARITIES(1, BREAKWATER_BRACES_0, BREAKWATER_NAMES_0, f0, f1, f2, f3, f4, f5, f6, f7)
BREAKWATER_ARITIES(9, BREAKWATER_BRACES_8, BREAKWATER_NAMES_8, f8, f9, f10, f11, f12, f13, f14, f15)
BREAKWATER_ARITIES(17, BREAKWATER_BRACES_16, BREAKWATER_NAMES_16, f16, f17, f18, f19, f20, f21, f22, f23)
BREAKWATER_ARITIES(25, BREAKWATER_BRACES_24, BREAKWATER_NAMES_24, f24, f25, f26, f27, f28, f29, f30, f31)
BREAKWATER_ARITIES(33, BREAKWATER_BRACES_32, BREAKWATER_NAMES_32, f32, f33, f34, f35, f36, f37, f38, f39)
BREAKWATER_ARITIES(41, BREAKWATER_BRACES_40, BREAKWATER_NAMES_40, f40, f41, f42, f43, f44, f45, f46, f47)
BREAKWATER_ARITIES(49, BREAKWATER_BRACES_48, BREAKWATER_NAMES_48, f48, f49, f50, f51, f52, f53, f54, f55)
BREAKWATER_ARITIES(57, BREAKWATER_BRACES_56, BREAKWATER_NAMES_56, f56, f57, f58, f59, f60, f61, f62, f63)

template <>
struct arity<most_fields + 1> {
  template <class T>
  static constexpr bool fits = requires {
    T{BREAKWATER_BRACES_64{}};
  };
};

#undef BREAKWATER_ARITIES
#undef BREAKWATER_BRACES_0
#undef BREAKWATER_BRACES_8
#undef BREAKWATER_BRACES_16
#undef BREAKWATER_BRACES_24
#undef BREAKWATER_BRACES_32
#undef BREAKWATER_BRACES_40
#undef BREAKWATER_BRACES_48
#undef BREAKWATER_BRACES_56
#undef BREAKWATER_BRACES_64
#undef BREAKWATER_NAMES_0
#undef BREAKWATER_NAMES_8
#undef BREAKWATER_NAMES_16
#undef BREAKWATER_NAMES_24
#undef BREAKWATER_NAMES_32
#undef BREAKWATER_NAMES_40
#undef BREAKWATER_NAMES_48
#undef BREAKWATER_NAMES_56
// NOLINTEND(cppcoreguidelines-macro-usage,bugprone-macro-parentheses)

/// The most fields that T has, by bisection between two numbers: N braces fit exactly up to that
/// many.
template <class T, std::size_t Low, std::size_t High>
consteval std::size_t bisect_fields() {
  if constexpr (Low == High) {
    return Low;
  } else {
    constexpr std::size_t middle = (Low + High + 1) / 2;
    if constexpr (arity<middle>::template fits<T>) {
      return bisect_fields<T, middle, High>();
    } else {
      return bisect_fields<T, Low, middle - 1>();
    }
  }
}

template <class T>
inline constexpr std::size_t field_count = bisect_fields<T, 0, most_fields>();

/// Converts to base classes of T and to nothing else: only an aggregate with one takes it first.
template <class T>
struct base_probe {
  template <class Base>
  requires(std::is_base_of_v<Base, T> && !std::is_same_v<Base, T>) operator Base()
      const;  // NOLINT(google-explicit-constructor)
};

template <class T>
consteval bool check_flat_aggregate() {
  // NOLINTNEXTLINE(bugprone-branch-clone): joined by || all conditions would be instantiated, for which not every T is fit
  if constexpr (!std::is_class_v<T> || !std::is_aggregate_v<T>) {
    return false;
  } else if constexpr (requires { T{base_probe<T>{}}; }) {
    return false;
  } else if constexpr (arity<most_fields + 1>::template fits<T>) {
    return false;
  } else {
    return field_count<T> > 0;
  }
}

template <class T>
inline constexpr bool is_flat_aggregate = check_flat_aggregate<T>();

// ---- of which types -----------------------------------------------------------------------------

/// `with(field, field, ...)` by reference, in the order of declaration.
template <class T, class Visit>
constexpr decltype(auto) with_fields(T& of, const Visit& with) {
  return arity<field_count<T>>::visit(of, with);
}

template <template <class...> class List>
struct collect_types {
  template <class... Fields>
  constexpr std::type_identity<List<Fields...>> operator()(Fields&... /*unused*/) const {
    return {};
  }
};

/// List<field types...>.
template <class T, template <class...> class List>
using aggregate_fields = typename decltype(with_fields(std::declval<T&>(), collect_types<List>{}))::type;

// ---- by which names -----------------------------------------------------------------------------

/// A pointer that can be a template argument even where it points into an object: clang 14 takes
/// those only inside a class.
template <class Field>
struct pointer_to {
  Field* at;
};

template <std::size_t I, class Field>
struct field_pointer : pointer_to<Field> {};

template <class Indices, class... Fields>
struct field_pointers;
template <std::size_t... I, class... Fields>
struct field_pointers<std::index_sequence<I...>, Fields...> : field_pointer<I, Fields>... {};

template <std::size_t I, class Field>
constexpr pointer_to<Field> pointer_at(const field_pointer<I, Field>& pointer) noexcept {
  return {pointer.at};
}

struct collect_pointers {
  template <class... Fields>
  constexpr auto operator()(Fields&... fields) const {
    return field_pointers<std::index_sequence_for<Fields...>, Fields...>{{{&fields}}...};
  }
};

// An object that is declared and never defined: enough to take its fields' addresses at compile
// time, so T need not be constexpr. Neither the linker nor a run of the program ever looks for it.
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif
template <class T>
struct nowhere {
  T value;
};
template <class T>
extern nowhere<T> object_nowhere;

template <class T>
consteval auto pointers_into() {
  return with_fields(object_nowhere<T>.value, collect_pointers{});
}
#if defined(__clang__)
#pragma clang diagnostic pop
#endif

/// The compiler's own spelling of a field, between the last separator and the brace around the
/// template argument: "... {(& object_nowhere<T>.nowhere<T>::value.T::name)}]" of GCC, "...
/// {&object_nowhere.value.name}]" of Clang.
consteval std::string_view name_within(std::string_view spelling) {
  std::size_t end = spelling.rfind('}');
  while (spelling[end - 1] == ')') --end;
  const std::size_t separator = spelling.find_last_of(".:", end - 1);
  return spelling.substr(separator + 1, end - separator - 1);
}

template <pointer_to Field>
consteval auto field_name() {
  return name_within(static_cast<const char*>(__PRETTY_FUNCTION__));
}

template <class T, std::size_t... I>
consteval auto collect_names(std::index_sequence<I...> /*fields*/) {
  return std::array<std::string_view, sizeof...(I)>{field_name<pointer_at<I>(pointers_into<T>())>()...};
}

/// The names of T's fields in the order of declaration.
template <class T>
inline constexpr auto field_names = collect_names<T>(std::make_index_sequence<field_count<T>>{});

}  // namespace breakwater::detail
