#pragma once

#include <breakwater/core/config.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// The one table of what `config` holds. Loading from a file and from the environment, validation,
// printing and the list for documentation all walk over it, so a new field is a member in
// config.hpp and a row here.

namespace breakwater::detail {

/// A field of type T: where it is, and its smallest and largest value where it is a number or a
/// duration.
template <class T>
struct bounded_field {
  T& (*at)(config&);
  T least;
  T most;
};
template <class T>
struct plain_field {
  T& (*at)(config&);
};

/// A number that may be left to the library to decide.
struct automatic_field {
  std::optional<std::size_t>& (*at)(config&);
  std::size_t least;
  std::size_t most;
};
/// Text, and how many bytes of it at most.
struct text_field {
  std::string& (*at)(config&);
  std::size_t most;
};

using milliseconds = std::chrono::milliseconds;
using seconds = std::chrono::seconds;

struct field {
  std::string_view name;  ///< nested names joined by '.'
  std::variant<plain_field<std::vector<std::string>>, text_field, automatic_field, plain_field<bool>,
               plain_field<consistency>, plain_field<pooler>, plain_field<jitter>, plain_field<limit_algorithm>,
               bounded_field<std::size_t>, bounded_field<double>, bounded_field<milliseconds>, bounded_field<seconds>>
      kind;
};

/// The table, in the order of the members of `config`.
[[nodiscard]] std::span<const field> config_table() noexcept;

/// "BREAKWATER_POOL_SIZE" for "pool.size".
[[nodiscard]] std::string variable_name(std::string_view prefix, std::string_view field_name);
/// "a whole number", "a duration such as 250ms or 5s": what a value of the field looks like.
[[nodiscard]] std::string type_of(const field& row);
/// "1..10000": which values of that type are allowed.
[[nodiscard]] std::string allowed_of(const field& row);
/// "a whole number (1..10000)": type and values together, for errors.
[[nodiscard]] std::string expected_of(const field& row);
/// The field's value, as `assign_text` would read it back but for secrets, which are masked.
[[nodiscard]] std::string print_value(const field& row, const config& settings);

/// Adds what is wrong with the field's value: `shown` (the field's or variable's name), value, what
/// is allowed.
void check_value(const field& row, const config& settings, std::string_view shown, std::vector<std::string>& problems);
/// Sets the field from text. False when the text is none of the field's type; ranges are for
/// `check_value`.
[[nodiscard]] bool assign_text(const field& row, config& settings, std::string_view text);

/// "5s", "250ms", "30min"; a number without unit is milliseconds. Empty when it is none, or too
/// long.
[[nodiscard]] std::optional<milliseconds> parse_duration(std::string_view text) noexcept;
/// In the largest unit that holds it without a rest: "90s", "30min", "0ms".
[[nodiscard]] std::string print_duration(milliseconds value);
/// The connection strings of BREAKWATER_NODES: see config::from_environment.
[[nodiscard]] std::vector<std::string> split_nodes(std::string_view text);

/// The text in quotes if it can not be a secret or break a log line; otherwise only its length.
[[nodiscard]] std::string quote_harmless(std::string_view text);

/// All problems in one `errc::invalid_argument`: "`where` is not valid: ...; ...". REQUIRES: there
/// is one.
[[nodiscard]] error to_error(std::string_view where, const std::vector<std::string>& problems);

}  // namespace breakwater::detail
