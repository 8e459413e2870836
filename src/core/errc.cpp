#include <breakwater/core/errc.hpp>

#include <array>
#include <string>

namespace breakwater {
namespace {

struct errc_text {
  errc code;
  std::string_view name;
  std::string_view message;
};

constexpr std::array errc_texts{
    errc_text{errc::not_found, "not_found", "no such row"},
    errc_text{errc::stale_version, "stale_version", "the row was changed by another writer; read it again"},
    errc_text{errc::unique_violation, "unique_violation", "another row has this value already"},
    errc_text{errc::foreign_key_violation, "foreign_key_violation",
              "a referenced row is missing, or the row is still referenced"},
    errc_text{errc::check_violation, "check_violation", "a check constraint refused the row"},
    errc_text{errc::not_null_violation, "not_null_violation", "a required column has no value"},
    errc_text{errc::exclusion_violation, "exclusion_violation", "an exclusion constraint refused the row"},
    errc_text{errc::serialization_failure, "serialization_failure",
              "a concurrent transaction won; run the whole transaction again"},
    errc_text{errc::deadlock, "deadlock", "chosen as a deadlock's victim; run the whole transaction again"},
    errc_text{errc::lock_not_available, "lock_not_available", "somebody else holds the lock"},
    errc_text{errc::deadline_exceeded, "deadline_exceeded", "the deadline came first"},
    errc_text{errc::cancelled, "cancelled", "cancelled"},
    errc_text{errc::overloaded, "overloaded", "refused: it could not be served in time"},
    errc_text{errc::circuit_open, "circuit_open", "refused: the circuit breaker is open"},
    errc_text{errc::no_primary, "no_primary", "no node is known to accept writes"},
    errc_text{errc::connection_failed, "connection_failed", "no connection to the server"},
    errc_text{errc::authentication_failed, "authentication_failed", "the server refused the connection's user"},
    errc_text{errc::commit_unknown, "commit_unknown",
              "the write was sent and the answer was lost: it may or may not have been applied"},
    errc_text{errc::unsafe_operation, "unsafe_operation", "refused as unsafe"},
    errc_text{errc::invalid_argument, "invalid_argument", "an argument is not allowed"},
    errc_text{errc::invalid_statement, "invalid_statement", "the server refused the statement"},
    errc_text{errc::insufficient_privilege, "insufficient_privilege", "the role is not allowed to do that"},
    errc_text{errc::read_only, "read_only", "a write reached a read-only transaction or node"},
    errc_text{errc::resource_exhausted, "resource_exhausted", "the server has run out of a resource"},
    errc_text{errc::data_error, "data_error", "a value does not fit its type"},
    errc_text{errc::mapping_mismatch, "mapping_mismatch", "the mapping does not fit the schema"},
    errc_text{errc::protocol_error, "protocol_error", "the peer broke the protocol"},
    errc_text{errc::internal, "internal", "internal error"},
    errc_text{errc::too_many_rows, "too_many_rows", "more rows than expected"},
    errc_text{errc::validation_failed, "validation_failed", "the entity's validation refused it"},
    errc_text{errc::rolled_back, "rolled_back", "the transaction was rolled back by the server"},
};

constexpr errc_text unknown_code{errc::internal, "unknown", "unknown error code"};

const errc_text& text_of(int value) noexcept {
  for (const errc_text& row : errc_texts) {
    if (static_cast<int>(row.code) == value) return row;
  }
  return unknown_code;
}

class category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "breakwater"; }
  [[nodiscard]] std::string message(int value) const override { return std::string(text_of(value).message); }
};

}  // namespace

std::string_view to_string(errc code) noexcept { return text_of(static_cast<int>(code)).name; }

const std::error_category& error_category() noexcept {
  // Never destroyed: error codes may be compared while other statics go away.
  static const category& instance = *new category;
  return instance;
}

}  // namespace breakwater
