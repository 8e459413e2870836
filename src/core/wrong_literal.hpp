#pragma once

#include <cstdio>
#include <cstdlib>

namespace breakwater::detail {

/// Ends the program over a literal that is wrong.
///
/// Compilers refuse a wrong literal, and this never runs: except that clang before 17 evaluates
/// consteval constructors in default member initialisers, `bw::date day{"2026-02-30"};` in a
/// struct, when running.
[[noreturn]] inline void wrong_literal(const char* reason) noexcept {
  std::fprintf(stderr, "breakwater: a literal in the source is wrong: %s\n", reason);
  std::abort();
}

}  // namespace breakwater::detail
