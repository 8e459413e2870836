#pragma once

#include <breakwater/core/errc.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace breakwater {

/// Whether the write that an error belongs to took effect in the database.
///
/// For a read it is always `no`. The answer is true or it is `unknown`: it is never a guess.
enum class applied : std::uint8_t {
  no,      ///< nothing of it is, or ever will be, in the database
  yes,     ///< it is committed, although the operation as a whole reports an error
  unknown  ///< sent, and the answer was lost
};

/// The value's name: "no", "yes" or "unknown".
[[nodiscard]] std::string_view to_string(applied value) noexcept;

/// What an entity's own validation has against one of its fields.
struct validation_failure {
  std::string field;
  std::string text;
  std::size_t row = 0;  ///< of a bulk operation, from 1; 0 for a single entity
};

/// What happened, to which statement, on which node, and whether the write took effect.
///
///     if (!saved && saved.error().code() == bw::errc::unique_violation)
///       return taken(saved.error().constraint());
///
/// Never holds parameter values, credentials or the server's DETAIL text, so it may be logged as it is.
/// Copying shares the details (one atomic increment). Distinct objects may be used by distinct threads.
class error {
 public:
  /// An error of this code, with the code's own message. Implicit, so `return bw::errc::not_found;` works.
  error(errc code) noexcept : code_(code) {}
  /// An error with a message that says what happened and what to do. It must not contain a value.
  error(errc code, std::string text);

  [[nodiscard]] errc code() const noexcept { return code_; }
  /// Raw SQL counts as a write unless it was declared read-only: when its answer can not be read as asked, that is
  /// `applied::yes` even for what was a SELECT.
  [[nodiscard]] breakwater::applied applied() const noexcept { return applied_; }
  /// The server's five-character SQLSTATE, or empty when the error did not come from a server.
  [[nodiscard]] std::string_view sqlstate() const noexcept;
  /// Name of the violated constraint, or empty.
  [[nodiscard]] std::string_view constraint() const noexcept;
  /// Name of the table concerned, or empty.
  [[nodiscard]] std::string_view table() const noexcept;
  /// Name of the column concerned, or empty.
  [[nodiscard]] std::string_view column() const noexcept;
  /// The row of a bulk operation that the error is about, from 1; 0 when it is about none in particular.
  [[nodiscard]] std::size_t row() const noexcept;
  /// The statement's name, such as "accounts.update", never its values. Empty when no statement was involved.
  [[nodiscard]] std::string_view statement() const noexcept;
  /// The node as "host:port", or empty when the operation reached none.
  [[nodiscard]] std::string_view node() const noexcept;
  /// Of `validation_failed`: what is wrong with which field, in the order found. Valid as long as this error.
  [[nodiscard]] std::span<const validation_failure> failures() const noexcept;
  /// How often the operation was tried, from 1 up; 0 when it was refused before the first attempt.
  [[nodiscard]] unsigned attempts() const noexcept { return attempts_; }
  /// What happened, without the names and codes that `message` puts around it.
  [[nodiscard]] std::string text() const;
  /// One line for people: what happened, to what, where, and what to do.
  [[nodiscard]] std::string message() const;

  /// The same call may succeed later without a change. Whether to run it again is `applied()`'s to say.
  [[nodiscard]] bool is_transient() const noexcept;
  /// The call itself is wrong; made again unchanged it can not succeed.
  [[nodiscard]] bool is_callers_mistake() const noexcept;
  /// The connection it happened on can not be used any further (the pool has replaced it).
  [[nodiscard]] bool poisons_connection() const noexcept { return poisons_connection_; }

  /// \name Completing an error on its way up. Each changes this object and returns it.
  /// @{
  error& with_code(errc code) noexcept;
  error& with_applied(breakwater::applied value) noexcept;
  /// REQUIRES: `state` is empty or five characters long.
  error& with_sqlstate(std::string_view state) noexcept;
  error& with_constraint(std::string_view name);
  error& with_table(std::string_view name);
  error& with_column(std::string_view name);
  error& with_row(std::size_t number);
  error& with_statement(std::string_view name);
  error& with_node(std::string_view name);
  error& with_text(std::string text);
  error& with_failures(std::vector<validation_failure> found);
  error& with_attempts(unsigned count) noexcept;
  error& with_poisoned_connection(bool value = true) noexcept;
  /// @}

  /// Interoperability with `std::error_code`; found by ADL.
  [[nodiscard]] friend std::error_code make_error_code(const error& e) noexcept {
    return breakwater::make_error_code(e.code());
  }
  friend bool operator==(const error& e, errc code) noexcept { return e.code_ == code; }

 private:
  struct details {
    std::string constraint, table, column, statement, node, text;
    std::vector<validation_failure> failures{};
    std::size_t row = 0;
  };
  /// The details, made or unshared on first use.
  details& own();

  errc code_;
  breakwater::applied applied_ = breakwater::applied::no;
  bool poisons_connection_ = false;
  std::array<char, 5> sqlstate_{};
  std::uint16_t attempts_ = 0;
  std::shared_ptr<details> details_;  // absent in most errors a program meets: not_found, stale_version
};

}  // namespace breakwater
