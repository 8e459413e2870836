#include <breakwater/repository/detail/upsert.hpp>

#include <string>

namespace breakwater::detail {
namespace {

run_time_statement write_statement(std::string text, const parameters& values, const table_view& table,
                                   std::string_view name) {
  run_time_statement made;
  made.text = std::move(text);
  made.made = dynamic_statement(made.text, values, table, name, "INSERT", statement_class::write);
  return made;
}

/// The text with its placeholders numbered on from the `after`-th parameter.
std::string numbered_after(std::string_view text, std::size_t after) {
  std::string out;
  for (const char c : text) {
    if (c == sql_fragment::placeholder) {
      out.append("$").append(std::to_string(++after));
    } else {
      out.push_back(c);
    }
  }
  return out;
}

/// Explains the failures that are particular to upserts.
error explain_upsert(error cause, const table_view& table) {
  if (cause.sqlstate() == "21000") {
    cause.with_code(errc::invalid_argument)
        .with_text(
            "two of the given rows conflict with each other, and one statement changes a row only once: give each "
            "key once");
  } else if (cause.sqlstate() == "0A000") {
    cause.with_text(
        "the server refused the upsert. A partitioned table can not tell inserted rows from updated ones: "
        "use bw::do_nothing or find_or_insert, and update in a second step");
  } else if (cause.sqlstate() == "42P10") {
    cause.with_text("no unique constraint or index fits the columns of bw::conflict");
  } else {
    return cause;
  }
  return cause.with_table(table.name.table);
}

}  // namespace

run_time_statement upsert_with_defaults(const table_view& table, const conflict_plan& plan, std::uint64_t use_default,
                                        const parameters& values, std::string_view name) {
  return write_statement(written([&](text_out& out) { write_upsert(out, table, plan, use_default); }), values, table,
                         name);
}

run_time_statement insert_or_nothing_with_defaults(const table_view& table, std::span<const std::size_t> target,
                                                   std::uint64_t use_default, const parameters& values,
                                                   std::string_view name) {
  return write_statement(written([&](text_out& out) { write_insert_or_nothing(out, table, target, use_default); }),
                         values, table, name);
}

result<run_time_statement> upsert_with_assignments(const table_view& table, std::span<const std::size_t> target,
                                                   std::span<const assignment_view> sets, std::uint64_t use_default,
                                                   const parameters& values, std::string_view name) {
  sql_fragment changes;
  BOOST_OUTCOME_TRY(append_assignments(changes, table, sets, true));
  std::string text = written([&](text_out& out) {
    write_insert_values(out, table, use_default);
    write_conflict_target(out, table, target);
    out << " do update set ";
  });
  text += numbered_after(changes.text, values.size());
  text += written([&](text_out& out) {
    write_where_live(out, table);
    write_returning_inserted(out, table);
  });
  parameters all = values;
  all.append(changes.values);
  run_time_statement made = write_statement(std::move(text), all, table, name);
  made.values = std::move(all);
  return made;
}

error mixed_defaults(std::string_view name, const table_view& table) {
  return error(errc::invalid_argument,
               "some of the rows leave a defaulted column to its DEFAULT and others give it: of a row that is there "
               "already, the one would be kept and the other overwritten. Call upsert_many once for each kind")
      .with_statement(name)
      .with_table(table.name.table);
}

error conflicts_with_trash(const statement& what, const table_view& table) {
  if (!table.has(&column_info::soft_delete)) {
    return error(errc::unsafe_operation,
                 "the database did not return the row: a trigger or rule suppressed or redirected it")
        .with_statement(what.name)
        .with_table(table.name.table);
  }
  return error(errc::unique_violation,
               "it conflicts with a row in the trash, which is neither updated nor brought back: restore or purge that "
               "row first, or let the unique index cover live rows only")
      .with_statement(what.name)
      .with_table(table.name.table);
}

result<rows> run_upsert(executor& on, const statement& what, const parameters& values, const table_view& table,
                        std::size_t given) {
  auto answer = on.execute(what, values);
  if (!answer) return explain_upsert(std::move(answer).error(), table);
  if (answer.assume_value().size() == given) return answer;
  error none = conflicts_with_trash(what, table);
  // A trigger may have written elsewhere instead.
  if (none.code() == errc::unsafe_operation && on.autocommits()) none.with_applied(applied::unknown);
  return none;
}

}  // namespace breakwater::detail
