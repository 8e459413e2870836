// Changes of all rows of a condition: one guard for all of them.

#include <breakwater/repository/detail/bulk_changes.hpp>

#include <string>

namespace breakwater::detail {
namespace {

std::string quoted_table(const table_view& table) {
  return written([&](text_out& out) { write_table(out, table.name); });
}

result<void> check(const executor* on, const query_state& wanted, std::string_view operation, bool may_see_trash,
                   std::string_view name) {
  if (on == nullptr) {
    return error(errc::invalid_argument,
                 "a query made by bw::from stands inside another one and has no session to run on; make it from a "
                 "repository")
        .with_statement(name);
  }
  if (wanted.condition.empty() && !wanted.every_row) {
    return error(errc::unsafe_operation,
                 std::string(operation) + " without a condition would touch every row; say every_row() if it shall")
        .with_statement(name);
  }
  if (!may_see_trash && wanted.scope != trash::excluded) {
    return error(errc::invalid_argument, std::string(operation) +
                                             " leaves the trash alone: it can not be combined with with_trashed or "
                                             "only_trashed; use restore or purge")
        .with_statement(name);
  }
  if (wanted.limit || wanted.offset || !wanted.order.empty() || wanted.is_keyset() || !wanted.is_plain() ||
      wanted.lock != row_lock::none || wanted.lock_waits != lock_wait::wait) {
    return error(errc::invalid_argument,
                 std::string(operation) +
                     " takes all rows of its condition: it has no order, limit, offset, keyset, lock or distinct. To "
                     "change some of them, give it a query of their keys: where(col.in(query))")
        .with_statement(name);
  }
  return success();
}

result<rows> run(executor& on, const sql_fragment& sql, const table_view& table, std::string_view name,
                 std::string_view operation) {
  return run_fragment(on, sql, table, name, operation, statement_class::write);
}

std::string returning(const table_view& table) {
  return written([&](text_out& out) { write_returning(out, table); });
}

/// update t set ... where ...
result<sql_fragment> update_sql(const query_state& wanted, std::span<const assignment_view> sets) {
  sql_fragment sql;
  sql.add("update ").add(quoted_table(wanted.table)).add(" set ");
  BOOST_OUTCOME_TRY(append_assignments(sql, wanted.table, sets, true));
  wanted.append_where(sql);
  return sql;
}

/// The removal that the mapping asks for: into the trash where there is one.
sql_fragment removal_sql(const query_state& wanted) {
  sql_fragment sql;
  if (wanted.table.has(&column_info::soft_delete)) {
    sql.add("update ").add(quoted_table(wanted.table)).add(" set ");
    sql.add(written([&](text_out& out) {
      write_identifier(out, wanted.table.column(&column_info::soft_delete).name);
      out << " = statement_timestamp()";
      write_update_marks(out, wanted.table, true, false);
    }));
  } else {
    sql.add("delete from ").add(quoted_table(wanted.table));
  }
  wanted.append_where(sql);
  return sql;
}

std::string_view removal_of(const table_view& table) noexcept {
  return table.has(&column_info::soft_delete) ? "UPDATE" : "DELETE";
}

}  // namespace

result<std::size_t> run_update_all(executor* on, const query_state& wanted, std::span<const assignment_view> sets,
                                   std::string_view name) {
  BOOST_OUTCOME_TRY(check(on, wanted, "update_all", false, name));
  BOOST_OUTCOME_TRY(const auto sql, update_sql(wanted, sets));
  BOOST_OUTCOME_TRY(const auto answer, run(*on, sql, wanted.table, name, "UPDATE"));
  return answer.affected();
}

result<rows> run_update_all_returning(executor* on, const query_state& wanted, std::span<const assignment_view> sets,
                                      std::string_view name) {
  BOOST_OUTCOME_TRY(check(on, wanted, "update_all", false, name));
  BOOST_OUTCOME_TRY(auto sql, update_sql(wanted, sets));
  sql.add(returning(wanted.table));
  return run(*on, sql, wanted.table, name, "UPDATE");
}

result<std::size_t> run_delete_all(executor* on, const query_state& wanted, std::string_view name) {
  BOOST_OUTCOME_TRY(check(on, wanted, "delete_all", false, name));
  BOOST_OUTCOME_TRY(const auto answer, run(*on, removal_sql(wanted), wanted.table, name, removal_of(wanted.table)));
  return answer.affected();
}

result<rows> run_delete_all_returning(executor* on, const query_state& wanted, std::string_view name) {
  BOOST_OUTCOME_TRY(check(on, wanted, "delete_all", false, name));
  sql_fragment sql = removal_sql(wanted);
  sql.add(returning(wanted.table));
  return run(*on, sql, wanted.table, name, removal_of(wanted.table));
}

result<std::size_t> run_purge_all(executor* on, const query_state& wanted, std::string_view name) {
  BOOST_OUTCOME_TRY(check(on, wanted, "purge_all", true, name));
  sql_fragment sql;
  sql.add("delete from ").add(quoted_table(wanted.table));
  wanted.append_where(sql);
  BOOST_OUTCOME_TRY(const auto answer, run(*on, sql, wanted.table, name, "DELETE"));
  return answer.affected();
}

}  // namespace breakwater::detail
