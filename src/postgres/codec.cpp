#include <breakwater/postgres/codec.hpp>

namespace breakwater {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void codec<std::vector<std::byte>>::encode(const std::vector<std::byte>& value, parameters& out) {
  const std::size_t size = 2 + 2 * value.size();
  char* at = out.reserve(size);
  *at++ = '\\';
  *at++ = 'x';
  for (const std::byte b : value) {
    *at++ = hex_digits[std::to_integer<std::size_t>(b >> 4)];
    *at++ = hex_digits[std::to_integer<std::size_t>(b & std::byte{15})];
  }
  out.commit(size, type);
}

bool codec<std::vector<std::byte>>::decode(std::string_view text, std::vector<std::byte>& out) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0) return false;
  text.remove_prefix(2);
  out.resize(text.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::byte>(high * 16 + low);
  }
  return true;
}

void codec<numeric>::encode(const numeric& value, parameters& out) { out.add_text(value.to_string(), type); }

bool codec<std::chrono::sys_days>::decode(std::string_view text, std::chrono::sys_days& out) noexcept {
  date day;
  if (!date::parse_into(text, day) || day.is_infinite()) return false;
  out = std::chrono::sys_days(std::chrono::days(day.days_since_2000() + detail::days_from_1970_to_2000));
  return true;
}

bool codec<std::chrono::sys_time<std::chrono::microseconds>>::decode(std::string_view text, moment& out) noexcept {
  timestamptz value;
  std::int64_t since_1970 = 0;
  if (!timestamptz::parse_into(text, value) || value.is_infinite() ||
      __builtin_add_overflow(value.microseconds_since_2000(), detail::microseconds_from_1970_to_2000, &since_1970)) {
    return false;
  }
  out = moment(std::chrono::microseconds(since_1970));
  return true;
}

namespace detail {

void array_text::add(parameters& element) {
  if (text_.size() > 1) text_.push_back(',');
  if (element.is_null(0)) {
    text_.append("NULL");
  } else {
    text_.push_back('"');
    for (const char c : element.text(0)) {
      if (c == '"' || c == '\\') text_.push_back('\\');
      text_.push_back(c);
    }
    text_.push_back('"');
  }
  element.clear();
}

void array_text::finish(parameters& out) {
  text_.push_back('}');
  // A NUL byte inside an element is kept in the text, so that add_text notices it.
  out.add_text(text_);
}

}  // namespace detail
}  // namespace breakwater
