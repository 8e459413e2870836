// Every row of the table in outcome_search.hpp.

#include "postgres/outcome_search.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace {

using namespace std::chrono_literals;
using breakwater::applied;
using breakwater::deadline;
using breakwater::errc;
using breakwater::error;
using breakwater::parameters;
using breakwater::statement;
using breakwater::postgres::confirming_level;
using breakwater::postgres::is_missing_outcome_table;
using breakwater::postgres::may_set_synchronous_commit;
using breakwater::postgres::oldest_claim;
using breakwater::postgres::outcome_decisions;
using breakwater::postgres::outcome_mark;
using breakwater::postgres::outcome_step;
using breakwater::postgres::outcome_token_statement;

constexpr deadline::clock::time_point made{1000s};
constexpr deadline::clock::time_point soon{made + 1s};

error token_met(std::string_view sqlstate, errc code, std::string_view table = "outcomes") {
  error failure(code);
  failure.with_sqlstate(sqlstate).with_statement(outcome_token_statement.name).with_table(table);
  return failure;
}

const error known = token_met("23505", errc::unique_violation);
const error in_flight = token_met("55P03", errc::lock_not_available);
const error lost = error(errc::connection_failed).with_poisoned_connection();
const error refused(errc::serialization_failure);

TEST(outcome_decisions_table, begins_with_a_claim) { EXPECT_EQ(outcome_decisions(made).step(), outcome_step::claim); }

TEST(outcome_decisions_table, token_inserted_says_not_applied) {
  outcome_decisions search(made);
  search.claimed(nullptr, soon);
  EXPECT_EQ(search.step(), outcome_step::not_applied);
}

TEST(outcome_decisions_table, token_inserted_when_it_may_have_been_swept_says_nothing) {
  outcome_decisions just_in_time(made);
  just_in_time.claimed(nullptr, made + oldest_claim - 1ns);
  EXPECT_EQ(just_in_time.step(), outcome_step::not_applied);
  outcome_decisions too_late(made);
  too_late.claimed(nullptr, made + oldest_claim);
  EXPECT_EQ(too_late.step(), outcome_step::unresolved);
}

TEST(outcome_decisions_table, token_known_is_to_be_confirmed_however_old) {
  outcome_decisions search(made);
  search.claimed(&known, made + 10 * oldest_claim);
  EXPECT_EQ(search.step(), outcome_step::confirm);
  search.confirmed(true);
  EXPECT_EQ(search.step(), outcome_step::applied);
}

TEST(outcome_decisions_table, token_known_that_is_gone_when_confirmed_is_unresolved) {
  outcome_decisions search(made);
  search.claimed(&known, soon);
  search.confirmed(false);
  EXPECT_EQ(search.step(), outcome_step::unresolved);
}

TEST(outcome_decisions_table, unique_violation_of_another_table_or_statement_is_no_answer) {
  for (const error& other : {token_met("23505", errc::unique_violation, "audit"),
                             token_met("23505", errc::unique_violation).with_statement("accounts.insert")}) {
    outcome_decisions search(made);
    search.claimed(&other, soon);
    EXPECT_EQ(search.step(), outcome_step::claim);
    EXPECT_EQ(search.setbacks(), 1U);
  }
}

TEST(outcome_decisions_table, token_in_flight_ends_the_twin_once_and_costs_no_pause) {
  outcome_decisions search(made);
  search.claimed(&in_flight, soon);
  EXPECT_EQ(search.step(), outcome_step::end_twin);
  EXPECT_EQ(search.setbacks(), 0U);
  search.twin_ended(true);
  EXPECT_EQ(search.step(), outcome_step::claim);
  search.claimed(&in_flight, soon);
  EXPECT_EQ(search.step(), outcome_step::claim);
  EXPECT_EQ(search.setbacks(), 0U);
}

TEST(outcome_decisions_table, twin_that_could_not_be_ended_is_to_be_ended_again) {
  outcome_decisions search(made);
  for (int i = 0; i < 3; ++i) {
    search.claimed(&in_flight, soon);
    EXPECT_EQ(search.step(), outcome_step::end_twin);
    search.twin_ended(false);
    EXPECT_EQ(search.step(), outcome_step::claim);
  }
}

TEST(outcome_decisions_table, claim_whose_connection_was_lost_is_a_twin_itself) {
  outcome_decisions search(made);
  search.claimed(&in_flight, soon);
  search.twin_ended(true);
  search.claimed(&lost, soon);
  EXPECT_EQ(search.step(), outcome_step::claim) << "whether it holds the token the next claim will see";
  EXPECT_EQ(search.setbacks(), 1U);
  search.claimed(&in_flight, soon);
  EXPECT_EQ(search.step(), outcome_step::end_twin);
  search.twin_ended(true);
  search.claimed(&refused, soon);
  search.claimed(&in_flight, soon);
  EXPECT_EQ(search.step(), outcome_step::claim) << "what the server has answered is over";
}

TEST(outcome_decisions_table, confirmation_whose_connection_was_lost_is_ended_before_the_next) {
  outcome_decisions search(made);
  search.claimed(&lost, soon);
  search.claimed(&known, soon);
  search.not_confirmed(refused);
  EXPECT_EQ(search.step(), outcome_step::confirm) << "a claim of before can not hold a token that is committed";
  EXPECT_EQ(search.setbacks(), 1U);
  search.not_confirmed(lost);
  EXPECT_EQ(search.step(), outcome_step::end_twin);
  EXPECT_EQ(search.setbacks(), 0U) << "there is nothing to be waited for";
  search.twin_ended(false);
  EXPECT_EQ(search.step(), outcome_step::confirm);
  EXPECT_EQ(search.setbacks(), 2U);
  search.not_confirmed(refused);
  EXPECT_EQ(search.step(), outcome_step::end_twin) << "it was not ended yet";
  search.twin_ended(true);
  search.not_confirmed(refused);
  EXPECT_EQ(search.step(), outcome_step::confirm);
}

TEST(outcome_decisions_table, trouble_is_waited_out_with_growing_pauses) {
  for (const errc code : {errc::connection_failed, errc::no_primary, errc::read_only, errc::serialization_failure,
                          errc::resource_exhausted, errc::deadline_exceeded, errc::overloaded}) {
    outcome_decisions search(made);
    const error trouble(code);
    search.claimed(&trouble, soon);
    search.claimed(&trouble, soon);
    EXPECT_EQ(search.step(), outcome_step::claim) << to_string(code);
    EXPECT_EQ(search.setbacks(), 2U) << to_string(code);
    search.claimed(&known, soon);
    EXPECT_EQ(search.setbacks(), 0U) << to_string(code);
    search.not_confirmed(trouble);
    EXPECT_EQ(search.step(), outcome_step::confirm) << to_string(code);
    EXPECT_EQ(search.setbacks(), 1U) << to_string(code);
  }
}

TEST(outcome_decisions_table, operators_cancel_is_waited_out_and_a_shutdown_is_not) {
  outcome_decisions search(made);
  const error by_operator = error(errc::cancelled).with_sqlstate("57014");
  search.claimed(&by_operator, soon);
  EXPECT_EQ(search.step(), outcome_step::claim);
  const error by_shutdown(errc::cancelled);
  search.claimed(&by_shutdown, soon);
  EXPECT_EQ(search.step(), outcome_step::unresolved);
}

TEST(outcome_decisions_table, unknown_confirmation_is_made_again) {
  outcome_decisions search(made);
  search.claimed(&known, soon);
  search.not_confirmed(error(errc::commit_unknown).with_applied(applied::unknown));
  EXPECT_EQ(search.step(), outcome_step::confirm);
}

TEST(outcome_decisions_table, what_will_not_pass_ends_it) {
  for (const errc code : {errc::insufficient_privilege, errc::invalid_statement}) {
    const error forbidden(code);
    outcome_decisions claiming(made);
    claiming.claimed(&forbidden, soon);
    EXPECT_EQ(claiming.step(), outcome_step::unresolved);
    outcome_decisions confirming(made);
    confirming.claimed(&known, soon);
    confirming.not_confirmed(forbidden);
    EXPECT_EQ(confirming.step(), outcome_step::unresolved);
  }
}

TEST(outcome_decisions_table, can_be_given_up_at_any_step) {
  outcome_decisions search(made);
  search.give_up();
  EXPECT_EQ(search.step(), outcome_step::unresolved);
}

TEST(outcome_levels, are_at_least_the_transactions_own) {
  const auto level = [](const char* of) {
    return confirming_level(outcome_mark{.token = {}, .synchronous_commit = of});
  };
  EXPECT_EQ(level("off"), "local");
  EXPECT_EQ(level("local"), "local");
  EXPECT_EQ(level("remote_write"), "remote_write");
  EXPECT_EQ(level("on"), "on");
  EXPECT_EQ(level("remote_apply"), "remote_apply");
  EXPECT_EQ(level(""), "remote_apply") << "not known: the strongest";
}

TEST(outcome_levels, are_not_known_once_raw_sql_has_named_the_setting) {
  const auto names_it = [](std::string_view sql, const char* value, bool mapped = false) {
    parameters values;
    values.add_text(value);
    return may_set_synchronous_commit(statement{.sql = sql, .name = "sql", .operation = "SQL", .mapped = mapped},
                                      values);
  };
  EXPECT_TRUE(names_it("set local Synchronous_Commit to off", "x"));
  EXPECT_TRUE(names_it("select set_config($1, 'off', true)", "synchronous_commit"));
  EXPECT_FALSE(names_it("update accounts set owner = $1", "ada"));
  EXPECT_FALSE(names_it("insert into notes values ($1)", "synchronous_commit", true)) << "a mapping can not";
}

TEST(outcome_tables, are_missing_only_where_the_tokens_own_statement_says_so) {
  EXPECT_TRUE(is_missing_outcome_table(token_met("42P01", errc::invalid_statement)));
  EXPECT_TRUE(is_missing_outcome_table(token_met("3F000", errc::invalid_statement)));
  EXPECT_FALSE(is_missing_outcome_table(token_met("42P01", errc::invalid_statement).with_statement("sql")));
  EXPECT_FALSE(is_missing_outcome_table(token_met("42501", errc::insufficient_privilege)));
}

}  // namespace
