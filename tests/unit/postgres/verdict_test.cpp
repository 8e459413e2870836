// Every row of the table in verdict.hpp.

#include "postgres/verdict.hpp"

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using breakwater::applied;
using breakwater::deadline;
using breakwater::errc;
using breakwater::error;
using breakwater::parameters;
using breakwater::rows;
using breakwater::statement;
using breakwater::statement_class;
using breakwater::postgres::batch;
using breakwater::postgres::batch_kind;
using breakwater::postgres::command;
using breakwater::postgres::exchange_outcome;
using breakwater::postgres::judge;
using breakwater::postgres::phase;
using breakwater::postgres::server_error;
using breakwater::postgres::wait_result;

constexpr deadline::clock::time_point now{1000s};
constexpr deadline far{now + 10s};

/// A batch of one statement.
struct sent {
  sent(batch_kind kind, statement_class wanted, deadline until = far)
      : what{.sql = "sql", .name = "accounts.update", .operation = "SQL", .kind = wanted},
        commands{command{&what, &none}},
        all{.commands = commands, .kind = kind, .until = until} {}
  sent(const sent&) = delete;
  sent& operator=(const sent&) = delete;

  statement what;
  parameters none;
  std::array<command, 1> commands;
  batch all;
};

/// Those that are permanent, and those that are not.
constexpr std::array permanent{std::pair{batch_kind::autocommit, statement_class::write},
                               std::pair{batch_kind::commit, statement_class::write},
                               std::pair{batch_kind::whole, statement_class::write}};
constexpr std::array passing{std::pair{batch_kind::autocommit, statement_class::read},
                             std::pair{batch_kind::autocommit, statement_class::locking_read},
                             std::pair{batch_kind::in_transaction, statement_class::write},
                             std::pair{batch_kind::whole, statement_class::read}};

server_error refused_with(errc code, std::string_view sqlstate) {
  return {.cause = error(code, "the server's text").with_sqlstate(sqlstate)};
}
server_error fatal(errc code, std::string_view sqlstate) {
  auto made = refused_with(code, sqlstate);
  made.fatal = true;
  return made;
}

exchange_outcome outcome(phase reached, std::optional<server_error> failure = {},
                         wait_result ended = wait_result::ready) {
  exchange_outcome made;
  made.reached = reached;
  made.failure = std::move(failure);
  made.ended = ended;
  return made;
}

exchange_outcome answered(const char* tag) {
  auto made = outcome(phase::complete);
  PGresult* result = PQmakeEmptyPGresult(nullptr, PGRES_COMMAND_OK);
  std::strcpy(PQcmdStatus(result), tag);
  made.answer = rows(result);
  return made;
}

error verdict(exchange_outcome what, const batch& wanted, bool unreplicated = false) {
  auto judged = judge(std::move(what), wanted, unreplicated, now);
  EXPECT_FALSE(judged) << "an error was expected";
  if (judged) return errc::internal;
  EXPECT_EQ(judged.error().statement(), wanted.subject().name);
  return judged.error();
}

TEST(verdict, not_sent_is_not_applied_and_keeps_its_code) {
  for (const auto& [kind, wanted] : {permanent[0], permanent[1], passing[0], passing[2]}) {
    const sent it(kind, wanted);
    const auto lost = verdict(outcome(phase::not_sent, fatal(errc::connection_failed, "")), it.all);
    EXPECT_EQ(lost.code(), errc::connection_failed);
    EXPECT_EQ(lost.applied(), applied::no);
    EXPECT_TRUE(lost.poisons_connection());
  }
}

TEST(verdict, sent_and_answered_with_an_error_is_not_applied_though_the_rest_was_lost) {
  for (const auto& [kind, wanted] : {permanent[0], permanent[1], passing[0], passing[2]}) {
    const sent it(kind, wanted);
    const auto refused =
        verdict(outcome(phase::sent, refused_with(errc::unique_violation, "23505"), wait_result::timed_out), it.all);
    EXPECT_EQ(refused.code(), errc::unique_violation);
    EXPECT_EQ(refused.sqlstate(), "23505");
    EXPECT_EQ(refused.applied(), applied::no);
    EXPECT_TRUE(refused.poisons_connection()) << "its ReadyForQuery was not read";
  }
}

TEST(verdict, a_poolers_word_that_it_has_lost_the_server_is_no_answer) {
  // Older ones say so as an ERROR, and hang up.
  for (const auto& [kind, wanted] : permanent) {
    const sent it(kind, wanted);
    const auto lost =
        verdict(outcome(phase::sent, refused_with(errc::protocol_error, "08P01"), wait_result::ready), it.all);
    EXPECT_EQ(lost.code(), errc::commit_unknown);
    EXPECT_EQ(lost.applied(), applied::unknown);
    EXPECT_TRUE(lost.poisons_connection());
  }
  const sent it(passing[2].first, passing[2].second);
  const auto lost =
      verdict(outcome(phase::sent, refused_with(errc::protocol_error, "08P01"), wait_result::ready), it.all);
  EXPECT_EQ(lost.applied(), applied::no);
}

TEST(verdict, a_server_that_took_no_statement_applied_nothing) {
  for (const auto* code : {"57P03", "57P05"}) {
    for (const auto& [kind, wanted] : permanent) {
      const sent it(kind, wanted);
      const auto refused = verdict(outcome(phase::sent, fatal(errc::connection_failed, code)), it.all);
      // After COMMIT nothing proves anything but its answer.
      const bool is_commit = kind == batch_kind::commit;
      EXPECT_EQ(refused.code(), is_commit ? errc::commit_unknown : errc::connection_failed);
      EXPECT_EQ(refused.applied(), is_commit ? applied::unknown : applied::no);
      EXPECT_TRUE(refused.poisons_connection());
    }
  }
}

TEST(verdict, a_permanent_batch_whose_connection_died_is_unknown) {
  for (const auto* code : {"57P01", "57P02", "XX000", ""}) {
    for (const auto& [kind, wanted] : permanent) {
      const sent it(kind, wanted);
      const auto lost = verdict(outcome(phase::sent, fatal(errc::connection_failed, code)), it.all);
      EXPECT_EQ(lost.code(), errc::commit_unknown) << code;
      EXPECT_EQ(lost.applied(), applied::unknown);
      EXPECT_EQ(lost.sqlstate(), *code == '\0' ? "08006" : code) << "the server's last word is kept";
      EXPECT_TRUE(lost.poisons_connection());
    }
  }
}

TEST(verdict, a_permanent_batch_without_an_answer_is_unknown) {
  for (const auto how : {wait_result::timed_out, wait_result::cancelled}) {
    for (const auto& [kind, wanted] : permanent) {
      const sent it(kind, wanted);
      const auto overdue = verdict(outcome(phase::sent, {}, how), it.all);
      EXPECT_EQ(overdue.code(), errc::commit_unknown);
      EXPECT_EQ(overdue.applied(), applied::unknown);
      EXPECT_TRUE(overdue.poisons_connection());
      EXPECT_NE(overdue.message().find(how == wait_result::timed_out ? "deadline" : "cancelled"), std::string::npos);
    }
  }
}

TEST(verdict, any_other_batch_without_an_answer_keeps_its_reason_and_is_not_applied) {
  for (const auto& [kind, wanted] : passing) {
    const sent it(kind, wanted);
    const auto overdue = verdict(outcome(phase::sent, {}, wait_result::timed_out), it.all);
    EXPECT_EQ(overdue.code(), errc::deadline_exceeded);
    EXPECT_EQ(overdue.applied(), applied::no);
    EXPECT_TRUE(overdue.poisons_connection());

    const auto stopped = verdict(outcome(phase::sent, {}, wait_result::cancelled), it.all);
    EXPECT_EQ(stopped.code(), errc::cancelled);
    EXPECT_EQ(stopped.applied(), applied::no);

    const auto lost = verdict(outcome(phase::sent, fatal(errc::connection_failed, "57P01")), it.all);
    EXPECT_EQ(lost.code(), errc::connection_failed);
    EXPECT_EQ(lost.sqlstate(), "57P01");
    EXPECT_EQ(lost.applied(), applied::no);
    EXPECT_TRUE(lost.poisons_connection());
  }
}

TEST(verdict, complete_with_an_error_is_not_applied_and_the_connection_is_good) {
  for (const auto& [kind, wanted] : {permanent[0], permanent[1], passing[0], passing[2]}) {
    const sent it(kind, wanted);
    const auto refused = verdict(outcome(phase::complete, refused_with(errc::check_violation, "23514")), it.all);
    EXPECT_EQ(refused.code(), errc::check_violation);
    EXPECT_EQ(refused.applied(), applied::no);
    EXPECT_FALSE(refused.poisons_connection());
  }
}

TEST(verdict, the_servers_own_timeout_at_the_deadline_is_the_deadline) {
  const auto timeout = refused_with(errc::cancelled, "57014");
  for (const auto reached : {phase::complete, phase::sent}) {
    const sent at_its_end(batch_kind::autocommit, statement_class::write, deadline(now + 20ms));
    const auto ended = verdict(outcome(reached, timeout), at_its_end.all);
    EXPECT_EQ(ended.code(), errc::deadline_exceeded);
    EXPECT_EQ(ended.sqlstate(), "57014");
    EXPECT_EQ(ended.applied(), applied::no);
  }
}

TEST(verdict, a_cancellation_well_before_the_deadline_is_somebodys_cancellation) {
  for (const deadline until : {deadline(now + 26ms), far, deadline::never()}) {
    const sent early(batch_kind::autocommit, statement_class::write, until);
    EXPECT_EQ(verdict(outcome(phase::complete, refused_with(errc::cancelled, "57014")), early.all).code(),
              errc::cancelled);
  }
}

TEST(verdict, a_commit_that_its_standbys_may_not_have_is_unknown) {
  for (const auto& [kind, wanted] : permanent) {
    const sent it(kind, wanted);
    const auto doubtful = verdict(answered("COMMIT"), it.all, true);
    EXPECT_EQ(doubtful.code(), errc::commit_unknown);
    EXPECT_EQ(doubtful.applied(), applied::unknown);
    EXPECT_FALSE(doubtful.poisons_connection());
  }
}

TEST(verdict, a_replication_warning_means_nothing_to_what_commits_nothing) {
  for (const auto& [kind, wanted] : passing) {
    const sent it(kind, wanted);
    EXPECT_TRUE(judge(answered("SELECT 1"), it.all, true, now));
  }
}

TEST(verdict, a_commit_answered_with_rollback_is_rolled_back) {
  const sent it(batch_kind::commit, statement_class::write);
  const auto undone = verdict(answered("ROLLBACK"), it.all);
  EXPECT_EQ(undone.code(), errc::rolled_back);
  EXPECT_EQ(undone.applied(), applied::no);
  EXPECT_FALSE(undone.poisons_connection());
}

TEST(verdict, a_rollback_that_was_asked_for_is_a_success) {
  const sent it(batch_kind::in_transaction, statement_class::write);
  EXPECT_TRUE(judge(answered("ROLLBACK"), it.all, false, now));
}

TEST(verdict, otherwise_complete_is_success_with_the_answer) {
  for (const auto& [kind, wanted] : {permanent[0], permanent[1], passing[0], passing[1], passing[2]}) {
    const sent it(kind, wanted);
    const auto judged = judge(answered("UPDATE 3"), it.all, false, now);
    ASSERT_TRUE(judged);
    EXPECT_EQ(judged.value().command_tag(), "UPDATE 3");
  }
}

TEST(verdict, an_answer_that_came_although_the_wait_was_cancelled_counts) {
  const sent it(batch_kind::autocommit, statement_class::write);
  auto late = answered("INSERT 0 1");
  late.ended = wait_result::cancelled;
  EXPECT_TRUE(judge(std::move(late), it.all, false, now));
}

/// BEGIN, three statements of the caller's of which the second writes, and COMMIT.
struct several_sent {
  explicit several_sent(batch_kind kind = batch_kind::whole)
      : commands{command{&own, &none}, command{&first, &none}, command{&second, &none}, command{&third, &none},
                 command{&own, &none}},
        all{.commands = commands, .kind = kind, .until = far, .callers = 3, .behind = 1} {}
  several_sent(const several_sent&) = delete;
  several_sent& operator=(const several_sent&) = delete;

  statement own{.sql = "begin", .name = "own", .operation = "SQL"};
  statement first{.sql = "1", .name = "first", .operation = "SQL", .kind = statement_class::read};
  statement second{.sql = "2", .name = "second", .operation = "SQL", .kind = statement_class::write};
  statement third{.sql = "3", .name = "third", .operation = "SQL", .kind = statement_class::read};
  parameters none;
  std::array<command, 5> commands;
  batch all;
};

TEST(verdict, of_several_statements_the_refused_one_is_named_with_its_place) {
  const several_sent it;
  auto refused = outcome(phase::complete, refused_with(errc::check_violation, "23514"));
  refused.failed = 1;
  const auto judged = judge(std::move(refused), it.all, false, now);
  ASSERT_FALSE(judged);
  EXPECT_EQ(judged.error().statement(), "second");
  EXPECT_EQ(judged.error().applied(), applied::no);
  EXPECT_EQ(judged.error().text(), "the server's text; it is number 2 of a batch of 3, of which nothing was applied");
}

TEST(verdict, what_happens_to_all_of_several_statements_names_none) {
  const several_sent it;
  for (const bool lost : {true, false}) {
    auto sent = lost ? outcome(phase::sent, fatal(errc::connection_failed, "57P01"))
                     : outcome(phase::sent, {}, wait_result::timed_out);
    if (lost) sent.failed = 0;  // the one whose answer was awaited
    const auto judged = judge(std::move(sent), it.all, false, now);
    ASSERT_FALSE(judged);
    EXPECT_EQ(judged.error().code(), errc::commit_unknown) << "one of them writes";
    EXPECT_EQ(judged.error().applied(), applied::unknown);
    EXPECT_EQ(judged.error().statement(), "");
    EXPECT_EQ(judged.error().text().find("number"), std::string::npos);
  }
  const auto at_commit =
      judge(outcome(phase::complete, refused_with(errc::unique_violation, "23505")), it.all, false, now);
  EXPECT_EQ(at_commit.error().code(), errc::unique_violation);
  EXPECT_EQ(at_commit.error().applied(), applied::no);
  EXPECT_EQ(at_commit.error().statement(), "");
}

TEST(verdict, several_statements_inside_a_transaction_are_never_permanent) {
  const several_sent it(batch_kind::in_transaction);
  EXPECT_FALSE(it.all.may_apply());
  const auto overdue = judge(outcome(phase::sent, {}, wait_result::timed_out), it.all, false, now);
  EXPECT_EQ(overdue.error().code(), errc::deadline_exceeded);
  EXPECT_EQ(overdue.error().applied(), applied::no);
}

TEST(verdict, of_a_statement_that_the_library_sends_ahead_names_it_and_does_not_count_it) {
  const statement token{.sql = "sql", .name = "token", .operation = "INSERT"};
  const statement first{.sql = "sql", .name = "first", .operation = "SQL"};
  const statement second{.sql = "sql", .name = "second", .operation = "SQL"};
  const parameters none;
  const std::array commands{command{&token, &none}, command{&first, &none}, command{&second, &none}};
  const auto failed_at = [&](std::size_t place, std::size_t callers) {
    exchange_outcome outcome;
    outcome.reached = phase::complete;
    outcome.failed = place;
    outcome.failure = server_error{.cause = error(errc::unique_violation, "taken").with_sqlstate("23505")};
    const auto answer = judge(std::move(outcome),
                              {.commands = std::span(commands).first(callers),
                               .kind = batch_kind::in_transaction,
                               .until = far,
                               .callers = callers,
                               .own = 1},
                              false, now);
    return answer.error();
  };
  EXPECT_EQ(failed_at(0, 3).statement(), "token");
  EXPECT_EQ(failed_at(0, 3).text(), "taken");
  EXPECT_EQ(failed_at(2, 3).statement(), "second");
  EXPECT_NE(failed_at(2, 3).text().find("number 2 of a batch of 2"), std::string::npos) << failed_at(2, 3).text();
  EXPECT_EQ(failed_at(1, 2).statement(), "first");
  EXPECT_EQ(failed_at(1, 2).text(), "taken") << "one statement is no batch";
}

TEST(verdict, answered_commit_decides_whatever_becomes_of_what_stands_behind_it) {
  for (const auto kind : {batch_kind::whole, batch_kind::commit}) {
    const sent one(kind, statement_class::write);
    std::vector<exchange_outcome> later;
    later.push_back(outcome(phase::complete, refused_with(errc::insufficient_privilege, "42501")));
    later.push_back(outcome(phase::sent, fatal(errc::connection_failed, "57P01")));
    later.push_back(outcome(phase::sent, {}, wait_result::timed_out));
    later.push_back(outcome(phase::sent, {}, wait_result::cancelled));
    for (exchange_outcome& made : later) {
      made.committed = true;
      EXPECT_TRUE(judge(std::move(made), one.all, false, now).has_value());
    }
    auto unreplicated = outcome(phase::sent, {}, wait_result::timed_out);
    unreplicated.committed = true;
    EXPECT_EQ(judge(std::move(unreplicated), one.all, true, now).error().code(), errc::commit_unknown);
  }
}

TEST(verdict, commit_that_was_a_rollback_applied_nothing) {
  const sent one(batch_kind::whole, statement_class::write);
  auto made = outcome(phase::complete);
  made.undone = true;
  const auto verdict = judge(std::move(made), one.all, false, now);
  EXPECT_EQ(verdict.error().code(), errc::rolled_back);
  EXPECT_EQ(verdict.error().applied(), applied::no);
}

}  // namespace
