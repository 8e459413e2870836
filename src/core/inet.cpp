#include "wrong_literal.hpp"
#include <breakwater/core/detail/civil.hpp>
#include <breakwater/core/inet.hpp>

#include <charconv>

namespace breakwater {

namespace detail {

void this_is_not_an_address_of_IPv4_or_IPv6_with_or_without_a_prefix() {
  wrong_literal("this is not an address of IPv4 or IPv6, with or without a prefix");
}

}  // namespace detail

namespace {

char* write_number(char* out, unsigned value, int base) noexcept {
  return std::to_chars(out, out + 4, value, base).ptr;
}

char* write_v4(char* out, const std::uint8_t* bytes) noexcept {
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0) *out++ = '.';
    out = write_number(out, bytes[i], 10);
  }
  return out;
}

struct zero_run {
  std::size_t begin = 0;
  std::size_t length = 0;
};

/// The longest run of two or more zero groups, the first of equals: what "::" stands for.
zero_run longest_zero_run(const std::array<unsigned, 8>& groups) noexcept {
  zero_run best;
  for (std::size_t i = 0; i < groups.size();) {
    std::size_t end = i;
    while (end < groups.size() && groups[end] == 0) ++end;
    if (end - i >= 2 && end - i > best.length) best = {.begin = i, .length = end - i};
    i = end + 1;
  }
  return best;
}

/// As the server's inet_net_ntop, which is BIND's.
char* write_v6(char* out, const inet::v6_bytes& bytes) noexcept {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = bytes[2 * i] * 256U + bytes[2 * i + 1];
  const zero_run gap = longest_zero_run(groups);
  const bool holds_v4 = gap.begin == 0 && (gap.length == 6 || (gap.length == 5 && groups[5] == 0xffff));
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (gap.length > 0 && i >= gap.begin && i < gap.begin + gap.length) {
      if (i == gap.begin) *out++ = ':';
      continue;
    }
    if (i > 0) *out++ = ':';
    if (i == 6 && holds_v4) return write_v4(out, bytes.data() + 12);
    out = write_number(out, groups[i], 16);
  }
  if (gap.length > 0 && gap.begin + gap.length == groups.size()) *out++ = ':';
  return out;
}

}  // namespace

result<inet> inet::parse(std::string_view text) {
  inet value;
  if (parse_into(text, value)) return value;
  return error(errc::data_error,
               "not an address: allowed are IPv4 as four numbers from 0 to 255, IPv6 as groups of hexadecimal digits, "
               "and a prefix of up to 32 or 128 behind a slash");
}

bool inet::parse_into(std::string_view text, inet& out) noexcept { return detail::read_inet(text, out.parts_); }

result<inet> inet::with_prefix(unsigned length) const {
  if (length > bits()) return error(errc::data_error, "the prefix is longer than the address");
  inet changed = *this;
  changed.parts_.prefix = static_cast<std::uint8_t>(length);
  return changed;
}

std::string inet::to_string() const {
  char text[max_text_size];
  return {text, write_to(text)};
}

char* inet::write_to(char* out) const noexcept {
  out = is_v6() ? write_v6(out, parts_.bytes) : write_v4(out, parts_.bytes.data());
  if (is_host()) return out;
  *out++ = '/';
  return write_number(out, prefix(), 10);
}

}  // namespace breakwater

std::size_t std::hash<breakwater::inet>::operator()(const breakwater::inet& value) const noexcept {
  const auto& bytes = value.to_v6();  // of version 4 with zeros behind
  const std::size_t address =
      std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return address * 257 + value.prefix() * 2 + (value.is_v6() ? 1 : 0);
}
