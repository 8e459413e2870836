#include "postgres/outcome_guard.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace breakwater::postgres {
namespace {

constexpr statement own(std::string_view sql, statement_class kind = statement_class::write) noexcept {
  return {.sql = sql, .name = "outcome_guard.create_table", .operation = "SQL", .kind = kind, .prepare = false};
}

constexpr statement begin_ddl = own("begin");
constexpr statement commit_ddl = own("commit");
constexpr statement make_schema = own(outcome_schema_ddl);
constexpr statement make_table = own(outcome_table_ddl);
constexpr statement make_index = own(outcome_index_ddl);
constexpr statement what_is_there = own(
    "select pg_catalog.to_regnamespace('breakwater') is not null, pg_catalog.to_regclass('breakwater.outcomes') is not "
    "null, current_user",
    statement_class::read);

/// Somebody else made it between our look and our CREATE, which IF NOT EXISTS does not keep quiet about.
bool lost_race(const error& failure) noexcept {
  const std::string_view code = failure.sqlstate();
  return code == "23505" || code == "42P07" || code == "42P06" || code == "42710";
}

/// Who loses a race looks again; each time somebody has made at least one of three things.
constexpr int creation_attempts = 4;

bool contains_setting(std::string_view text) noexcept {
  constexpr std::string_view setting = "synchronous_commit";
  const auto equal = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::search(text.begin(), text.end(), setting.begin(), setting.end(), equal) != text.end();
}

error may_not_create(const error& refused, std::string_view role) {
  return error(errc::insufficient_privilege,
               "the outcome guard's table breakwater.outcomes is missing and the role \"" + std::string(role) +
                   "\" may not make it; let one that may run: " + std::string(outcome_schema_ddl) + "; " +
                   std::string(outcome_table_ddl) + "; " + std::string(outcome_index_ddl) +
                   "; grant usage on schema breakwater to \"" + std::string(role) +
                   "\"; grant select, insert, update, delete on breakwater.outcomes to \"" + std::string(role) + '"')
      .with_sqlstate(refused.sqlstate())
      .with_statement(refused.statement())
      .with_node(refused.node());
}

}  // namespace

void bind_token(parameters& values, const outcome_token& token) {
  char* const at = values.reserve(uuid::max_text_size);
  values.commit(static_cast<std::size_t>(token.id.write_to(at) - at), oid::uuid);
}

outcome_mark read_mark(const outcome_token& token, const rows& answer, server_process& known) {
  outcome_mark mark{.token = token};
  if (answer.empty() || answer.columns() < 2) return mark;
  mark.backend = answer.at(0, 0).text;
  mark.synchronous_commit = answer.at(0, 1).text;
  if (answer.columns() > 2) {
    known.changes = known.changes || (!known.number.empty() && known.number != mark.backend);
    known.number = mark.backend;
    known.start = answer.at(0, 2).text;
    if (answer.columns() > 3) mark.transaction_start = answer.at(0, 3).text;
  } else if (known.number != mark.backend) {
    known = {.changes = true};  // a proxy gives each transaction another one, and hands on the keys of the first
  }
  mark.backend_start = known.start;
  return mark;
}

bool is_missing_outcome_table(const error& failure) noexcept {
  return failure.statement() == outcome_token_statement.name &&
         (failure.sqlstate() == "42P01" || failure.sqlstate() == "3F000");
}

bool is_known_token(const error& failure) noexcept {
  return failure.statement() == outcome_token_statement.name && failure.sqlstate() == "23505" &&
         failure.table() == "outcomes";
}

bool is_token_in_flight(const error& failure) noexcept {
  return failure.statement() == outcome_token_statement.name && failure.sqlstate() == "55P03";
}

void explain_outcome_table(error& failure) {
  if (is_missing_outcome_table(failure)) {
    failure.with_text(
        "the outcome guard's table breakwater.outcomes is missing, and config.outcome_guard.create_table is off; run "
        "what bw::outcome_guard_ddl() says");
  } else if (failure.statement() == outcome_token_statement.name && failure.sqlstate() == "42501") {
    failure.with_text(
        "the role may not write the outcome guard's table; grant usage on schema breakwater, and select, insert, "
        "update, delete on breakwater.outcomes to it");
  }
}

result<void> make_outcome_table(connection& on, deadline until, const std::stop_token* cancel) {
  const parameters none;
  std::optional<error> last;
  for (int attempt = 0; attempt < creation_attempts; ++attempt) {
    const std::array look{command{&what_is_there, &none}};
    BOOST_OUTCOME_TRY(const auto there, on.run({.commands = look, .until = until, .cancel = cancel}));
    // CREATE SCHEMA asks for the right to make one even where it exists: only what is missing is made.
    const bool has_schema = there.at(0, 0).text == "t";
    if (has_schema && there.at(0, 1).text == "t") return success();

    std::vector<command> making{{&begin_ddl, &none}};
    if (!has_schema) making.push_back({&make_schema, &none});
    making.insert(making.end(), {{&make_table, &none}, {&make_index, &none}, {&commit_ddl, &none}});
    auto made = on.run({.commands = making,
                        .kind = batch_kind::whole,
                        .until = until,
                        .cancel = cancel,
                        .callers = making.size() - 2,
                        .behind = 1});
    if (made) return success();
    last = std::move(made).error();
    last->with_statement(make_table.name);
    if (last->sqlstate() == "42501") return may_not_create(*last, there.at(0, 2).text);
    // Whether the table was made may not be known; of the transaction that needs it nothing was sent.
    if (last->code() == errc::commit_unknown) last->with_code(errc::connection_failed).with_applied(applied::no);
    if (!lost_race(*last) || on.is_broken()) break;
  }
  return std::move(*last);
}

std::string_view confirming_level(const outcome_mark& mark) noexcept {
  const std::string_view level = mark.synchronous_commit;
  // Asynchronous commits are made durable on the primary all the same: it costs one flush, and the answer is a promise.
  if (level == "off" || level == "local") return "local";
  if (level == "remote_write") return "remote_write";
  if (level == "on") return "on";
  return "remote_apply";
}

bool may_set_synchronous_commit(const statement& what, const parameters& values) noexcept {
  if (what.mapped) return false;
  if (contains_setting(what.sql)) return true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (contains_setting(values.text(i))) return true;
  }
  return false;
}

}  // namespace breakwater::postgres
