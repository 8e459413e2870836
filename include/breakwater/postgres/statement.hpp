#pragma once

#include <cstdint>
#include <string_view>

namespace breakwater {

/// What a statement does to the database; said by the API that made it, never read off its SQL.
enum class statement_class : std::uint8_t {
  read,          ///< may run on a replica
  locking_read,  ///< SELECT ... FOR UPDATE and the like: the primary
  write          ///< the primary; raw SQL counts as a write unless its caller says otherwise
};

/// Identity of a statement text: FNV-1a, 64 bits (Fowler, Noll, Vo). Computed at compile time for the
/// statements of a mapping, so that finding a prepared statement hashes nothing.
[[nodiscard]] constexpr std::uint64_t fingerprint(std::string_view sql) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : sql) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  return hash;
}

/// A statement on its way to a server: its text and what every floor needs to know about it.
///
/// A view: whoever makes one keeps `sql` and the names alive while it runs. The names are bounded in number
/// (they come from mappings and from the program's text) and so are fit for metric labels.
struct statement {
  std::string_view sql;        ///< parameterised text, $1 ... $n
  std::string_view name;       ///< for errors, metrics and traces: "accounts.get"
  std::string_view operation;  ///< "SELECT", "INSERT", "UPDATE", "DELETE", or "SQL" for raw text
  std::string_view table{};    ///< the table's name, or empty
  std::uint64_t print = 0;     ///< `fingerprint(sql)`
  statement_class kind = statement_class::write;
  bool mapped = false;                ///< made from a mapping: a name the server does not know is a mapping_mismatch
  bool prepare = true;                ///< worth a place in the connection's statement cache
  bool may_commit_by_itself = false;  ///< a CALL or DO: an ERROR does not tell that nothing of it was applied
  bool enforce_read_only = false;     ///< raw text declared read-only: the server shall hold it to that
  bool idempotent = false;            ///< its caller says: running it twice is as good as once

  [[nodiscard]] constexpr bool is_read() const noexcept { return kind == statement_class::read; }
};

}  // namespace breakwater
