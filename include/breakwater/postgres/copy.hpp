#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/rows.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

/// The two ends of a COPY, which carries rows in PostgreSQL's text format without a statement for each. For the
/// library's own use.
namespace breakwater {

/// About how much of a COPY is handed to the socket at a time: a few system calls per megabyte, and no more memory.
inline constexpr std::size_t copy_buffer_bytes = 65536;

/// Where the rows of a COPY ... FROM STDIN come from.
///
/// Asked on the caller's own thread while the connection waits. An exception passes through, after the COPY was undone.
class copy_source {
 public:
  copy_source() = default;
  copy_source(const copy_source&) = delete;
  copy_source& operator=(const copy_source&) = delete;
  virtual ~copy_source() = default;

  /// The columns in the order sent; an error of the server names one of these or none.
  [[nodiscard]] virtual std::span<const std::string_view> columns() const noexcept = 0;
  /// Appends whole rows to `to`, until it holds about `copy_buffer_bytes`. False: those were the last. `clock` is the
  /// database's time when the COPY began, in its text form. An error ends the COPY, and nothing of it stays.
  [[nodiscard]] virtual result<bool> fill(std::string& to, std::string_view clock) = 0;
  /// What was filled last is with the socket. False ends the COPY: `errc::cancelled`, and nothing of it stays.
  [[nodiscard]] virtual bool sent() = 0;
};

/// Where the rows of a COPY ... TO STDOUT go.
class copy_sink {
 public:
  copy_sink() = default;
  copy_sink(const copy_sink&) = delete;
  copy_sink& operator=(const copy_sink&) = delete;
  virtual ~copy_sink() = default;

  /// Before the first row: an empty answer with the columns' names and types.
  [[nodiscard]] virtual result<void> begin(const rows& shape) = 0;
  /// One row with its line feed. False: no more are wanted.
  [[nodiscard]] virtual result<bool> take(std::string_view line) = 0;
};

}  // namespace breakwater
