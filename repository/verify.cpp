#include <breakwater/repository/detail/verify.hpp>
#include <breakwater/repository/raw_query.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
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

/// The number of each of the named types; none for a name that the search_path does not lead to.
constexpr std::string_view named_types_sql = R"sql(
select named.type as name, pg_catalog.to_regtype(named.type)::oid::bigint as type from unnest(?::text[]) named(type)
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

struct named_type {
  std::string name{};
  std::optional<std::int64_t> type{};
};

/// Those of the mapped columns' types that only have a name.
result<std::vector<named_type>> named_types(const session& on, const mapped_table& wanted) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < wanted.fields.size(); ++i) {
    if (wanted.fields[i].named_type) names.emplace_back(wanted.table.columns[i].sql_type);
  }
  if (names.empty()) return std::vector<named_type>();
  return on.query(named_types_sql, names).read_only().named("verify").as<named_type>();
}

bool is_type(const std::vector<named_type>& types, std::string_view name, std::uint32_t type) {
  const auto found = std::ranges::find(types, name, &named_type::name);
  return found != types.end() && found->type == std::int64_t{type};
}

void compare(const mapped_table& wanted, const std::vector<live_column>& live, const std::vector<named_type>& types,
             const std::string& table, std::vector<std::string>& differences) {
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
    const bool fits = field.named_type
                          ? is_type(types, mapped.sql_type, found->type)
                          : field.reads.empty() || std::ranges::find(field.reads, found->type) != field.reads.end();
    if (!fits) {
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
      BOOST_OUTCOME_TRY(const auto types, named_types(on, each));
      compare(each, live, types, name, differences);
    }
  }
  if (differences.empty()) return success();
  std::string report = std::to_string(differences.size()) + " difference(s) between the mappings and the schema";
  for (const std::string& difference : differences) report.append("\n  ").append(difference);
  return error(errc::mapping_mismatch, std::move(report)).with_statement("verify");
}

}  // namespace breakwater::detail
