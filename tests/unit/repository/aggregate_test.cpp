#include <breakwater/core/numeric.hpp>
#include <breakwater/core/timestamptz.hpp>
#include <breakwater/repository/detail/aggregate.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

// Names and types of fields are known at compile time, on every compiler: most of this test has
// passed once it compiles.

namespace named {
struct report {
  std::string owner;
  breakwater::numeric total{};
  std::optional<std::int64_t> rows_counted = 7;
};
template <class First, class Second>
struct pair_of {
  First first;
  Second second_one_;  // NOLINT(readability-identifier-naming): a name that a user may choose
};
}  // namespace named

namespace {

using namespace breakwater::detail;

template <class...>
struct list {};

struct single {
  int only;
};
struct with_defaults {
  int a = 1;
  std::string b = "b";
  bool c{};
};
struct demanding {
  std::optional<std::string> text;
  std::optional<std::vector<std::byte>> bytes;
  std::vector<std::string> texts;
  std::variant<int, std::string> either;
  std::function<void()> anything;
  std::map<std::string, int> map;
  std::shared_ptr<int> pointer;
  std::array<int, 4> numbers;
  breakwater::timestamptz time;
  single nested;
};
struct move_only {
  std::unique_ptr<int> pointer;
  int second = 0;
};
struct spelled {
  // NOLINTNEXTLINE(readability-identifier-naming): every form that a user may choose
  int _leading, trailing_, UPPER, x1, value, T, at;
};

struct empty {};
struct base {
  int a;
};
struct derived : base {
  int b;
};
struct empty_base_derived : empty {
  int b;
};
class closed {
 public:
  int a = 0;

 private:
  [[maybe_unused]] int b_ = 0;
};
struct constructed {
  constructed() = default;
  int a = 0;
};
union either_or {
  int a;
  float b;
};

struct eight {
  int a1, a2, a3, a4, a5, a6, a7, a8;
};
struct nine {
  int a1, a2, a3, a4, a5, a6, a7, a8, a9;
};
struct sixty_four {
  int a1, a2, a3, a4, a5, a6, a7, a8, b1, b2, b3, b4, b5, b6, b7, b8, c1, c2, c3, c4, c5, c6, c7, c8, d1, d2, d3, d4,
      d5, d6, d7, d8, e1, e2, e3, e4, e5, e6, e7, e8, f1, f2, f3, f4, f5, f6, f7, f8, g1, g2, g3, g4, g5, g6, g7, g8,
      h1, h2, h3, h4, h5, h6, h7, h8;
};
struct sixty_five {
  int a1, a2, a3, a4, a5, a6, a7, a8, b1, b2, b3, b4, b5, b6, b7, b8, c1, c2, c3, c4, c5, c6, c7, c8, d1, d2, d3, d4,
      d5, d6, d7, d8, e1, e2, e3, e4, e5, e6, e7, e8, f1, f2, f3, f4, f5, f6, f7, f8, g1, g2, g3, g4, g5, g6, g7, g8,
      h1, h2, h3, h4, h5, h6, h7, h8, i1;
};

// ---- how many -----------------------------------------------------------------------------------

static_assert(field_count<single> == 1);
static_assert(field_count<with_defaults> == 3);
static_assert(field_count<named::report> == 3);
static_assert(field_count<demanding> == 10);
static_assert(field_count<move_only> == 2);
static_assert(field_count<eight> == 8);
static_assert(field_count<nine> == 9);
static_assert(field_count<sixty_four> == 64);

static_assert(is_flat_aggregate<demanding> && is_flat_aggregate<sixty_four>);
static_assert(!is_flat_aggregate<empty>);
static_assert(!is_flat_aggregate<derived> && !is_flat_aggregate<empty_base_derived>);
static_assert(!is_flat_aggregate<closed> && !is_flat_aggregate<constructed>);
static_assert(!is_flat_aggregate<either_or> && !is_flat_aggregate<int> && !is_flat_aggregate<int[3]> &&
              !is_flat_aggregate<void>);
static_assert(!is_flat_aggregate<sixty_five>);
static_assert(!is_flat_aggregate<std::string> && !is_flat_aggregate<std::vector<int>>);

// ---- of which types -----------------------------------------------------------------------------

static_assert(std::is_same_v<aggregate_fields<with_defaults, list>, list<int, std::string, bool>>);
static_assert(std::is_same_v<aggregate_fields<named::report, list>,
                             list<std::string, breakwater::numeric, std::optional<std::int64_t>>>);

// ---- by which names -----------------------------------------------------------------------------

template <class T, std::size_t N>
constexpr bool has_names(const std::string_view (&expected)[N]) {
  if (field_names<T>.size() != N) return false;
  for (std::size_t i = 0; i < N; ++i) {
    if (field_names<T>[i] != expected[i]) return false;
  }
  return true;
}

static_assert(has_names<single>({"only"}));
static_assert(has_names<named::report>({"owner", "total", "rows_counted"}));
static_assert(has_names<named::pair_of<single, std::map<std::string, named::report>>>({"first", "second_one_"}));
static_assert(has_names<spelled>({"_leading", "trailing_", "UPPER", "x1", "value", "T", "at"}));
static_assert(has_names<demanding>({"text", "bytes", "texts", "either", "anything", "map", "pointer", "numbers", "time",
                                    "nested"}));
static_assert(has_names<move_only>({"pointer", "second"}));
static_assert(field_names<sixty_four>[0] == "a1" && field_names<sixty_four>[63] == "h8");

TEST(aggregate, fields_of_a_local_struct_have_names) {
  struct local {
    int inside;
    std::string function;
  };
  static_assert(has_names<local>({"inside", "function"}));
  EXPECT_EQ(field_names<local>[1], "function");
}

TEST(aggregate, fields_are_visited_by_reference_in_their_order) {
  with_defaults object;
  with_fields(object, [](int& a, std::string& b, bool& c) {
    a = 2;
    b = "changed";
    c = true;
  });
  EXPECT_EQ(object.a, 2);
  EXPECT_EQ(object.b, "changed");
  EXPECT_TRUE(object.c);
}

TEST(aggregate, every_field_of_the_widest_struct_is_reached) {
  sixty_four object{};
  int next = 0;
  with_fields(object, [&](auto&... field) { ((field = ++next), ...); });
  EXPECT_EQ(object.a1, 1);
  EXPECT_EQ(object.b1, 9);
  EXPECT_EQ(object.h8, 64);
}

}  // namespace
