#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace breakwater::postgres {

/// Which statements are prepared on one connection, and under which names. Least recently used ones go first.
///
/// Only bookkeeping: the connection sends what it is told to. A statement counts as prepared once the server
/// has said so. For one thread at a time, as the connection it belongs to.
class statement_cache {
 public:
  struct entry {
    std::uint64_t print = 0;
    std::string sql;
    std::string name;  // "bw_1", "bw_2", ...; never used twice on a connection
    bool prepared = false;
  };

  /// `capacity` 0 switches caching off.
  explicit statement_cache(std::size_t capacity) noexcept : capacity_(capacity) {}
  /// For a session behind a pooler that brings prepared statements along: none is ever deallocated, because SQL would do
  /// that on whichever server it meets, so that what comes when the cache is full goes unprepared; and the names begin
  /// with `prefix`, which no other session's do, so that a pooler that mixes sessions up does not run one's for another.
  statement_cache(std::size_t capacity, std::string prefix) noexcept
      : capacity_(capacity), prefix_(std::move(prefix)), deallocates_(false) {}

  /// The entry of this text, made if need be; null when caching is off or the fingerprint belongs to another
  /// text. Valid until evicted, forgotten or cleared.
  [[nodiscard]] entry* find_or_add(std::uint64_t print, std::string_view sql);

  /// The server holds the statement under this name now.
  void mark_prepared(std::uint64_t print, std::string_view name) noexcept;

  /// A name to deallocate on the server: of a forgotten entry, or of the least recently used one while there are
  /// more than allowed. Never `keep`. Nothing when all is in bounds.
  [[nodiscard]] std::optional<std::string> evict(const entry* keep);

  /// Takes an entry out; what the server holds under its name is for `evict` to hand out.
  void forget(std::uint64_t print);
  /// A name that `evict` gave out and that the server still holds: to be given out again.
  void keep_for_eviction(std::string name) {
    if (deallocates_) forgotten_.push_back(std::move(name));
  }
  /// The server has lost all of them.
  void clear() noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return index_.size(); }

 private:
  std::size_t capacity_;
  std::string prefix_ = "bw_";
  bool deallocates_ = true;
  std::uint64_t last_name_ = 0;
  std::list<entry> by_use_;  // most recently used first
  std::unordered_map<std::uint64_t, std::list<entry>::iterator> index_;
  std::vector<std::string> forgotten_;  // names that the server may still hold
};

}  // namespace breakwater::postgres
