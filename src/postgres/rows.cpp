#include <breakwater/postgres/rows.hpp>

#include <libpq-fe.h>

#include <charconv>
#include <cstring>

namespace breakwater {

void rows::clear::operator()(pg_result* result) const noexcept { PQclear(result); }

std::size_t rows::size() const noexcept { return static_cast<std::size_t>(PQntuples(result_.get())); }

std::size_t rows::columns() const noexcept { return static_cast<std::size_t>(PQnfields(result_.get())); }

std::string_view rows::column_name(std::size_t column) const noexcept {
  const char* name = PQfname(result_.get(), static_cast<int>(column));
  return name == nullptr ? std::string_view{} : std::string_view{name};
}

std::optional<std::size_t> rows::find_column(std::string_view name) const noexcept {
  // Not PQfnumber: it folds case as SQL does.
  for (std::size_t i = 0; i < columns(); ++i) {
    if (column_name(i) == name) return i;
  }
  return std::nullopt;
}

std::uint32_t rows::column_type(std::size_t column) const noexcept {
  return PQftype(result_.get(), static_cast<int>(column));
}

cell rows::at(std::size_t row, std::size_t column) const noexcept {
  const int r = static_cast<int>(row);
  const int c = static_cast<int>(column);
  const int length = PQgetlength(result_.get(), r, c);
  if (length == 0 && PQgetisnull(result_.get(), r, c) == 1) return {{}, true};
  return {{PQgetvalue(result_.get(), r, c), static_cast<std::size_t>(length)}, false};
}

std::size_t rows::affected() const noexcept {
  if (!result_) return 0;
  const char* text = PQcmdTuples(result_.get());
  std::size_t count = 0;
  std::from_chars(text, text + std::strlen(text), count);
  return count;
}

std::size_t rows::memory() const noexcept { return result_ ? PQresultMemorySize(result_.get()) : 0; }

std::string_view rows::command_tag() const noexcept {
  return result_ ? std::string_view{PQcmdStatus(result_.get())} : std::string_view{};
}

}  // namespace breakwater
