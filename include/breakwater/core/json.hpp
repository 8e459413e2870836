#pragma once

#include <breakwater/core/detail/json_text.hpp>
#include <breakwater/core/result.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace breakwater {

namespace detail {

/// Named for the compiler's message: it is reached only by a wrong literal, and not constexpr.
[[noreturn]] void this_is_not_json_text_by_RFC_8259();

}  // namespace detail

/// JSON text: the `json` and `jsonb` types of Postgres.
///
///     bw::json defaults{R"({"theme": "dark"})"};               // checked by the compiler
///     bw::result<bw::json> given = bw::json::parse(request);   // checked when it runs
///     auto tree = nlohmann::json::parse(account.settings.text());
///
/// Holds the text and does not look inside: any JSON library can be put on top. Valid by RFC 8259
/// and well-formed UTF-8, with at most `max_depth` levels. Equal means the same text; `jsonb`
/// normalises spaces, the order of members and numbers on the server, so a value may come back with
/// another text. The server also refuses what JSON allows and `jsonb` can not store: \u0000, lone
/// surrogates, and numbers beyond `numeric`. Distinct objects may be used by distinct threads.
class json {
 public:
  /// Text that the compiler has checked. Refers to the text given.
  class literal {
   public:
    consteval literal(const char* text) : literal(std::string_view(text)) {}
    consteval literal(std::string_view text) : text_(text) {
      if (detail::validate_json(text).fault != detail::json_fault::none) {
        detail::this_is_not_json_text_by_RFC_8259();
      }
    }

   private:
    friend class json;
    std::string_view text_;
  };

  /// Deepest nesting that `parse` and literals accept.
  static constexpr std::size_t max_depth = detail::max_json_depth;

  /// `null`, the JSON value (not SQL's NULL, which is an empty `std::optional<json>`).
  json() noexcept = default;
  /// From a literal, as in `json{"[1, 2]"}`; what is not JSON does not compile.
  explicit json(literal checked) : text_(checked.text_) {}

  /// Error: `errc::data_error`, with the offset of the fault in bytes.
  [[nodiscard]] static result<json> parse(std::string_view text);
  /// As `parse`, taking over the text.
  [[nodiscard]] static result<json> parse(std::string&& text);
  [[nodiscard]] static result<json> parse(const char* text) { return parse(std::string_view(text)); }
  /// As `parse`, without making an error: false leaves `out` as it was.
  [[nodiscard]] static bool parse_into(std::string_view text, json& out);

  /// Takes over text that the server sent as `json` or `jsonb`, without a check: the server has
  /// made it. Nothing here depends on the text being valid; who reads it does.
  [[nodiscard]] static json from_server(std::string text) noexcept {
    json value;
    value.text_ = std::move(text);
    return value;
  }

  /// The text, valid until this object changes. `null` after a move.
  [[nodiscard]] std::string_view text() const noexcept {
    return text_.empty() ? std::string_view("null") : std::string_view(text_);
  }
  [[nodiscard]] std::string to_string() const& { return std::string(text()); }
  /// Gives the text away.
  [[nodiscard]] std::string to_string() && { return text_.empty() ? std::string("null") : std::exchange(text_, {}); }
  /// Writes the text, without a terminator, and returns its end.
  /// REQUIRES: room for `text().size()` characters.
  char* write_to(char* out) const noexcept;

  [[nodiscard]] bool is_null() const noexcept { return text() == "null"; }

  /// By text: `{"a":1}` and `{"a": 1}` differ.
  friend bool operator==(const json& a, const json& b) noexcept { return a.text() == b.text(); }

 private:
  std::string text_;  // empty stands for "null"
};

}  // namespace breakwater

template <>
struct std::hash<breakwater::json> {
  [[nodiscard]] std::size_t operator()(const breakwater::json& value) const noexcept {
    return std::hash<std::string_view>{}(value.text());
  }
};
