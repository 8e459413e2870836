#pragma once

#include <cstdint>

namespace breakwater {

/// A place in the source: who borrowed a connection. As source_location, which clang does not have before
/// version 16; one type for all compilers, because it crosses the library's binary interface.
///
///     void borrow(source_location where = source_location::current());
class source_location {
 public:
  constexpr source_location() noexcept = default;
  [[nodiscard]] static constexpr source_location current(const char* file = __builtin_FILE(),
                                                         const char* function = __builtin_FUNCTION(),
                                                         std::uint_least32_t line = __builtin_LINE()) noexcept {
    source_location here;
    here.file_ = file;
    here.function_ = function;
    here.line_ = line;
    return here;
  }

  [[nodiscard]] constexpr const char* file_name() const noexcept { return file_; }
  [[nodiscard]] constexpr const char* function_name() const noexcept { return function_; }
  [[nodiscard]] constexpr std::uint_least32_t line() const noexcept { return line_; }

 private:
  const char* file_ = "";
  const char* function_ = "";
  std::uint_least32_t line_ = 0;
};

}  // namespace breakwater
