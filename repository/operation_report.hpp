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
  void finish(const result<rows>& answer, std::string_view node, node_role role, unsigned attempts) const noexcept {
    finish(answer, row_count(answer), node, role, attempts);
  }
  template <class T>
  void finish(const result<T>& answer, std::size_t row_count, std::string_view node, node_role role,
              unsigned attempts) const noexcept {
    finish(answer ? nullptr : &answer.assume_error(), row_count, node, role, attempts);
  }
  void finish(const error* failure, std::size_t row_count, std::string_view node, node_role role,
              unsigned attempts) const noexcept {
    if (watcher_ == nullptr) return;
    watcher_->on_operation({.statement = what_.name,
                            .operation = what_.operation,
                            .table = what_.table,
                            .node = node,
                            .role = role,
                            .duration = deadline::clock::now() - started_,
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
};

}  // namespace breakwater::detail
