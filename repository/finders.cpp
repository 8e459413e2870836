#include <breakwater/repository/detail/finders.hpp>

#include <string>

namespace breakwater::detail {

result<rows> run_finder(executor& on, const statement& fixed, const table_view& table,
                        std::span<const std::size_t> places, std::span<const std::uint32_t> types, const binder& bound,
                        finder wanted) {
  if (!bound.bad_column.empty()) return bad_value(fixed, bound);
  std::uint64_t nulls = 0;
  bool as_usual = true;
  for (std::size_t k = 0; k < places.size(); ++k) {
    if (bound.values.is_null(k)) nulls |= std::uint64_t{1} << k;
    as_usual = as_usual && bound.values.type(k) == types[k];
  }
  if (nulls == 0 && as_usual) return on.execute(fixed, bound.values);

  parameters given;
  for (std::size_t k = 0; k < places.size(); ++k) {
    if (!bound.values.is_null(k)) given.append(bound.values, k);
  }
  const std::string text = written([&](text_out& out) { write_find_by(out, table, places, nulls, wanted); });
  return on.execute(dynamic_statement(text, given, table, fixed.name, fixed.operation, fixed.kind), given);
}

error more_than_one(const statement& what) {
  return error(errc::too_many_rows, "more than one row has these values; use find_all_by, or name more columns")
      .with_statement(what.name)
      .with_table(what.table);
}

error always_gone(const statement& what, const table_view& table, bool in_trash) {
  if (in_trash) return conflicts_with_trash(what, table);
  return error(errc::serialization_failure,
               "the row was there whenever it was to be inserted, and gone whenever it was looked for: others keep "
               "inserting and removing it")
      .with_statement(what.name)
      .with_table(table.name.table);
}

}  // namespace breakwater::detail
