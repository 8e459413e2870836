#pragma once

#include <breakwater/postgres/parameters.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

/// What `bw::type("numeric(20,8)")` and `bw::type("varchar(40)")` say of the values that a column holds. PostgreSQL
/// refuses others without a word about the column, so they are refused before. For the library's own use.
namespace breakwater::detail {

struct column_limit {
  enum class kind : std::uint8_t {
    none,
    numeric,  ///< below 10^(precision - scale), once rounded to the scale
    length    ///< at most so many characters, not counting spaces at the end
  };
  kind of = kind::none;
  std::int16_t scale = 0;
  std::int32_t size = 0;  // precision, or length
};

/// "varchar ( 40 )" taken apart: a name and up to two integers in brackets, and nothing behind them.
class type_text {
 public:
  constexpr explicit type_text(std::string_view text) noexcept : rest_(text) { skip_spaces(); }

  /// In lower case; matches in any case, with any number of spaces.
  constexpr bool take_name(std::string_view name) noexcept {
    std::string_view rest = rest_;
    for (const char wanted : name) {
      if (wanted == ' ') {
        if (rest.empty() || rest.front() != ' ') return false;
        while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
        continue;
      }
      if (rest.empty() || lower(rest.front()) != wanted) return false;
      rest.remove_prefix(1);
    }
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    if (rest.empty() || rest.front() != '(') return false;
    rest.remove_prefix(1);
    rest_ = rest;
    return true;
  }
  constexpr bool take_number(std::int32_t& out) noexcept {
    skip_spaces();
    const bool negative = take('-');
    std::int32_t value = 0;
    std::size_t digits = 0;
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9' && digits < 9; ++digits) {
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    skip_spaces();
    out = negative ? -value : value;
    return digits > 0;
  }
  constexpr bool take(char wanted) noexcept {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  constexpr bool at_end() noexcept {
    skip_spaces();
    return rest_.empty();
  }

 private:
  static constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
  constexpr void skip_spaces() noexcept {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
  }
  std::string_view rest_;
};

/// Of any other type, an array of these included: none.
[[nodiscard]] constexpr column_limit limit_of(std::string_view sql_type) noexcept {
  for (const std::string_view name : {"numeric", "decimal", "dec"}) {
    type_text text(sql_type);
    column_limit limit{.of = column_limit::kind::numeric};
    std::int32_t scale = 0;
    if (!text.take_name(name) || !text.take_number(limit.size)) continue;
    if (text.take(',') && !text.take_number(scale)) continue;
    limit.scale = static_cast<std::int16_t>(scale);
    if (text.take(')') && text.at_end()) return limit;
  }
  for (const std::string_view name : {"varchar", "char", "character", "character varying", "char varying", "bpchar"}) {
    type_text text(sql_type);
    column_limit limit{.of = column_limit::kind::length};
    if (text.take_name(name) && text.take_number(limit.size) && text.take(')') && text.at_end()) return limit;
  }
  return {};
}

/// Marks the value added last as refused where it is beyond the limit.
void check_limit(parameters& values, const column_limit& limit);

}  // namespace breakwater::detail
