#pragma once

#include <array>
#include <string_view>

/// What the fuzzers call with inputs of their own making, and the replay of the corpus with those that are kept.
namespace fuzz {

/// What should hold and does not, or null. Reads and writes out of bounds are for the sanitizers to find.
using verdict = const char*;

/// A byte that says which arguments there are, then SQL: the lexer and the placeholders.
[[nodiscard]] verdict raw_sql(std::string_view input);
/// An array's text, and the elements of one to write.
[[nodiscard]] verdict array(std::string_view input);
/// A composite's text, and the fields of one to write.
[[nodiscard]] verdict composite(std::string_view input);
/// The text of ranges and multiranges.
[[nodiscard]] verdict range(std::string_view input);
/// The text of intervals, addresses and times.
[[nodiscard]] verdict value(std::string_view input);

struct target {
  std::string_view name;
  verdict (*run)(std::string_view input);
};

inline constexpr std::array<target, 5> targets{
    {{"raw_sql", &raw_sql}, {"array", &array}, {"composite", &composite}, {"range", &range}, {"value", &value}}};

}  // namespace fuzz
