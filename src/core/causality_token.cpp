// The text of a causality token: base64url (RFC 4648, section 5) without padding of
//
//     1 byte   what follows: 1 a known position, 2 an unknown one
//     8 bytes  system identifier
//     4 bytes  timeline
//     8 bytes  position
//     4 bytes  CRC-32 (ISO 3309) of the above
//
// each number with its most significant byte first.

#include <breakwater/core/causality_token.hpp>

#include <array>
#include <cstddef>

namespace breakwater {
namespace {

constexpr std::size_t body_size = 1 + 8 + 4 + 8;
constexpr std::size_t binary_size = body_size + 4;
constexpr std::size_t text_size = (binary_size * 8 + 5) / 6;
using binary = std::array<std::uint8_t, binary_size>;

constexpr std::uint8_t known_mark = 1;
constexpr std::uint8_t unknown_mark = 2;

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Bit by bit: 168 of them, once per request.
std::uint32_t checksum(const binary& of) noexcept {
  constexpr std::uint32_t polynomial = 0xedb88320U;
  std::uint32_t crc = 0xffffffffU;
  for (std::size_t i = 0; i < body_size; ++i) {
    crc ^= of[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? polynomial : 0U);
  }
  return ~crc;
}

template <class Number>
std::size_t put(binary& to, std::size_t at, Number value) noexcept {
  for (std::size_t i = sizeof value; i-- > 0;) to[at++] = static_cast<std::uint8_t>(value >> (8 * i));
  return at;
}

template <class Number>
std::size_t take(const binary& from, std::size_t at, Number& value) noexcept {
  value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) value = static_cast<Number>((value << 8U) | from[at++]);
  return at;
}

/// False: other characters, or bits behind the last byte.
bool decode(std::string_view text, binary& to) noexcept {
  std::uint32_t bits = 0;
  unsigned held = 0;
  std::size_t at = 0;
  for (const char c : text) {
    const std::size_t digit = alphabet.find(c);
    if (digit == std::string_view::npos) return false;
    bits = (bits << 6U) | static_cast<std::uint32_t>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    to[at++] = static_cast<std::uint8_t>(bits >> held);
    bits &= (1U << held) - 1;
  }
  return bits == 0;
}

error refuse(const char* why) {
  return error(errc::invalid_argument,
               std::string("this is no causality token: ") + why + "; pass on what to_string() gave, unchanged");
}

}  // namespace

std::string causality_token::to_string() const {
  if (empty()) return {};
  binary bytes{};
  bytes[0] = knows_position() ? known_mark : unknown_mark;
  std::size_t at = put(bytes, 1, system_);
  at = put(bytes, at, timeline_);
  at = put(bytes, at, position_);
  put(bytes, at, checksum(bytes));

  std::string text;
  text.reserve(text_size);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const std::uint8_t byte : bytes) {
    bits = ((bits << 8U) | byte) & 0xffffU;
    for (held += 8; held >= 6;) {
      held -= 6;
      text += alphabet[(bits >> held) & 63U];
    }
  }
  text += alphabet[(bits << (6 - held)) & 63U];
  return text;
}

result<causality_token> causality_token::parse(std::string_view text) {
  if (text.empty()) return causality_token();
  if (text.size() != text_size) return refuse("it has another length");
  binary bytes{};
  if (!decode(text, bytes)) return refuse("it holds other characters than one");
  std::uint32_t sum = 0;
  take(bytes, body_size, sum);
  if (sum != checksum(bytes)) return refuse("its checksum is wrong");

  causality_token read;
  std::size_t at = take(bytes, 1, read.system_);
  at = take(bytes, at, read.timeline_);
  take(bytes, at, read.position_);
  if (bytes[0] == known_mark && read.timeline_ != 0) {
    read.kind_ = kind::known;
  } else if (bytes[0] == unknown_mark && read.position_ == 0) {
    read.kind_ = kind::unknown;
  } else {
    return refuse("it was made by another version");
  }
  return read;
}

}  // namespace breakwater
