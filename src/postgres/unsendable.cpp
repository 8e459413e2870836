#include <breakwater/postgres/unsendable.hpp>

#include <string>

namespace breakwater {
namespace {

std::string describe(const parameters& values, std::size_t i) {
  const std::string_view column = values.column(i);
  if (column.empty()) return "bound to $" + std::to_string(i + 1);
  return "for column \"" + std::string(column) + '"';
}

}  // namespace

error unsendable(const parameters& values, std::string_view which) {
  const std::size_t i = values.first_invalid().value_or(0);
  const std::string described = which.empty() ? describe(values, i) : std::string(which);
  const char* why = values.refusal();
  error refused = why == nullptr ? error(errc::invalid_argument, "the text " + described +
                                                                     " contains a NUL byte, which PostgreSQL's text "
                                                                     "can not hold")
                                 : error(errc::data_error, "the value " + described + ' ' + why);
  return refused.with_column(values.column(i));
}

}  // namespace breakwater
