#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

extern "C" {
struct pg_result;  // libpq's PGresult
}

namespace breakwater {

/// One value of a result as the server sent it: text, or NULL.
struct cell {
  std::string_view text;
  bool null = false;
};

/// A statement's answer: rows of text values, or a count of affected rows. Owns the memory.
///
/// Indices run from 0; REQUIRES that they are in range. Movable; may be read by many threads at once.
class rows {
 public:
  rows() noexcept = default;
  /// Takes ownership of a PGresult.
  explicit rows(pg_result* taken) noexcept : result_(taken) {}

  [[nodiscard]] std::size_t size() const noexcept;
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] std::size_t columns() const noexcept;
  [[nodiscard]] std::string_view column_name(std::size_t column) const noexcept;
  /// The first column of that name, compared byte by byte.
  [[nodiscard]] std::optional<std::size_t> find_column(std::string_view name) const noexcept;
  /// The column's type as pg_type.oid; of a domain, its base type.
  [[nodiscard]] std::uint32_t column_type(std::size_t column) const noexcept;
  /// The value's text lives as long as this object.
  [[nodiscard]] cell at(std::size_t row, std::size_t column) const noexcept;
  /// Rows inserted, updated, deleted or returned, as the server counted them.
  [[nodiscard]] std::size_t affected() const noexcept;
  /// The server's command tag, such as "UPDATE 1".
  [[nodiscard]] std::string_view command_tag() const noexcept;
  /// Bytes of memory that this object holds.
  [[nodiscard]] std::size_t memory() const noexcept;

  [[nodiscard]] pg_result* native() const noexcept { return result_.get(); }

 private:
  struct clear {
    void operator()(pg_result* result) const noexcept;
  };
  std::unique_ptr<pg_result, clear> result_;
};

}  // namespace breakwater
