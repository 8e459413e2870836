// Cursors: a place in an order as a text that a client may hold.

#include <breakwater/repository/detail/query_state.hpp>

#include <array>
#include <charconv>
#include <string>

namespace breakwater::detail {
namespace {

// The form: the prefix, then base64url of
//   fingerprint of the order, 16 hexadecimal digits
//   for each value: its length in decimal and ':' and the text, or "n" for NULL
//   fingerprint of all that, 16 hexadecimal digits: a cut or damaged cursor is noticed. It keeps nobody from making one,
//   who could as well have asked for that page by its values.
constexpr std::string_view prefix = "bwk1.";
constexpr std::size_t print_digits = 16;

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string to_base64url(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const char c : bytes) {
    buffer = buffer << 8U | static_cast<unsigned char>(c);
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      text.push_back(alphabet[buffer >> bits & 63U]);
    }
  }
  if (bits > 0) text.push_back(alphabet[buffer << (6 - bits) & 63U]);
  return text;
}

bool from_base64url(std::string_view text, std::string& bytes) {
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const char c : text) {
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos) return false;
    buffer = buffer << 6U | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<char>(buffer >> bits & 255U));
  }
  return bits < 6 && (buffer & ((1U << bits) - 1U)) == 0;  // no half of a byte, and no second way to write the same
}

std::string hex_print(std::uint64_t print) {
  std::array<char, print_digits> digits{};
  for (std::size_t i = print_digits; i-- > 0; print >>= 4U) digits[i] = "0123456789abcdef"[print & 15U];
  return {digits.data(), digits.size()};
}

/// Takes "length:text" or "n" off the front.
bool take_value(std::string_view& rest, const order_term& term, parameters& values) {
  if (rest.starts_with('n')) {
    rest.remove_prefix(1);
    if (!term.nullable) return false;
    values.add_null(term.type);
    return true;
  }
  std::size_t length = 0;
  const auto [end, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), length);
  if (failure != std::errc{}) return false;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  if (!rest.starts_with(':') || rest.size() - 1 < length) return false;
  values.add_text(rest.substr(1, length), term.type);
  rest.remove_prefix(1 + length);
  return true;
}

}  // namespace

std::string write_cursor(std::uint64_t order_print, const rows& answer, std::size_t row, std::size_t first_column,
                         std::size_t count) {
  std::string bytes = hex_print(order_print);
  for (std::size_t i = 0; i < count; ++i) {
    const cell value = answer.at(row, first_column + i);
    if (value.null) {
      bytes.push_back('n');
    } else {
      bytes.append(std::to_string(value.text.size())).append(":").append(value.text);
    }
  }
  bytes.append(hex_print(fingerprint(bytes)));
  return std::string(prefix).append(to_base64url(bytes));
}

bool read_cursor(std::string_view text, std::uint64_t order_print, std::span<const order_term> order,
                 parameters& values) {
  std::string bytes;
  if (!looks_like_cursor(text) || !from_base64url(text.substr(prefix.size()), bytes)) return false;
  if (bytes.size() < 2 * print_digits) return false;
  std::string_view rest = bytes;
  const std::string_view damage_print = rest.substr(rest.size() - print_digits);
  rest.remove_suffix(print_digits);
  if (damage_print != hex_print(fingerprint(rest)) || !rest.starts_with(hex_print(order_print))) return false;
  rest.remove_prefix(print_digits);
  for (const order_term& term : order) {
    if (!take_value(rest, term, values)) return false;
  }
  return rest.empty() && !values.first_invalid();
}

bool looks_like_cursor(std::string_view text) noexcept { return text.starts_with(prefix); }

}  // namespace breakwater::detail
