#pragma once

#include <breakwater/core/result.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace breakwater {

class hook_context;

/// What was done to a row.
enum class audit_action : std::uint8_t {
  insert,
  update,
  patch,
  upsert,  ///< an upsert that met a row and changed it; one that inserted is `insert`
  remove,
  restore,
  purge
};

/// The action's name: "insert", "update", ...
[[nodiscard]] std::string_view to_string(audit_action action) noexcept;

/// One column that was written.
struct audit_change {
  std::string_view column;
  std::optional<std::string_view> value;  ///< as PostgreSQL's text; none: NULL; "***" for a sensitive column
};

/// One row that a repository changed. The views are valid during the call only.
struct audit_event {
  std::string_view schema{};  ///< as mapped; may be empty
  std::string_view table;
  audit_action action = audit_action::insert;
  std::string_view key;  ///< its values, separated by ", "; "***" for a sensitive one
  /// The columns that were written, with the values that are stored now: of an insert all of them, of an update those
  /// that an update stores, of a patch those it names. Whether a value differs from the one before is not known.
  std::span<const audit_change> changes{};
  std::string_view actor{};           ///< the session's
  std::string_view correlation_id{};  ///< the session's
};

/// Told of every row that repositories insert, update, patch, upsert, remove, restore or purge, inside the transaction
/// that does it: what it writes through the context is committed with the change, or not at all.
///
///     struct audit_log : bw::auditor {
///       bw::result<void> on_change(bw::hook_context& context, const bw::audit_event& event) override {
///         return context.execute("insert into audit values (now(), ?, ?, ?)", event.actor, event.table, event.key);
///       }
///     };
///     config.auditor = std::make_shared<audit_log>();
///
/// With an auditor each such operation of a session is a transaction, and takes a round trip more for its COMMIT.
/// An error that it returns undoes the change, and is what the caller gets. What it changes itself is not audited.
/// Bulk statements over a condition (`update_all`, `delete_all`, `purge_all`), COPY and raw SQL are not told.
///
/// Called on the callers' threads, by many at once: an implementation must be thread-safe.
class auditor {
 public:
  auditor() = default;
  auditor(const auditor&) = delete;
  auditor& operator=(const auditor&) = delete;
  virtual ~auditor() = default;

  [[nodiscard]] virtual result<void> on_change(hook_context& context, const audit_event& event) = 0;
};

}  // namespace breakwater
