#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// A validator of JSON text by RFC 8259: one pass, no recursion, no allocation, usable by the
// compiler.

namespace breakwater::detail {

/// Arrays and objects may nest this deep. Postgres's own limit depends on its stack and is higher.
inline constexpr std::size_t max_json_depth = 512;

enum class json_fault : std::uint8_t {
  none,
  no_value,         ///< a value is missing, or something else stands in its place
  no_name,          ///< an object's member without its name in double quotes
  no_colon,         ///< a member's name without ':'
  no_comma_or_end,  ///< after a value neither ',' nor the end of the array or object
  bad_string,       ///< unterminated, an unescaped control character, or an unknown escape
  bad_number,       ///< as "01", "1.", ".5", "+1" or "1e"
  bad_utf8,         ///< not well-formed UTF-8
  too_deep,         ///< more than `max_json_depth` levels
  trailing,         ///< something after the value
};

/// A fault and the offset, in bytes, at which it was found.
struct json_verdict {
  json_fault fault = json_fault::none;
  std::size_t at = 0;
};

/// What may come next, and what then follows:
///
///     value          scalar -> after_value, '[' -> element_or_end, '{' -> name_or_end
///     element_or_end ']' -> after_value, otherwise as value
///     name_or_end    '}' -> after_value, otherwise as name
///     name           string ':' -> value
///     after_value    ',' -> value in an array, name in an object; ']' '}' -> after_value; at depth
///     0 the end
class json_validator {
 public:
  constexpr explicit json_validator(std::string_view text) noexcept : text_(text) {}

  [[nodiscard]] constexpr json_verdict run() noexcept {
    state now = state::value;
    while (fault_ == json_fault::none) {
      skip_spaces();
      if (now == state::after_value && depth_ == 0) {
        if (at_ != text_.size()) fail(json_fault::trailing);
        break;
      }
      now = step(now);
    }
    return {.fault = fault_, .at = at_};
  }

 private:
  enum class state : std::uint8_t { value, element_or_end, name_or_end, name, after_value };

  constexpr state step(state now) noexcept {
    switch (now) {
      case state::element_or_end:
        if (next() == ']') return close();
        return value();
      case state::value: return value();
      case state::name_or_end:
        if (next() == '}') return close();
        return name();
      case state::name: return name();
      case state::after_value: break;
    }
    if (next() == (in_object() ? '}' : ']')) return close();
    if (!take(',')) fail(json_fault::no_comma_or_end);
    return in_object() ? state::name : state::value;
  }

  constexpr state value() noexcept {
    switch (next()) {
      case '{': return open(true);
      case '[': return open(false);
      case '"': string(); break;
      case 't': word("true"); break;
      case 'f': word("false"); break;
      case 'n': word("null"); break;
      default: number(); break;
    }
    return state::after_value;
  }

  constexpr state name() noexcept {
    if (next() != '"') {
      fail(json_fault::no_name);
      return state::name;
    }
    string();
    if (fault_ != json_fault::none) return state::name;
    skip_spaces();
    if (!take(':')) fail(json_fault::no_colon);
    return state::value;
  }

  constexpr state open(bool object) noexcept {
    if (depth_ == max_json_depth) {
      fail(json_fault::too_deep);
      return state::value;
    }
    const std::uint64_t bit = std::uint64_t{1} << (depth_ % 64);
    if (object) {
      objects_[depth_ / 64] |= bit;
    } else {
      objects_[depth_ / 64] &= ~bit;
    }
    ++depth_;
    ++at_;
    return object ? state::name_or_end : state::element_or_end;
  }

  constexpr state close() noexcept {
    --depth_;
    ++at_;
    return state::after_value;
  }

  [[nodiscard]] constexpr bool in_object() const noexcept {
    return (objects_[(depth_ - 1) / 64] >> ((depth_ - 1) % 64) & 1) != 0;
  }

  constexpr void word(std::string_view expected) noexcept {
    if (text_.substr(at_, expected.size()) != expected) return fail(json_fault::no_value);
    at_ += expected.size();
  }

  constexpr void number() noexcept {
    const bool negative = take('-');
    if (!is_digit(next())) return fail(negative ? json_fault::bad_number : json_fault::no_value);
    if (take('0')) {
      if (is_digit(next())) return fail(json_fault::bad_number);
    } else {
      digits();
    }
    if (take('.') && !digits()) return fail(json_fault::bad_number);
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (!digits()) return fail(json_fault::bad_number);
    }
  }

  constexpr bool digits() noexcept {
    const std::size_t begin = at_;
    while (is_digit(next())) ++at_;
    return at_ != begin;
  }

  constexpr void string() noexcept {
    ++at_;
    while (fault_ == json_fault::none) {
      if (at_ == text_.size()) return fail(json_fault::bad_string);
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (c == '"') {
        ++at_;
        return;
      }
      if (c == '\\') {
        escape();
      } else if (c < 0x20) {
        fail(json_fault::bad_string);
      } else if (c < 0x80) {
        ++at_;
      } else {
        multibyte();
      }
    }
  }

  constexpr void escape() noexcept {
    ++at_;
    if (next() == 'u') {
      ++at_;
      for (int i = 0; i < 4; ++i, ++at_) {
        const char c = next();
        const bool hex = is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (!hex) return fail(json_fault::bad_string);
      }
      return;
    }
    constexpr std::string_view known = "\"\\/bfnrt";
    if (at_ == text_.size() || known.find(text_[at_]) == std::string_view::npos) return fail(json_fault::bad_string);
    ++at_;
  }

  /// A character of two to four bytes, by table 3-7 of the Unicode standard: no overlong forms, no
  /// surrogates, nothing above U+10FFFF.
  constexpr void multibyte() noexcept {
    const unsigned first = byte(at_);
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    unsigned least = 0x80;
    unsigned most = 0xbf;
    if (first == 0xe0) least = 0xa0;
    if (first == 0xed) most = 0x9f;
    if (first == 0xf0) least = 0x90;
    if (first == 0xf4) most = 0x8f;
    bool well_formed = first >= 0xc2 && first <= 0xf4 && byte(at_ + 1) >= least && byte(at_ + 1) <= most;
    for (std::size_t i = 2; i < length; ++i) well_formed = well_formed && (byte(at_ + i) & 0xc0) == 0x80;
    if (!well_formed) return fail(json_fault::bad_utf8);
    at_ += length;
  }

  /// The byte there, or 0, which is part of no multibyte character, past the end.
  [[nodiscard]] constexpr unsigned byte(std::size_t at) const noexcept {
    return at < text_.size() ? static_cast<unsigned char>(text_[at]) : 0;
  }
  [[nodiscard]] constexpr char next() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }
  constexpr bool take(char c) noexcept {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  constexpr void skip_spaces() noexcept {
    while (next() == ' ' || next() == '\n' || next() == '\t' || next() == '\r') ++at_;
  }
  constexpr void fail(json_fault fault) noexcept { fault_ = fault; }
  static constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::uint64_t objects_[max_json_depth / 64]{};  // one bit per open level: set for an object
  json_fault fault_ = json_fault::none;
};

[[nodiscard]] constexpr json_verdict validate_json(std::string_view text) noexcept {
  return json_validator(text).run();
}

}  // namespace breakwater::detail
