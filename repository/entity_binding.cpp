#include <breakwater/postgres/unsendable.hpp>
#include <breakwater/repository/detail/entity_binding.hpp>
#include <breakwater/repository/detail/row_writes.hpp>

#include <vector>

namespace breakwater::detail {

error bad_value(const statement& what, const binder& bound) {
  return unsendable(bound.values, "for column \"" + std::string(bound.bad_column) + '"')
      .with_statement(what.name)
      .with_table(what.table)
      .with_column(bound.bad_column);
}

result<rows> execute(executor& on, const statement& what, const binder& bound) {
  if (!bound.bad_column.empty()) return bad_value(what, bound);
  return on.execute(what, bound.values);
}

error suppressed(const executor& on, const statement& what) {
  // It may have written elsewhere instead.
  return error(errc::unsafe_operation, "the database returned no row: a trigger or rule suppressed or redirected it")
      .with_applied(on.autocommits() ? applied::unknown : applied::no)
      .with_statement(what.name);
}

error no_such_row(const statement& what) { return error(errc::not_found).with_statement(what.name); }

error stale_or_missing(executor& on, const statement& exists, const binder& key, const statement& what) {
  statement on_primary = exists;
  on_primary.kind = statement_class::locking_read;  // a replica may not have the row yet, or still
  auto answer = on.execute(on_primary, key.values);
  if (!answer) return std::move(answer).error().with_statement(what.name);
  const bool there = !answer.assume_value().empty() && answer.assume_value().at(0, 0).text == "t";
  return there ? error(errc::stale_version).with_statement(what.name) : no_such_row(what);
}

run_time_statement insert_with_defaults(const table_view& table, std::uint64_t use_default, const parameters& values,
                                        std::string_view name) {
  run_time_statement made;
  made.text = written([&](text_out& out) { write_insert(out, table, use_default); });
  made.made = dynamic_statement(made.text, values, table, name, "INSERT", statement_class::write);
  return made;
}

result<run_time_statement> make_patch(const table_view& table, std::span<const assignment_view> sets,
                                      const parameters& key, std::string_view name) {
  const sql_fragment* expected_version = nullptr;
  std::vector<assignment_view> changes;
  for (const assignment_view& set : sets) {
    if (set.column->version && expected_version == nullptr) {
      expected_version = set.value;
    } else {
      changes.push_back(set);
    }
  }

  sql_fragment sql;
  // A version that is checked is raised too: else two callers with the same one would both succeed.
  const bool raises_version = !changes.empty() || expected_version != nullptr;
  const bool changes_row = raises_version || table.has(&column_info::updated_at);
  if (changes_row) {
    sql.add("update ").add(written([&](text_out& out) { write_table(out, table.name); })).add(" set ");
    BOOST_OUTCOME_TRY(append_assignments(sql, table, changes, raises_version));
  } else {
    sql.add(written([&](text_out& out) { write_select_from(out, table); }));  // nothing to change: the row as it is
  }

  const auto column = [&](const column_info& of) {
    return written([&](text_out& out) { write_column(out, table.name, of.name); });
  };
  const char* separator = " where ";
  for (const column_info& part : table.columns) {
    if (!part.primary_key) continue;
    sql.add(separator).add(column(part)).add(" = ").text.push_back(sql_fragment::placeholder);
    separator = " and ";
  }
  sql.values.append(key);
  if (expected_version != nullptr) {
    sql.add(" and ").add(column(table.column(&column_info::version))).add(" = ").add(*expected_version);
  }
  sql.add(written([&](text_out& out) { write_and_trash(out, table, trash::excluded); }));
  if (changes_row) sql.add(written([&](text_out& out) { write_returning(out, table); }));

  run_time_statement made;
  made.text = numbered(sql.text);
  made.values = std::move(sql.values);
  made.made = dynamic_statement(made.text, made.values, table, name, changes_row ? "UPDATE" : "SELECT",
                                changes_row ? statement_class::write : statement_class::locking_read);
  made.checks_version = expected_version != nullptr;
  return made;
}

}  // namespace breakwater::detail
