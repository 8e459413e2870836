#include "wrong_literal.hpp"
#include <breakwater/core/json.hpp>

namespace breakwater {

namespace detail {

void this_is_not_json_text_by_RFC_8259() { wrong_literal("this is not json text by RFC 8259"); }

}  // namespace detail

namespace {

const char* explain(detail::json_fault fault) noexcept {
  switch (fault) {
    case detail::json_fault::none: break;
    case detail::json_fault::no_value:
      return "a value is missing: allowed are objects, arrays, strings, numbers, true, false and "
             "null";
    case detail::json_fault::no_name: return "an object's member needs a name in double quotes";
    case detail::json_fault::no_colon: return "a member's name must be followed by a colon";
    case detail::json_fault::no_comma_or_end: return "a comma, or the end of the array or object, is missing";
    case detail::json_fault::bad_string:
      return "a string is not terminated, has an unescaped control character or an unknown escape";
    case detail::json_fault::bad_number:
      return "a number must have digits before and after its point and no leading zeros";
    case detail::json_fault::bad_utf8: return "strings must be well-formed UTF-8";
    case detail::json_fault::too_deep: return "more than 512 levels of arrays and objects";
    case detail::json_fault::trailing: return "nothing may follow the value";
  }
  return "";
}

error to_error(detail::json_verdict verdict) {
  return {errc::data_error, "not JSON: at byte " + std::to_string(verdict.at) + ", " + explain(verdict.fault)};
}

}  // namespace

result<json> json::parse(std::string_view text) {
  const auto verdict = detail::validate_json(text);
  if (verdict.fault != detail::json_fault::none) return to_error(verdict);
  return from_server(std::string(text));
}

result<json> json::parse(std::string&& text) {
  const auto verdict = detail::validate_json(text);
  if (verdict.fault != detail::json_fault::none) return to_error(verdict);
  return from_server(std::move(text));
}

bool json::parse_into(std::string_view text, json& out) {
  if (detail::validate_json(text).fault != detail::json_fault::none) return false;
  out.text_.assign(text);
  return true;
}

char* json::write_to(char* out) const noexcept {
  const auto from = text();
  return out + from.copy(out, from.size());
}

}  // namespace breakwater
