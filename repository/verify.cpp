#include <breakwater/repository/detail/verify.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace breakwater::detail {
namespace {

/// One column of the live table. Domains count as what they are made over, as they do in results.
constexpr std::string_view columns_sql = R"sql(
select a.attname::text,
       coalesce(nullif(t.typbasetype, 0), a.atttypid)::bigint,
       pg_catalog.format_type(a.atttypid, a.atttypmod),
       a.attnotnull or c.relkind in ('v', 'm'),
       coalesce(a.attnum = any(i.indkey), false)
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_type t on t.oid = a.atttypid
left join pg_catalog.pg_index i on i.indrelid = a.attrelid and i.indisprimary
where a.attrelid = pg_catalog.to_regclass(?) and a.attnum > 0 and not a.attisdropped
)sql";

struct live_column {
  std::string name;
  std::uint32_t type = 0;
  std::string type_name;
  bool never_null = false;
  bool in_key = false;
};

result<std::vector<live_column>> live_columns(const session& on, const std::string& table) {
  BOOST_OUTCOME_TRY(const auto answer, on.query(columns_sql, table).read_only().named("verify").rows());
  std::vector<live_column> columns(answer.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    columns[i].name = answer.at(i, 0).text;
    std::int64_t type = 0;
    if (!codec<std::int64_t>::decode(answer.at(i, 1).text, type)) return error(errc::internal, "no type number");
    columns[i].type = static_cast<std::uint32_t>(type);
    columns[i].type_name = answer.at(i, 2).text;
    columns[i].never_null = answer.at(i, 3).text == "t";
    columns[i].in_key = answer.at(i, 4).text == "t";
  }
  return columns;
}

void compare(const mapped_table& wanted, const std::vector<live_column>& live, const std::string& table,
             std::vector<std::string>& differences) {
  const auto differs = [&](std::string_view column, const std::string& how) {
    differences.push_back(table + "." + std::string(column) + ": " + how);
  };
  bool has_primary_key = false;
  for (const live_column& column : live) has_primary_key = has_primary_key || column.in_key;

  for (std::size_t i = 0; i < wanted.fields.size(); ++i) {
    const field_type& field = wanted.fields[i];
    const column_info& mapped = wanted.table.columns[i];
    const auto found = std::ranges::find(live, field.column, &live_column::name);
    if (found == live.end()) {
      differs(field.column, "mapped, but the table has no such column");
      continue;
    }
    if (!field.reads.empty() && std::ranges::find(field.reads, found->type) == field.reads.end()) {
      differs(field.column, "is " + found->type_name + ", but the member is a " + std::string(mapped.sql_type));
    }
    // A generated or versioned column's own NULLs would surface in every read, so they count too.
    if (!field.nullable && !found->never_null) {
      differs(field.column, "can be NULL, but the member is not a std::optional");
    }
    if (mapped.primary_key && has_primary_key && !found->in_key) {
      differs(field.column, "mapped as primary_key, but not part of the table's primary key");
    }
  }
}

}  // namespace

result<void> verify_tables(const session& on, std::span<const mapped_table> tables) {
  std::vector<std::string> differences;
  for (const mapped_table& each : tables) {
    const std::string name = written([&](text_out& out) { write_table(out, each.table.name); });
    BOOST_OUTCOME_TRY(const auto live, live_columns(on, name));
    if (live.empty()) {
      differences.push_back(name + ": mapped, but there is no such table in the search_path");
    } else {
      compare(each, live, name, differences);
    }
  }
  if (differences.empty()) return success();
  std::string report = std::to_string(differences.size()) + " difference(s) between the mappings and the schema";
  for (const std::string& difference : differences) report.append("\n  ").append(difference);
  return error(errc::mapping_mismatch, std::move(report)).with_statement("verify");
}

}  // namespace breakwater::detail
