#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/parameters.hpp>
#include <breakwater/repository/detail/sql_fragment.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Placeholders of raw SQL. For the library's own use.
namespace breakwater::detail {

/// Raw SQL with its placeholders rewritten to $1 ... $n.
struct raw_sql {
  std::string text;
  /// order[i]: which of the values $i+1 is. The values are the arguments, and behind them the elements of the lists
  /// named by `expanded`, one list after the other.
  std::vector<std::size_t> order;
  std::vector<std::size_t> expanded;
};

/// The elements of a one-dimensional array as `array_text` writes it, `{"a",NULL,"b \"c\""}`, as values without a type.
/// Nothing when it is no such text.
[[nodiscard]] std::optional<parameters> array_elements(std::string_view text);

/// Rewrites the placeholders of `sql`, found by PostgreSQL's lexical rules, in one pass.
///
/// Which placeholders there are is decided by the arguments:
/// - named ones: `:name`. The same name is the same $n wherever it stands. `?` is an operator and
///   stays.
/// - positional ones, or none: `?` from left to right, or `$n`, not both.
///
/// In detail:
/// - Nothing is a placeholder inside '...', E'...', U&'...', B'...', X'...', "...", U&"...",
///   $tag$...$tag$, comments, `::` and `:=`.
/// - PostgreSQL's own operators that contain a question mark are operators: `?|` `?&` `@?` `?#`
///   `?-` `?-|` `?||` of jsonb, hstore and geometry, `?@` `?~` `?@>` `?<@` of ltree. In any other
///   run of operator characters a `?` is a placeholder: `id=?`, `?+1`, `?=?`. The operator `?`
///   alone is written `??`; so can it be in longer ones.
/// - `:` after a value is no placeholder but PostgreSQL's own separator: `a[1:n]`,
///   `json_object('k':v)`. In a subscript `a[:n]` it is a placeholder if there is an argument of
///   that name, else a slice up to the column `n`.
///
/// Lists. `lists`, where it is not empty, has the text of each argument that is a list, and an empty one for the others.
/// A list is one array parameter, except as an element of an `in (...)`:
/// - Alone between the brackets, `in (?)` becomes `= any ($1)` and `not in (?)` becomes `<> all ($1)`: one text for any
///   length, none included. A cast is one of the elements unless it says array: `in (?::int)` is `= any ($1::int[])`.
/// - Among others, `in (1, ?, 2)`, each of its values is a parameter of its own; a list without any goes away with a
///   comma. This is for `?` and `:name`, not for `$n`.
///
/// Errors, all `invalid_argument` and none with a value in it: too few or too many arguments, a
/// name without an argument, an argument never used or given twice, kinds mixed, a quote or comment
/// without an end, a NUL byte, more than 65535 parameters.
[[nodiscard]] result<raw_sql> rewrite_placeholders(std::string_view sql, std::span<const std::string_view> names,
                                                   std::size_t positional,
                                                   std::span<const std::string_view> lists = {});

/// A rewritten text taken apart again, each $n by its value, for people to read.
[[nodiscard]] sql_fragment with_values_of(std::string_view rewritten, const parameters& values);

}  // namespace breakwater::detail
