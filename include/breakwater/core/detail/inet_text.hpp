#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

// Reading addresses, by the compiler or when running.

namespace breakwater::detail {

struct inet_parts {
  std::array<std::uint8_t, 16> bytes{};  // of version 4 the first four
  bool is_v6 = false;
  std::uint8_t prefix = 32;
};

/// Cuts a decimal number of up to `digits` digits off the front.
constexpr bool take_decimal(std::string_view& text, std::size_t digits, unsigned most, unsigned& out) noexcept {
  std::size_t count = 0;
  unsigned value = 0;
  for (; count < text.size() && text[count] >= '0' && text[count] <= '9'; ++count) {
    if (count == digits) return false;
    value = value * 10 + static_cast<unsigned>(text[count] - '0');
  }
  text.remove_prefix(count);
  out = value;
  return count > 0 && value <= most;
}

/// "192.168.0.1": four numbers, without leading zeros, which some systems read as octal.
constexpr bool take_v4(std::string_view& text, std::uint8_t* to) noexcept {
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0) {
      if (text.empty() || text.front() != '.') return false;
      text.remove_prefix(1);
    }
    if (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9') return false;
    unsigned byte = 0;
    if (!take_decimal(text, 3, 255, byte)) return false;
    to[i] = static_cast<std::uint8_t>(byte);
  }
  return true;
}

/// One to four hexadecimal digits.
constexpr bool take_group(std::string_view& text, unsigned& out) noexcept {
  std::size_t count = 0;
  out = 0;
  for (; count < text.size() && count < 5; ++count) {
    const char c = text[count];
    unsigned digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<unsigned>(c - 'a' + 10);
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<unsigned>(c - 'A' + 10);
    } else {
      break;
    }
    out = out * 16 + digit;
  }
  text.remove_prefix(count);
  return count > 0 && count <= 4;
}

/// "2001:db8::1", "::", "::ffff:192.0.2.1" (RFC 4291, section 2.2).
constexpr bool take_v6(std::string_view& text, std::uint8_t* to) noexcept {
  constexpr std::size_t none = 99;
  std::size_t at = 0;      // bytes written
  std::size_t gap = none;  // where "::" stands
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty() && text.front() != '/') {
    const std::string_view group = text.substr(0, text.find_first_of(":/"));
    if (group.find('.') != std::string_view::npos) {
      if (at > 12 || !take_v4(text, to + at)) return false;
      at += 4;
      break;
    }
    unsigned value = 0;
    if (at > 14 || !take_group(text, value)) return false;
    to[at++] = static_cast<std::uint8_t>(value >> 8U);
    to[at++] = static_cast<std::uint8_t>(value & 0xffU);
    if (text.starts_with("::")) {
      if (gap != none) return false;
      gap = at;
      text.remove_prefix(2);
    } else if (!text.empty() && text.front() == ':') {
      text.remove_prefix(1);
      if (text.empty() || text.front() == '/') return false;
    } else {
      break;
    }
  }
  if (gap == none) return at == 16;
  if (at > 14) return false;
  const std::size_t behind = at - gap;
  for (std::size_t i = 0; i < behind; ++i) {
    to[15 - i] = to[at - 1 - i];
  }
  for (std::size_t i = gap; i < 16 - behind; ++i) to[i] = 0;
  return true;
}

/// An address with or without "/prefix", and nothing around it.
constexpr bool read_inet(std::string_view text, inet_parts& out) noexcept {
  inet_parts parts;
  parts.is_v6 = text.find(':') != std::string_view::npos;
  const unsigned longest = parts.is_v6 ? 128 : 32;
  parts.prefix = static_cast<std::uint8_t>(longest);
  if (!(parts.is_v6 ? take_v6(text, parts.bytes.data()) : take_v4(text, parts.bytes.data()))) return false;
  if (!text.empty()) {
    if (text.front() != '/') return false;
    text.remove_prefix(1);
    unsigned prefix = 0;
    if (!take_decimal(text, 3, longest, prefix) || !text.empty()) return false;
    parts.prefix = static_cast<std::uint8_t>(prefix);
  }
  out = parts;
  return true;
}

/// Do the first `bits` bits agree? Order as of unsigned numbers.
constexpr int compare_bits(const std::array<std::uint8_t, 16>& a, const std::array<std::uint8_t, 16>& b,
                           unsigned bits) noexcept {
  for (std::size_t i = 0; i < 16 && bits > 0; ++i) {
    const unsigned used = bits < 8 ? bits : 8;
    const unsigned left = static_cast<unsigned>(a[i]) >> (8 - used);
    const unsigned right = static_cast<unsigned>(b[i]) >> (8 - used);
    if (left != right) return left < right ? -1 : 1;
    bits -= used;
  }
  return 0;
}

}  // namespace breakwater::detail
