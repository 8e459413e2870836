#include "outcome_sweeper.hpp"

#include "cluster/router.hpp"
#include <breakwater/core/random.hpp>
#include <breakwater/postgres/executor.hpp>

#include <string>
#include <system_error>

namespace breakwater::detail {
namespace {

/// Few enough that a batch is done in milliseconds and holds no lock for long.
constexpr std::size_t rows_a_batch = 1000;
/// A sweep in the background that takes longer than this is overtaken by the next one.
constexpr std::chrono::seconds sweep_patience{30};
/// Processes that were started together do not sweep together.
constexpr double interval_jitter = 0.25;

constexpr std::string_view sweep_sql =
    "delete from breakwater.outcomes where token in (select token from breakwater.outcomes where at < "
    "pg_catalog.clock_timestamp() - $1 * interval '1 millisecond' order by at limit $2 for update skip locked)";
constexpr statement sweep_statement{.sql = sweep_sql,
                                    .name = "outcome_guard.sweep",
                                    .operation = "DELETE",
                                    .table = "breakwater.outcomes",
                                    .print = fingerprint(sweep_sql),
                                    .prepare = false};

/// Nothing was ever guarded in this database.
bool is_missing_table(const error& failure) noexcept {
  return failure.sqlstate() == "42P01" || failure.sqlstate() == "3F000";
}

}  // namespace

void outcome_sweeper::start() {
  if (options_.sweep_interval.count() == 0) return;
  std::call_once(started_, [this] {
    try {
      thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
    } catch (const std::system_error&) {
      // No thread to be had: other processes sweep too.
    }
  });
}

result<std::size_t> outcome_sweeper::sweep(deadline until, const std::stop_token* cancel) {
  parameters values;
  values.add_text(std::to_string(options_.retention.count()), oid::float8);
  values.add_text(std::to_string(rows_a_batch), oid::int8);
  std::size_t swept = 0;
  for (;;) {
    auto done = nodes_.run({.what = sweep_statement, .values = values, .until = until, .cancel = cancel}, false);
    if (!done.answer) {
      if (is_missing_table(done.answer.error())) return swept;
      return std::move(done.answer).error().with_statement(sweep_statement.name);
    }
    const std::size_t deleted = done.answer.assume_value().affected();
    swept += deleted;
    if (deleted < rows_a_batch) return swept;
  }
}

void outcome_sweeper::work(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto pause = std::chrono::duration_cast<std::chrono::nanoseconds>(
        options_.sweep_interval * (1 + interval_jitter * (2 * random_unit() - 1)));
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, stop, pause, [] { return false; });
    }
    if (!stop.stop_requested()) (void)sweep(deadline::after(sweep_patience), &stop);
  }
}

}  // namespace breakwater::detail
