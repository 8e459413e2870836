#include <breakwater/core/numeric.hpp>
#include <breakwater/repository/detail/column_limit.hpp>

#include <algorithm>
#include <string>

namespace breakwater::detail {
namespace {

/// Digits before the point, without leading zeros; of NaN and the infinities none.
std::ptrdiff_t integer_digits(std::string_view text) noexcept {
  if (text.starts_with('-')) text.remove_prefix(1);
  while (text.starts_with('0')) text.remove_prefix(1);
  return std::ranges::find_if(text, [](char c) { return c < '0' || c > '9'; }) - text.begin();
}

/// Exact, and slower: rounding to the scale can add a digit, and a scale can be beyond the precision or negative.
bool fits_rounded(std::string_view text, const column_limit& limit) {
  numeric value;
  if (!numeric::parse_into(text, value)) return true;  // the server's to judge
  if (value.is_nan()) return true;
  if (value.is_infinite()) return false;
  const auto bound = numeric::parse("1e" + std::to_string(limit.size - limit.scale));
  return !bound || value.rescale(limit.scale).abs() < bound.assume_value();
}

bool fits_numeric(std::string_view text, const column_limit& limit) {
  const std::ptrdiff_t room = limit.size - limit.scale;
  const std::ptrdiff_t digits = integer_digits(text);
  const bool plain = text.find_first_not_of("-.0123456789") == std::string_view::npos;
  if (plain && digits < room && limit.scale >= 0) return true;
  return fits_rounded(text, limit);
}

/// Characters of UTF-8, without the spaces at the end, which the server cuts off where they are too many.
bool fits_length(std::string_view text, const column_limit& limit) noexcept {
  const auto most = static_cast<std::size_t>(limit.size);
  if (text.size() <= most) return true;
  while (text.ends_with(' ')) text.remove_suffix(1);
  const auto begins_character = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; };
  return static_cast<std::size_t>(std::ranges::count_if(text, begins_character)) <= most;
}

}  // namespace

void check_limit(parameters& values, const column_limit& limit) {
  const std::size_t last = values.size() - 1;
  if (values.is_null(last)) return;
  const std::string_view text = values.text(last);
  if (limit.of == column_limit::kind::numeric && !fits_numeric(text, limit)) {
    values.mark_refused("is beyond the precision that the mapping gives the column");
  } else if (limit.of == column_limit::kind::length && !fits_length(text, limit)) {
    values.mark_refused("is longer than the mapping says the column is");
  }
}

}  // namespace breakwater::detail
