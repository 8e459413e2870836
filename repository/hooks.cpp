#include <breakwater/repository/hooks.hpp>

#include <string>

namespace breakwater {

bool validation::that(bool holds, std::string_view field, std::string_view text) {
  if (!holds) failures_.push_back({.field = std::string(field), .text = std::string(text), .row = row_});
  return holds;
}

result<void> validation::outcome(std::string_view statement, std::string_view table) && {
  if (failures_.empty()) return success();
  std::string text;
  for (const validation_failure& each : failures_) {
    if (!text.empty()) text.append("; ");
    if (each.row > 0) text.append("row ").append(std::to_string(each.row)).append(": ");
    text.append(each.field).append(" ").append(each.text);
  }
  return error(errc::validation_failed, std::move(text))
      .with_statement(statement)
      .with_table(table)
      .with_column(failures_.front().field)
      .with_failures(std::move(failures_));
}

}  // namespace breakwater
