#include "live_schema.hpp"

#include <breakwater/repository/detail/raw_sql.hpp>

#include <algorithm>
#include <utility>

namespace breakwater::detail {
namespace {

// Domains count as what they are made over, as they do in results. PostgreSQL does not know which columns of a view can
// be NULL: none is taken to be. tgtype 7: for each row, before, insert.
constexpr std::string_view columns_sql = R"sql(
select w.n::int as place,
       c.oid is not null as present,
       coalesce(c.relkind in ('r', 'p'), false) as is_table,
       exists (select from pg_catalog.pg_trigger g where g.tgrelid = c.oid and not g.tgisinternal
               and g.tgenabled <> 'D' and g.tgtype & 7 = 7) as filled,
       coalesce(a.attname::text, '') as name,
       coalesce(coalesce(nullif(t.typbasetype, 0), a.atttypid)::bigint, 0) as type,
       coalesce(pg_catalog.format_type(a.atttypid, a.atttypmod), '') as type_name,
       coalesce(a.attnotnull or t.typnotnull or c.relkind in ('v', 'm'), false) as never_null,
       coalesce(a.atthasdef or t.typdefault is not null, false) as has_default,
       coalesce(a.attidentity::text, '') as identity,
       coalesce(a.attgenerated::text, '') as generated
from unnest(?::text[]) with ordinality w (name, n)
left join pg_catalog.pg_class c on c.oid = pg_catalog.to_regclass(w.name)
left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_catalog.pg_type t on t.oid = a.atttypid
order by w.n, a.attnum
)sql";

constexpr std::string_view indexes_sql = R"sql(
select w.n::int as place, i.indisunique as is_unique, i.indisprimary as is_primary, i.indpred is not null as partial,
       i.indexprs is not null as has_expression,
       coalesce((select a.attname::text from pg_catalog.pg_attribute a
                 where a.attrelid = i.indrelid and a.attnum = i.indkey[0]), '') as first,
       (select coalesce(array_agg(a.attname::text order by k.n), '{}')::text
        from unnest(i.indkey) with ordinality k (attnum, n)
        join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
        where k.n <= i.indnkeyatts) as columns
from unnest(?::text[]) with ordinality w (name, n)
join pg_catalog.pg_index i on i.indrelid = pg_catalog.to_regclass(w.name) and i.indisvalid
order by w.n, i.indexrelid
)sql";

constexpr std::string_view references_sql = R"sql(
select w.n::int as place, a.attname::text as name, r.relname::text as to_table, b.attname::text as to_column,
       k.confdeltype::text as on_delete
from unnest(?::text[]) with ordinality w (name, n)
join pg_catalog.pg_constraint k on k.conrelid = pg_catalog.to_regclass(w.name) and k.contype = 'f'
join pg_catalog.pg_class r on r.oid = k.confrelid
cross join unnest(k.conkey, k.confkey) pair (own, other)
join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = pair.own
join pg_catalog.pg_attribute b on b.attrelid = k.confrelid and b.attnum = pair.other
order by w.n, k.oid
)sql";

constexpr std::string_view types_sql = R"sql(
select w.name, pg_catalog.to_regtype(w.name)::oid::bigint as type from unnest(?::text[]) w (name)
)sql";

struct column_row {
  std::int32_t place;
  bool present;
  bool is_table;
  bool filled;
  std::string name;
  std::int64_t type;
  std::string type_name;
  bool never_null;
  bool has_default;
  std::string identity;
  std::string generated;
};

struct index_row {
  std::int32_t place;
  bool is_unique;
  bool is_primary;
  bool partial;
  bool has_expression;
  std::string first;
  std::string columns;
};

struct reference_row {
  std::int32_t place;
  std::string name;
  std::string to_table;
  std::string to_column;
  std::string on_delete;
};

void add(live_table& to, column_row&& row) {
  to.exists = row.present;
  to.is_table = row.is_table;
  to.filled_by_trigger = row.filled;
  if (row.name.empty()) return;  // no table, or one without columns
  to.columns.push_back({.name = std::move(row.name),
                        .type = static_cast<std::uint32_t>(row.type),
                        .type_name = std::move(row.type_name),
                        .never_null = row.never_null,
                        .has_default = row.has_default,
                        .is_identity = !row.identity.empty(),
                        .is_stored = !row.generated.empty(),
                        .is_always = row.identity == "a" || !row.generated.empty()});
}

void add(live_table& to, index_row&& row) {
  live_index& index = to.indexes.emplace_back();
  index.unique = row.is_unique;
  index.primary = row.is_primary;
  index.partial = row.partial;
  index.has_expression = row.has_expression;
  index.first = std::move(row.first);
  const auto columns = array_elements(row.columns);
  for (std::size_t i = 0; columns && i < columns->size(); ++i) index.columns.emplace_back(columns->text(i));
}

void add(live_table& to, reference_row&& row) {
  to.references.push_back({.column = std::move(row.name),
                           .to_table = std::move(row.to_table),
                           .to_column = std::move(row.to_column),
                           .on_delete = row.on_delete.empty() ? 'a' : row.on_delete.front()});
}

/// Each row to its table, which it names by its place from 1.
template <class Row>
void share_out(std::vector<Row>&& all, std::vector<live_table>& tables) {
  for (Row& row : all) add(tables.at(static_cast<std::size_t>(row.place - 1)), std::move(row));
}

}  // namespace

const live_column* live_table::find(std::string_view column) const noexcept {
  const auto found = std::ranges::find(columns, column, &live_column::name);
  return found == columns.end() ? nullptr : &*found;
}

bool live_schema::is_type(std::string_view name, std::uint32_t type) const noexcept {
  const auto found = std::ranges::find(types, name, &live_type::name);
  return found != types.end() && found->type == std::int64_t{type};
}

result<live_schema> read_live_schema(const session& on, const std::vector<std::string>& tables,
                                     const std::vector<std::string>& types) {
  breakwater::batch questions = on.batch();
  const auto columns = questions.add<column_row>(on.query(columns_sql, tables).read_only().named("verify"));
  const auto indexes = questions.add<index_row>(on.query(indexes_sql, tables).read_only().named("verify"));
  const auto references = questions.add<reference_row>(on.query(references_sql, tables).read_only().named("verify"));
  const auto named = questions.add<live_type>(on.query(types_sql, types).read_only().named("verify"));
  BOOST_OUTCOME_TRY(const auto answers, questions.named("verify").run());
  BOOST_OUTCOME_TRY(auto all_columns, answers.get(columns));
  BOOST_OUTCOME_TRY(auto all_indexes, answers.get(indexes));
  BOOST_OUTCOME_TRY(auto all_references, answers.get(references));
  BOOST_OUTCOME_TRY(auto all_types, answers.get(named));
  live_schema schema{.tables = std::vector<live_table>(tables.size()), .types = std::move(all_types)};
  share_out(std::move(all_columns), schema.tables);
  share_out(std::move(all_indexes), schema.tables);
  share_out(std::move(all_references), schema.tables);
  return schema;
}

}  // namespace breakwater::detail
