#pragma once

#include <breakwater/core/deadline.hpp>
#include <breakwater/core/observer.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/postgres/rows.hpp>
#include <breakwater/postgres/statement.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace breakwater::detail {

/// Tells the observer of a finished operation. REQUIRES that the statement and the identifier outlive it.
class operation_report {
 public:
  operation_report(observer* watcher, const statement& what, const std::string& correlation_id) noexcept
      : watcher_(watcher), what_(what), correlation_id_(correlation_id) {
    if (watcher_ != nullptr) started_ = deadline::clock::now();
  }
  /// The same for an operation that began when its caller last looked at the clock.
  operation_report(observer* watcher, const statement& what, const std::string& correlation_id,
                   deadline::clock::time_point began) noexcept
      : watcher_(watcher), what_(what), correlation_id_(correlation_id), started_(began) {}
  /// What comes of an unknown COMMIT is told by its guard.
  void leave_unknown_to_guard() noexcept { guarded_ = true; }
  /// `ended`, in all of them: where it is not given, now.
  void finish(const result<rows>& answer, std::string_view node, node_role role, unsigned attempts,
              deadline::clock::time_point ended = {}) const noexcept {
    if (watcher_ == nullptr) return;
    finish(answer, row_count(answer), node, role, attempts, ended);
  }
  template <class T>
  void finish(const result<T>& answer, std::size_t row_count, std::string_view node, node_role role, unsigned attempts,
              deadline::clock::time_point ended = {}) const noexcept {
    finish(answer ? nullptr : &answer.assume_error(), row_count, node, role, attempts, ended);
  }
  void finish(const error* failure, std::size_t row_count, std::string_view node, node_role role, unsigned attempts,
              deadline::clock::time_point ended = {}) const noexcept {
    if (watcher_ == nullptr) return;
    if (ended == deadline::clock::time_point{}) ended = deadline::clock::now();
    // Every write that is reported as unknown passes here, once; a guard has tried its best by then, and says so itself.
    if (failure != nullptr && failure->code() == errc::commit_unknown && !guarded_) {
      watcher_->on_commit_unknown({.statement = what_.name, .node = node});
    }
    watcher_->on_operation({.statement = what_.name,
                            .operation = what_.operation,
                            .table = what_.table,
                            .node = node,
                            .role = role,
                            .duration = ended - started_,
                            .rows = row_count,
                            .attempts = attempts,
                            .failure = failure,
                            .correlation_id = correlation_id_});
  }

 private:
  [[nodiscard]] static std::size_t row_count(const result<rows>& answer) noexcept {
    if (!answer) return 0;
    const rows& of = answer.assume_value();
    return of.columns() > 0 ? of.size() : of.affected();
  }

  observer* watcher_;
  const statement& what_;
  const std::string& correlation_id_;
  deadline::clock::time_point started_{};
  bool guarded_ = false;
};

}  // namespace breakwater::detail
