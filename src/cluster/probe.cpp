#include "cluster/probe.hpp"

#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

namespace breakwater::routing {
namespace {

/// In this order; see `read_answer`. The subquery is evaluated once, so that a promotion in between changes nothing: what
/// is not in recovery stays so. And it comes first: a position that was taken before the timeline was asked for is on that
/// timeline, or on one that it comes from; the other way round it may be on a later one.
constexpr std::string_view full_sql =
    "select s.recovery, (select c.system_identifier from pg_catalog.pg_control_system() c), "
    "case when s.recovery then "
    "(select w.received_tli::pg_catalog.text from pg_catalog.pg_stat_get_wal_receiver() w) "
    "else pg_catalog.substr(pg_catalog.pg_walfile_name(s.at), 1, 8) end, "
    "pg_catalog.pg_wal_lsn_diff(s.at, '0/0'), "
    "(select w.status from pg_catalog.pg_stat_get_wal_receiver() w), "
    "pg_catalog.current_setting('default_transaction_read_only'), "
    "pg_catalog.current_setting('synchronous_standby_names') <> '', "
    "pg_catalog.concat_ws(' ', pg_catalog.inet_server_addr(), pg_catalog.inet_server_port(), "
    "pg_catalog.pg_postmaster_start_time()) "
    "from (select pg_catalog.pg_is_in_recovery() as recovery, case when pg_catalog.pg_is_in_recovery() "
    "then pg_catalog.pg_last_wal_replay_lsn() else pg_catalog.pg_current_wal_flush_lsn() end as at offset 0) s";
/// For what is like PostgreSQL, but not enough.
constexpr std::string_view plain_sql =
    "select pg_catalog.pg_is_in_recovery(), null, null, null, null, "
    "pg_catalog.current_setting('default_transaction_read_only'), false, ''";

constexpr statement make_question(std::string_view sql) noexcept {
  return {.sql = sql,
          .name = "monitor.probe",
          .operation = "SELECT",
          .print = fingerprint(sql),
          .kind = statement_class::read,
          .prepare = false};
}
constexpr statement full_question = make_question(full_sql);
constexpr statement plain_question = make_question(plain_sql);

enum column : std::uint8_t { recovery, system_identifier, timeline, position, receiver, read_only, synchronous, place };
constexpr std::size_t columns = 8;

/// 0 where it is none.
template <class Number>
Number number_in(const cell& value, int base = 10) noexcept {
  Number found = 0;
  const char* const end = value.text.data() + value.text.size();
  if (value.null || std::from_chars(value.text.data(), end, found, base).ec != std::errc{}) return 0;
  return found;
}

node_observation read_answer(const rows& answer, bool read_only_session) {
  constexpr int hexadecimal = 16;
  node_observation seen{.reachable = true};
  seen.in_recovery = answer.at(0, recovery).text == "t";
  seen.system = static_cast<std::uint64_t>(number_in<std::int64_t>(answer.at(0, system_identifier)));
  seen.timeline = number_in<std::uint32_t>(answer.at(0, timeline), seen.in_recovery ? 10 : hexadecimal);
  seen.position = number_in<std::uint64_t>(answer.at(0, position));
  seen.streaming = seen.in_recovery && answer.at(0, receiver).text == "streaming";
  // A session that was made to a replica was set to read-only by us.
  seen.read_only = !read_only_session && answer.at(0, read_only).text == "on";
  seen.synchronous = !seen.in_recovery && answer.at(0, synchronous).text == "t";
  if (const auto where = answer.at(0, place).text; !where.empty()) seen.place = fingerprint(where);
  return seen;
}

/// The function is not there, or not for us.
bool asks_too_much(const error& failure) noexcept {
  return failure.sqlstate() == "42501" || failure.sqlstate() == "42883" || failure.sqlstate() == "0A000";
}

/// A server that is there and would not have us, for want of a place, or of a right.
bool is_refusal(const error& failure) noexcept {
  const std::string_view state = failure.sqlstate();
  return !state.empty() && !state.starts_with("57P0") && !state.starts_with("08");
}

}  // namespace

void probe::adopt(std::unique_ptr<postgres::connection> fresh) noexcept {
  link_ = std::move(fresh);
  adopted_ = true;
  outdated_ = plainly_ = false;
}

std::optional<error> probe::connect(deadline until, const std::stop_token& stop) {
  auto made = postgres::connection::open(address_, until, &stop);
  if (!made) return std::move(made).error();
  link_ = std::move(made).assume_value();
  outdated_ = plainly_ = false;
  return std::nullopt;
}

result<rows> probe::question(deadline until, const std::stop_token& stop, clock::time_point& sent) {
  const parameters none;
  const auto put = [&](const statement& what) {
    const std::array commands{postgres::command{&what, &none}};
    sent = clock::now();
    return link_->run({.commands = commands, .until = until, .cancel = &stop});
  };
  if (!plainly_) {
    auto answer = put(full_question);
    if (answer || !asks_too_much(answer.assume_error())) return answer;
    plainly_ = true;
  }
  return put(plain_question);
}

probe_answer probe::ask(deadline until, const std::stop_token& stop) {
  bool is_old = link_ != nullptr;
  probe_answer outcome{.same_connection = is_old && !std::exchange(adopted_, false)};
  outcome.seen.sent = clock::now();
  const auto give_up = [&outcome](error failure) {
    outcome.refused = is_refusal(failure);
    outcome.failure = std::move(failure);
    outcome.seen.answered = clock::now();
    return std::move(outcome);
  };
  for (;;) {
    if (link_ == nullptr) {
      is_old = outcome.same_connection = false;
      if (auto failure = connect(until, stop)) return give_up(std::move(*failure));
    }
    // An old connection may lead nowhere: the rest of the time is for another one.
    const auto now = clock::now();
    const deadline patience = is_old ? deadline::after(until.remaining(now) / 2, now) : until;
    auto answer = question(patience, stop, outcome.seen.sent);
    if (answer && answer.assume_value().size() == 1 && answer.assume_value().columns() == columns) {
      const bool was_replica = link_->was_replica();
      auto seen = read_answer(answer.assume_value(), was_replica);
      seen.sent = outcome.seen.sent;
      seen.answered = clock::now();
      outcome.seen = seen;
      // Set up for what the server was, it says nothing of what its sessions are now.
      outdated_ = was_replica != seen.in_recovery;
      return outcome;
    }
    link_.reset();
    error failure =
        answer ? error(errc::protocol_error, "not a server's answer to a probe") : std::move(answer).error();
    // The connection may have been lost while nobody looked, and the server with it; or not.
    const bool once_more = is_old && !until.expired(clock::now()) && !stop.stop_requested();
    if (!once_more) return give_up(std::move(failure).with_node(address_->node));
  }
}

}  // namespace breakwater::routing
