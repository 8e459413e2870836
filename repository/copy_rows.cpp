#include <breakwater/postgres/unsendable.hpp>
#include <breakwater/repository/detail/copy_rows.hpp>

#include <array>

namespace breakwater::detail {
namespace {

/// What follows the backslash that stands for a character; 0 for the many that stand for themselves.
constexpr auto escapes = [] {
  std::array<char, 256> table{};
  table['\\'] = '\\';
  table['\t'] = 't';
  table['\n'] = 'n';
  table['\r'] = 'r';
  return table;
}();

}  // namespace

void append_copy_text(std::string& to, std::string_view value) {
  const char* run = value.data();
  const char* const end = run + value.size();
  for (const char* at = run; at != end; ++at) {
    const char escape = escapes[static_cast<unsigned char>(*at)];
    if (escape == 0) continue;
    to.append(run, at);
    to.push_back('\\');
    to.push_back(escape);
    run = at + 1;
  }
  to.append(run, end);
}

bool copied_rows::sent() { return progress_(so_far_); }

std::string copied_rows::sql() const {
  return written([this](text_out& out) {
    out << "copy ";
    write_table(out, table_.name);
    std::string_view separator = " (";
    for (const std::string_view name : names_) {
      out << separator;
      write_identifier(out, name);
      separator = ", ";
    }
    out << ") from stdin";
  });
}

result<void> copied_rows::choose_columns(std::uint64_t use_default) {
  use_default_ = use_default;
  for (std::size_t i = 0; i < table_.columns.size(); ++i) {
    const column_info& column = table_.columns[i];
    if (!is_inserted(column) || (column.defaulted && (use_default >> i & 1U) != 0)) continue;
    names_.push_back(column.name);
    if (column.created_at || column.updated_at) {
      origins_.push_back(origin::clock);
    } else if (column.version) {
      origins_.push_back(origin::version);
      version_ = std::to_string(column.initial_version);
    } else {
      origins_.push_back(origin::entity);
    }
  }
  if (!names_.empty()) return success();
  return error(errc::invalid_argument,
               "all columns are left to their defaults, and a COPY needs one that is sent; use insert")
      .with_table(table_.name.table)
      .with_row(1);
}

result<void> copied_rows::append_row(std::string& to, std::uint64_t use_default, std::string_view now) {
  if (use_default != use_default_) return other_defaults(use_default);
  if (!row_.bad_column.empty()) {
    return unsendable(row_.values,
                      "for column \"" + std::string(row_.bad_column) + "\" of row " + std::to_string(so_far_.rows + 1))
        .with_table(table_.name.table)
        .with_column(row_.bad_column)
        .with_row(so_far_.rows + 1);
  }
  const parameters& values = row_.values;
  const std::size_t before = to.size();
  std::size_t next = 0;
  for (std::size_t i = 0; i < origins_.size(); ++i) {
    if (i > 0) to.push_back('\t');
    switch (origins_[i]) {
      case origin::clock: to.append(now); break;
      case origin::version: to.append(version_); break;
      case origin::entity:
        if (values.is_null(next)) {
          to.append("\\N");
        } else {
          append_copy_text(to, values.text(next));
        }
        ++next;
        break;
    }
  }
  to.push_back('\n');
  ++so_far_.rows;
  so_far_.bytes += to.size() - before;
  return success();
}

error copied_rows::other_defaults(std::uint64_t use_default) const {
  std::size_t i = 0;
  while (((use_default ^ use_default_) >> i & 1U) == 0) ++i;
  const std::string_view column = table_.columns[i].name;
  const bool first_left_it = (use_default_ >> i & 1U) != 0;
  return error(errc::invalid_argument,
               "the first row " + std::string(first_left_it ? "leaves column \"" : "gives column \"") +
                   std::string(column) + (first_left_it ? "\" to its DEFAULT" : "\" a value") + ", and row " +
                   std::to_string(so_far_.rows + 1) +
                   " does not; COPY does either for all rows: give all of them a value, or use insert_many")
      .with_table(table_.name.table)
      .with_column(column)
      .with_row(so_far_.rows + 1);
}

result<std::size_t> run_copy_in(executor& on, const table_view& table, copied_rows& from, std::string_view name) {
  auto any = from.begin();
  if (!any) return std::move(any).error().with_statement(name);
  if (!any.assume_value()) return std::size_t{0};
  const std::string sql = from.sql();
  return on.copy_in({.sql = sql,
                     .name = name,
                     .operation = "COPY",
                     .table = table.name.table,
                     .print = fingerprint(sql),
                     .kind = statement_class::write,
                     .mapped = true,
                     .prepare = false},
                    from);
}

}  // namespace breakwater::detail
