#pragma once

#include <breakwater/core/detail/inet_text.hpp>
#include <breakwater/core/result.hpp>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace breakwater {

namespace detail {

/// Named for the compiler's message: it is reached only by a wrong literal, and not constexpr.
[[noreturn]] void this_is_not_an_address_of_IPv4_or_IPv6_with_or_without_a_prefix();

}  // namespace detail

/// An address of IPv4 or IPv6 with the length of its network's prefix: the types `inet` and `cidr` of Postgres.
///
///     constexpr bw::inet office{"192.0.2.0/24"};                  // checked by the compiler
///     bw::result<bw::inet> given = bw::inet::parse(text);         // checked when it runs
///     if (office.contains(given.value())) ...
///
/// The prefix is that of a whole address, 32 or 128, unless said otherwise. A `cidr` column takes only those without
/// bits behind the prefix; the server refuses others. Orders as Postgres does: version 4 first, then by network, length of
/// the prefix, and address. A plain value of 18 bytes; distinct objects may be used by distinct threads.
class inet {
 public:
  using v4_bytes = std::array<std::uint8_t, 4>;
  using v6_bytes = std::array<std::uint8_t, 16>;

  /// Text that the compiler has read. (The constructors of `inet` itself are not consteval: clang 14 crashes on arrays
  /// of such.)
  class literal {
   public:
    consteval literal(const char* text) : literal(std::string_view(text)) {}
    consteval literal(std::string_view text) {
      if (!detail::read_inet(text, parts_)) detail::this_is_not_an_address_of_IPv4_or_IPv6_with_or_without_a_prefix();
    }

   private:
    friend class inet;
    detail::inet_parts parts_;
  };

  /// Longest text form: "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128".
  static constexpr std::size_t max_text_size = 49;

  /// 0.0.0.0.
  constexpr inet() noexcept = default;
  /// From a literal, as in `inet{"192.0.2.0/24"}`; what is not an address does not compile.
  constexpr explicit inet(literal text) noexcept : parts_(text.parts_) {}
  /// From bytes in network order; a whole address.
  constexpr explicit inet(const v4_bytes& bytes) noexcept {
    for (std::size_t i = 0; i < bytes.size(); ++i) parts_.bytes[i] = bytes[i];
  }
  constexpr explicit inet(const v6_bytes& bytes) noexcept : parts_{.bytes = bytes, .is_v6 = true, .prefix = 128} {}

  /// Reads "192.0.2.1", "2001:db8::/32" and "::ffff:192.0.2.1". Error: `errc::data_error`, also for numbers with
  /// leading zeros and for `cidr`'s short forms ("10/8").
  [[nodiscard]] static result<inet> parse(std::string_view text);
  /// As `parse`, without making an error: false leaves `out` as it was.
  [[nodiscard]] static bool parse_into(std::string_view text, inet& out) noexcept;

  [[nodiscard]] constexpr bool is_v6() const noexcept { return parts_.is_v6; }
  [[nodiscard]] constexpr bool is_v4() const noexcept { return !parts_.is_v6; }
  /// Length of the network's prefix in bits, 0 to 32 or 128.
  [[nodiscard]] constexpr unsigned prefix() const noexcept { return parts_.prefix; }
  /// One whole address rather than a network.
  [[nodiscard]] constexpr bool is_host() const noexcept { return parts_.prefix == bits(); }
  /// The address in network order. REQUIRES `is_v4()`.
  [[nodiscard]] constexpr v4_bytes to_v4() const noexcept {
    return {parts_.bytes[0], parts_.bytes[1], parts_.bytes[2], parts_.bytes[3]};
  }
  /// The address in network order. REQUIRES `is_v6()`.
  [[nodiscard]] constexpr const v6_bytes& to_v6() const noexcept { return parts_.bytes; }

  /// The same address with another prefix. Error: `errc::data_error` for one longer than the address.
  [[nodiscard]] result<inet> with_prefix(unsigned length) const;
  /// The network: the bits behind the prefix are zero.
  [[nodiscard]] constexpr inet network() const noexcept {
    inet masked = *this;
    for (unsigned i = 0; i < 16; ++i) {
      const unsigned begin = i * 8;
      const unsigned kept = parts_.prefix > begin ? (parts_.prefix - begin < 8 ? parts_.prefix - begin : 8) : 0;
      masked.parts_.bytes[i] = static_cast<std::uint8_t>(masked.parts_.bytes[i] & (0xff00U >> kept));
    }
    return masked;
  }
  /// Is `other`, an address or a network, within this network? As Postgres's `>>=`; itself counts.
  [[nodiscard]] constexpr bool contains(const inet& other) const noexcept {
    return is_v6() == other.is_v6() && prefix() <= other.prefix() &&
           detail::compare_bits(parts_.bytes, other.parts_.bytes, prefix()) == 0;
  }

  /// The text Postgres writes for an `inet`: "192.0.2.1", "2001:db8::/32".
  [[nodiscard]] std::string to_string() const;
  /// Writes that text, without a terminator, and returns its end.
  /// REQUIRES: room for `max_text_size` characters.
  char* write_to(char* out) const noexcept;

  friend constexpr bool operator==(const inet& a, const inet& b) noexcept { return (a <=> b) == 0; }
  friend constexpr std::strong_ordering operator<=>(const inet& a, const inet& b) noexcept {
    if (a.is_v6() != b.is_v6()) return a.is_v6() <=> b.is_v6();
    const unsigned common = a.prefix() < b.prefix() ? a.prefix() : b.prefix();
    if (const int order = detail::compare_bits(a.parts_.bytes, b.parts_.bytes, common); order != 0) return order <=> 0;
    if (a.prefix() != b.prefix()) return a.prefix() <=> b.prefix();
    return detail::compare_bits(a.parts_.bytes, b.parts_.bytes, a.bits()) <=> 0;
  }

 private:
  [[nodiscard]] constexpr unsigned bits() const noexcept { return parts_.is_v6 ? 128 : 32; }

  detail::inet_parts parts_;
};

}  // namespace breakwater

template <>
struct std::hash<breakwater::inet> {
  [[nodiscard]] std::size_t operator()(const breakwater::inet& value) const noexcept;
};
