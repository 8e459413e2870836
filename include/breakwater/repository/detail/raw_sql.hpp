#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/parameters.hpp>
#include <breakwater/repository/detail/sql_fragment.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Placeholders of raw SQL. For the library's own use.
namespace breakwater::detail {

/// Raw SQL with its placeholders rewritten to $1 ... $n.
struct raw_sql {
  std::string text;
  std::vector<std::size_t> order;  // order[i]: which of the arguments $i+1 is
};

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
/// Errors, all `invalid_argument` and none with a value in it: too few or too many arguments, a
/// name without an argument, an argument never used or given twice, kinds mixed, a quote or comment
/// without an end, a NUL byte, more than 65535 parameters.
[[nodiscard]] result<raw_sql> rewrite_placeholders(std::string_view sql, std::span<const std::string_view> names,
                                                   std::size_t positional);

/// A rewritten text taken apart again, each $n by its value, for people to read.
[[nodiscard]] sql_fragment with_values_of(std::string_view rewritten, const parameters& values);

}  // namespace breakwater::detail
