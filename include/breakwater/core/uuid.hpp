#pragma once

#include <breakwater/core/result.hpp>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace breakwater {

class uuid;

namespace detail {

/// Named for the compiler's message: it is reached only by a wrong literal, and not constexpr.
[[noreturn]] void this_is_not_a_uuid_of_32_hexadecimal_digits();

/// The value of every hexadecimal digit, and -1 elsewhere. A table, because the digits of a uuid
/// are as good as random and branches on them are mispredicted.
inline constexpr std::array<std::int8_t, 256> hex_digit_values = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::int8_t i = 0; i < 10; ++i) values[static_cast<std::size_t>('0' + i)] = i;
  for (std::int8_t i = 10; i < 16; ++i) {
    values[static_cast<std::size_t>('a' + i - 10)] = i;
    values[static_cast<std::size_t>('A' + i - 10)] = i;
  }
  return values;
}();

/// The value of a hexadecimal digit, or -1.
[[nodiscard]] constexpr int hex_digit_value(char c) noexcept { return hex_digit_values[static_cast<unsigned char>(c)]; }

/// Reads the forms Postgres reads (its `string_to_uuid`); false leaves `out` partly written.
[[nodiscard]] constexpr bool read_uuid(std::string_view text, std::array<std::uint8_t, 16>& out) noexcept {
  const bool braces = text.size() >= 2 && text.front() == '{' && text.back() == '}';
  if (braces) text = text.substr(1, text.size() - 2);
  std::size_t at = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (text.size() - at < 2) return false;
    const int high = hex_digit_value(text[at]);
    const int low = hex_digit_value(text[at + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::uint8_t>(high * 16 + low);
    at += 2;
    const bool hyphen_allowed = i % 2 == 1 && i + 1 < out.size();
    if (hyphen_allowed && at < text.size() && text[at] == '-') ++at;
  }
  return at == text.size();
}

/// The tick a time-ordered uuid takes: the clock's, or one past the last when the clock has not
/// moved on.
[[nodiscard]] constexpr std::uint64_t next_uuid_tick(std::uint64_t last, std::uint64_t clock) noexcept {
  return clock > last ? clock : last + 1;
}

/// A version 7 uuid. `tick` is Unix milliseconds * 4096 plus the fraction of the millisecond in
/// 1/4096; of `random` the lower 62 bits are used.
[[nodiscard]] constexpr uuid make_time_ordered_uuid(std::uint64_t tick, std::uint64_t random) noexcept;

}  // namespace detail

/// A universally unique identifier: the `uuid` type of Postgres.
///
///     constexpr bw::uuid known{"c0ffee00-1234-4abc-8def-0123456789ab"};   // checked by the
///     compiler bw::result<bw::uuid> given = bw::uuid::parse(text);                 // checked when
///     it runs auto key = bw::uuid::time_ordered();                                // new, kind to
///     B-tree indexes
///
/// A plain value of 16 bytes; distinct objects may be used by distinct threads, and the functions
/// that make new identifiers may be called from any thread. Orders as Postgres does, byte by byte.
class uuid {
 public:
  using bytes_type = std::array<std::uint8_t, 16>;

  /// Text that the compiler has read. (The constructors of `uuid` itself are not consteval: clang
  /// 14 crashes on arrays of such.)
  class literal {
   public:
    consteval literal(const char* text) : literal(std::string_view(text)) {}
    consteval literal(std::string_view text) {
      if (!detail::read_uuid(text, bytes_)) detail::this_is_not_a_uuid_of_32_hexadecimal_digits();
    }

   private:
    friend class uuid;
    bytes_type bytes_{};
  };

  /// Length of the text form.
  static constexpr std::size_t max_text_size = 36;

  /// The nil uuid: all zeros.
  constexpr uuid() noexcept = default;
  /// From its bytes in network order (as in the wire's binary format).
  constexpr explicit uuid(const bytes_type& bytes) noexcept : bytes_(bytes) {}
  /// From a literal, as in `uuid{"c0ffee00-..."}`; what is not a uuid does not compile.
  constexpr explicit uuid(literal text) noexcept : bytes_(text.bytes_) {}

  /// Reads the forms Postgres reads: upper or lower case, with or without braces, hyphens after any
  /// group of four digits or none. Error: `errc::data_error`.
  [[nodiscard]] static result<uuid> parse(std::string_view text);
  /// As `parse`, without making an error: false leaves `out` as it was.
  [[nodiscard]] static bool parse_into(std::string_view text, uuid& out) noexcept;

  /// A new random uuid (version 4) of 122 bits from the operating system's generator.
  ///
  /// Costs a system call every 32nd time in a thread. A forked child does not repeat its parent's
  /// values. Ends the program if the system has no random numbers to give: there is no safe
  /// substitute.
  [[nodiscard]] static uuid random() noexcept;

  /// A new uuid that begins with the time (version 7 of RFC 9562), so that new rows land side by
  /// side in an index.
  ///
  /// Within a process each is greater than all made before, by any thread and also when the clock
  /// is set back: 48 bits of milliseconds, 12 bits of sub-millisecond fraction that double as a
  /// counter (method 3 of section 6.2), 62 random bits. It shows when it was made; where that must
  /// stay secret, take `random`.
  [[nodiscard]] static uuid time_ordered() noexcept;

  /// The version field: 4 for random, 7 for time-ordered, 0 for nil. Meaningful for RFC 9562
  /// variants only.
  [[nodiscard]] constexpr int version() const noexcept { return bytes_[6] >> 4; }
  [[nodiscard]] constexpr bool is_nil() const noexcept { return *this == uuid(); }
  /// The 16 bytes in network order.
  [[nodiscard]] constexpr const bytes_type& bytes() const noexcept { return bytes_; }

  /// The canonical text, as Postgres writes it: 36 characters, lower case.
  [[nodiscard]] std::string to_string() const;
  /// Writes the canonical text, without a terminator, and returns its end.
  /// REQUIRES: room for `max_text_size` characters.
  char* write_to(char* out) const noexcept;

  friend constexpr bool operator==(const uuid&, const uuid&) noexcept = default;
  friend constexpr std::strong_ordering operator<=>(const uuid&, const uuid&) noexcept = default;

 private:
  bytes_type bytes_{};
};

constexpr uuid detail::make_time_ordered_uuid(std::uint64_t tick, std::uint64_t random) noexcept {
  const std::uint64_t high = ((tick >> 12) << 16) | 0x7000 | (tick & 0xfff);
  const std::uint64_t low = (random & 0x3fff'ffff'ffff'ffff) | 0x8000'0000'0000'0000;
  uuid::bytes_type bytes{};
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::uint8_t>(high >> (56 - 8 * i));
    bytes[i + 8] = static_cast<std::uint8_t>(low >> (56 - 8 * i));
  }
  return uuid(bytes);
}

}  // namespace breakwater

template <>
struct std::hash<breakwater::uuid> {
  [[nodiscard]] std::size_t operator()(const breakwater::uuid& value) const noexcept;
};
