#include <breakwater/repository/detail/row_shape.hpp>

#include <algorithm>
#include <string>

namespace breakwater::detail {
namespace {

// More names than these do not make an error easier to read.
constexpr std::size_t most_names_listed = 20;

constexpr std::size_t absent = static_cast<std::size_t>(-1);

std::string quoted(std::string_view name) { return '"' + std::string(name) + '"'; }

/// "a", "b", "c" of those columns that `wanted` picks.
template <class Wanted>
std::string list_columns(const rows& answer, const Wanted& wanted) {
  std::string out;
  std::size_t listed = 0;
  for (std::size_t i = 0; i < answer.columns(); ++i) {
    if (!wanted(i)) continue;
    if (listed++ == most_names_listed) return out + ", ...";
    if (!out.empty()) out += ", ";
    out += quoted(answer.column_name(i));
  }
  return out;
}

error missing(const rows& answer, std::string_view name) {
  const std::string has = list_columns(answer, [](std::size_t) { return true; });
  return error(errc::mapping_mismatch, "the result has no column " + quoted(name) + " for the field of that name; " +
                                           (has.empty() ? "it has no columns" : "its columns are " + has))
      .with_column(name);
}

result<void> check_no_extra(const rows& answer, std::span<const std::size_t> places) {
  if (answer.columns() == places.size()) return success();
  const std::string extra =
      list_columns(answer, [&](std::size_t column) { return std::ranges::find(places, column) == places.end(); });
  return error(errc::mapping_mismatch, "no field takes the result's columns " + extra +
                                           "; leave them out of the statement, or say allow_extra_columns()");
}

/// The column of that name; `absent` if there is none, or an error if there are two.
result<std::size_t> only_column(const rows& answer, std::string_view name) {
  std::size_t found = absent;
  for (std::size_t i = 0; i < answer.columns(); ++i) {
    if (answer.column_name(i) != name) continue;
    if (found != absent) {
      return error(errc::mapping_mismatch,
                   "the result has two columns named " + quoted(name) + "; give one of them another name with AS")
          .with_column(name);
    }
    found = i;
  }
  return found;
}

}  // namespace

result<void> match_by_name(const rows& answer, std::span<const field_type> fields, extra_columns extra,
                           std::span<std::size_t> places) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    BOOST_OUTCOME_TRY(places[i], only_column(answer, fields[i].column));
    if (places[i] == absent) return missing(answer, fields[i].column);
  }
  if (extra == extra_columns::refused) {
    BOOST_OUTCOME_TRY(check_no_extra(answer, places));
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    BOOST_OUTCOME_TRY(check_type(answer, places[i], fields[i].reads, answer.column_name(places[i])));
  }
  return success();
}

result<void> match_by_position(const rows& answer, std::span<const field_type> fields, std::span<std::size_t> places) {
  if (answer.columns() != fields.size()) {
    return error(errc::mapping_mismatch, "the result has " + std::to_string(answer.columns()) + " columns, and " +
                                             std::to_string(fields.size()) + (fields.size() == 1 ? " is" : " are") +
                                             " asked for by position");
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    BOOST_OUTCOME_TRY(check_type(answer, i, fields[i].reads, answer.column_name(i)));
    places[i] = i;
  }
  return success();
}

error bad_value(const rows& answer, std::size_t row, std::size_t column) {
  return bad_cell(answer.at(row, column).null, {}, answer.column_name(column));
}

}  // namespace breakwater::detail
