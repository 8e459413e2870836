// What becomes of a guarded transaction whose COMMIT's answer was lost.

#include "postgres/outcome_search.hpp"
#include "session_state.hpp"
#include <breakwater/repository/outcome_guard.hpp>

#include <utility>

namespace breakwater {

std::string outcome_guard_ddl() {
  std::string all;
  for (const auto each : {postgres::outcome_schema_ddl, postgres::outcome_table_ddl, postgres::outcome_index_ddl}) {
    all.append(each).append(";\n");
  }
  return all;
}

}  // namespace breakwater

namespace breakwater::detail {
namespace {

constexpr statement search_statement{.sql = {}, .name = "outcome_guard", .operation = "COMMIT"};

error not_applied(const error& unknown, bool in_time) {
  error known(in_time ? errc::connection_failed : errc::deadline_exceeded,
              "the answer to COMMIT was lost, and the outcome guard found that nothing was applied");
  return known.with_sqlstate(unknown.sqlstate())
      .with_statement(unknown.statement())
      .with_node(unknown.node())
      .with_attempts(unknown.attempts());
}

error still_unknown(error unknown, const std::optional<error>& obstacle) {
  std::string text = unknown.text() + "; the outcome guard could not find out";
  if (obstacle) text += ": " + obstacle->message();
  return std::move(unknown.with_text(std::move(text)));
}

}  // namespace

result<void> transaction_state::find_outcome(error unknown, const postgres::outcome_mark& mark, bool may_run_again) {
  const auto started = deadline::clock::now();
  const parameters none;
  const std::stop_token& cancel = session_->options().cancel;
  const std::stop_token* const stop = cancel.stop_possible() ? &cancel : nullptr;
  auto found = postgres::find_outcome(
      {.mark = mark, .options = options_, .until = until_, .cancel = stop, .borrow_primary = [&](deadline until) {
         return session_->nodes().borrow_primary_to_resolve({.what = search_statement,
                                                             .values = none,
                                                             .until = until,
                                                             .cancel = stop,
                                                             .where = where_,
                                                             .priority = priority::critical});
       }});
  const auto now = deadline::clock::now();
  if (observer* const watcher = session_->watcher()) {
    watcher->on_commit_unknown({.statement = unknown.statement(),
                                .node = unknown.node(),
                                .resolution = found.what,
                                .duration = now - started});
  }
  switch (found.what) {
    case commit_resolution::applied: return success();
    case commit_resolution::not_applied: {
      const bool in_time = !until_.expired(now);
      if (may_run_again && in_time && !cancel.stop_requested()) {
        carrying_on_ = std::move(found.carrying_on);
      } else {
        found.carrying_on->rollback();
      }
      return not_applied(unknown, in_time);
    }
    case commit_resolution::unresolved: break;
  }
  return still_unknown(std::move(unknown), found.obstacle);
}

}  // namespace breakwater::detail
