#include "postgres/server_cursor.hpp"

#include "postgres/server_error.hpp"

#include <array>
#include <utility>

namespace breakwater::postgres {
namespace {

/// A statement of the cursor's that goes by the name of its query.
statement named_as(const statement& query, std::string_view sql) noexcept {
  statement made = query;
  made.sql = sql;
  made.print = fingerprint(sql);
  made.prepare = false;  // the name in it changes
  return made;
}

}  // namespace

server_cursor::server_cursor(unsigned number) : name_("bw_cursor_" + std::to_string(number)) {}

result<rows> server_cursor::fetch(transaction_channel& on, const request& query, std::size_t count) {
  if (state_ == state::at_end || state_ == state::gone) return rows();
  const std::string fetch_sql = "fetch forward " + std::to_string(count) + " from " + name_;
  const statement fetch_statement = named_as(query.what, fetch_sql);
  const parameters none;
  const request wanted{
      .what = fetch_statement, .values = none, .until = query.until, .cancel = query.cancel, .where = query.where};
  result<rows> answer = errc::internal;
  if (state_ == state::unopened) {
    const std::string declare_sql =
        "declare " + name_ + " no scroll cursor without hold for " + std::string(query.what.sql);
    const statement declare_statement = named_as(query.what, declare_sql);
    const std::array both{batched_statement{&declare_statement, &query.values},
                          batched_statement{&fetch_statement, &none}};
    auto answers = on.run_batch(wanted, both);
    if (answers) {
      answer = std::move(answers.assume_value().back());
    } else {
      answer = std::move(answers).error();
    }
  } else {
    answer = on.run(wanted);
    // The values were sent with DECLARE; what a later row makes the server say may quote them all the same.
    if (!answer) withhold_values(answer.error(), query.values);
  }
  state_ = !answer ? state::gone : answer.assume_value().size() < count ? state::at_end : state::open;
  return answer;
}

void server_cursor::close(transaction_channel& on, const request& limits) noexcept {
  if (state_ != state::open && state_ != state::at_end) return;
  state_ = state::gone;
  const std::string close_sql = "close " + name_;
  const statement close_statement = named_as(limits.what, close_sql);
  const parameters none;
  // Where it fails, the cursor goes with its transaction.
  (void)on.run(
      {.what = close_statement, .values = none, .until = limits.until, .cancel = limits.cancel, .where = limits.where});
}

}  // namespace breakwater::postgres
