#include <breakwater/repository/detail/decode.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace breakwater::detail {

result<void> check_types(const rows& answer, std::span<const field_type> fields, std::string_view table,
                         std::size_t first) {
  if (answer.columns() < first + fields.size()) {
    return error(errc::internal, "the server answered with fewer columns than were asked for").with_table(table);
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (auto fits = check_type(answer, first + i, fields[i].reads, fields[i].column); !fits) {
      return std::move(fits).error().with_table(table);
    }
  }
  return success();
}

result<void> check_type(const rows& answer, std::size_t column, std::span<const std::uint32_t> reads,
                        std::string_view name) {
  const std::uint32_t type = answer.column_type(column);
  if (reads.empty() || std::ranges::find(reads, type) != reads.end()) return success();
  return error(errc::mapping_mismatch, "column \"" + std::string(name) + "\" has the PostgreSQL type number " +
                                           std::to_string(type) +
                                           ", which the C++ member's type does not read; change one of the two")
      .with_column(name);
}

bool is_absent(const rows& answer, std::size_t row, std::size_t first, const table_view& table) noexcept {
  const bool has_key = table.has(&column_info::primary_key);
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (has_key && !table.columns[i].primary_key) continue;
    if (!answer.at(row, first + i).null) return false;
  }
  return true;
}

error bad_cell(bool null, std::string_view table, std::string_view column) {
  const std::string name = "column \"" + std::string(column) + "\" ";
  error bad = null ? error(errc::mapping_mismatch,
                           name +
                               "is NULL, but its C++ member is not a std::optional; make it one, or the column "
                               "NOT NULL")
                   : error(errc::data_error, name + "holds a value that its C++ member can not represent");
  return bad.with_table(table).with_column(column);
}

}  // namespace breakwater::detail
