#pragma once

#include <breakwater/postgres/executor.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <stop_token>
#include <string>

namespace breakwater::routing {

class node;

/// A read that may run in two copies at a time, one of which may outlive its caller: so it owns what a request only looks
/// at. Each copy writes its own traces; the caller reads those of the copy whose answer it took.
class hedged_read {
 public:
  explicit hedged_read(const request& wanted)
      : sql_(wanted.what.sql),
        name_(wanted.what.name),
        operation_(wanted.what.operation),
        table_(wanted.what.table),
        what_(wanted.what),
        values_(wanted.values),
        until_(wanted.until),
        where_(wanted.where),
        priority_(wanted.priority) {
    what_.sql = sql_;
    what_.name = name_;
    what_.operation = operation_;
    what_.table = table_;
  }
  hedged_read(const hedged_read&) = delete;
  hedged_read& operator=(const hedged_read&) = delete;
  ~hedged_read() = default;

  [[nodiscard]] request as_request(const std::stop_token& stop) const noexcept {
    return {.what = what_, .values = values_, .until = until_, .cancel = &stop, .where = where_, .priority = priority_};
  }

  /// Where a copy went.
  struct trace {
    const node* last = nullptr;
    unsigned attempts = 0;
  };
  std::array<trace, 2> traces{};
  /// Where the first copy is now; the second one goes elsewhere.
  std::atomic<const node*> first_on{nullptr};

 private:
  const std::string sql_, name_, operation_, table_;
  statement what_;
  const parameters values_;
  const deadline until_;
  const source_location where_;
  const priority priority_;
};

}  // namespace breakwater::routing
