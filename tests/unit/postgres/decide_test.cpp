#include "postgres/decide.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string_view>
#include <vector>

// What the library does about a failed attempt: see also remedy_test.cpp for which SQLSTATE has which remedy.

namespace {

using namespace std::chrono_literals;

using breakwater::applied;
using breakwater::errc;
using breakwater::error;
using breakwater::statement_class;
using breakwater::postgres::decide;
using breakwater::postgres::decision;
using breakwater::postgres::is_infrastructure_failure;
using breakwater::postgres::next_attempt;
using breakwater::postgres::sqlstate;

error said(std::string_view code) { return error(sqlstate(code).meaning).with_sqlstate(code); }
error lost_write() {
  return error(errc::commit_unknown).with_applied(applied::unknown).with_sqlstate("57P01").with_poisoned_connection();
}

/// A write on the primary, first attempt.
decision after(const error& cause) { return decide({.cause = cause}); }
decision after_second(const error& cause) { return decide({.cause = cause, .attempt = 2}); }
decision on_replica(const error& cause, unsigned attempt = 1) {
  return decide({.cause = cause, .kind = statement_class::read, .on_replica = true, .attempt = attempt});
}

void expect_never(const error& cause) {
  for (const auto kind : {statement_class::read, statement_class::locking_read, statement_class::write}) {
    for (const bool replica : {false, true}) {
      EXPECT_EQ(decide({.cause = cause, .kind = kind, .idempotent = true, .mapped = true, .on_replica = replica}).next,
                next_attempt::none)
          << cause.message();
    }
  }
}

// ---- what may have been applied -------------------------------------------------------------------------------------

TEST(decide, what_may_have_been_applied_is_not_run_again) {
  EXPECT_EQ(after(lost_write()).next, next_attempt::none);
  for (const auto* code : {"40001", "57P03", "57P05", "55P03", "53000", "25006", "08006"}) {
    const error cause = said(code).with_applied(applied::unknown);
    EXPECT_EQ(decide({.cause = cause, .demoted = true}).next, next_attempt::none) << code;
  }
}

TEST(decide, what_may_have_been_applied_is_run_again_where_its_caller_says_that_it_does_no_harm) {
  EXPECT_EQ(decide({.cause = lost_write(), .idempotent = true}).next, next_attempt::same);
  EXPECT_EQ(decide({.cause = lost_write(), .idempotent = true, .attempt = 2}).next, next_attempt::other_primary);
  const error server_does_not_know = said("40003").with_applied(applied::unknown);
  EXPECT_EQ(decide({.cause = server_does_not_know, .idempotent = true}).next, next_attempt::same);
  EXPECT_EQ(decide({.cause = server_does_not_know}).next, next_attempt::none);
}

TEST(decide, what_was_applied_is_never_run_again) {
  for (const auto* code : {"40001", "57P01", "57P03"}) {
    const error cause = said(code).with_applied(applied::yes);
    EXPECT_EQ(decide({.cause = cause, .idempotent = true}).next, next_attempt::none) << code;
  }
}

// ---- by SQLSTATE ----------------------------------------------------------------------------------------------------

TEST(decide, a_conflict_is_run_again_and_on_a_replica_elsewhere) {
  for (const auto* code : {"40001", "40P01", "40000", "72000"}) {
    EXPECT_EQ(after(said(code)).next, next_attempt::same) << code;
    EXPECT_TRUE(after(said(code)).paused) << code;
    EXPECT_TRUE(after(said(code)).free) << code << ": the server is well, there is nothing to spare it";
    EXPECT_EQ(after_second(said(code)).next, next_attempt::same) << code;
    EXPECT_EQ(on_replica(said(code)).next, next_attempt::elsewhere) << code;
  }
}

TEST(decide, a_lock_that_was_not_to_be_had_is_tried_for_once_more) {
  for (const auto* code : {"55P03", "55006"}) {
    EXPECT_EQ(after(said(code)).next, next_attempt::same) << code;
    EXPECT_EQ(after_second(said(code)).next, next_attempt::none) << code;
  }
}

TEST(decide, what_its_caller_or_an_operator_cancelled_is_not_run_again) {
  expect_never(said("57014"));
  const error own_time_limit = said("57014").with_code(errc::deadline_exceeded);
  EXPECT_EQ(after(own_time_limit).next, next_attempt::same);
  EXPECT_EQ(after_second(own_time_limit).next, next_attempt::none);
}

TEST(decide, a_session_that_ended_before_anything_ran_is_replaced_without_a_pause) {
  EXPECT_EQ(after(said("57P05")).next, next_attempt::same);
  EXPECT_FALSE(after(said("57P05")).paused);
}

TEST(decide, a_lost_connection_is_replaced_where_nothing_was_applied) {
  for (const auto* code : {"57P01", "57P02", "08000", "08003", "08006"}) {
    EXPECT_EQ(after(said(code)).next, next_attempt::same) << code;
    EXPECT_EQ(on_replica(said(code)).next, next_attempt::elsewhere) << code;
  }
  EXPECT_EQ(after(errc::connection_failed).next, next_attempt::same);
  EXPECT_EQ(after_second(errc::connection_failed).next, next_attempt::other_primary);
  EXPECT_EQ(on_replica(errc::connection_failed).next, next_attempt::elsewhere);
}

TEST(decide, a_server_that_takes_no_sessions_is_asked_again_and_then_the_primary_is_looked_for) {
  for (const auto* code : {"57P03", "08001", "08004", "53300"}) {
    EXPECT_EQ(after(said(code)).next, next_attempt::same) << code;
    EXPECT_TRUE(after(said(code)).paused) << code;
    EXPECT_FALSE(after(said(code)).free) << code;
    EXPECT_EQ(after_second(said(code)).next, next_attempt::other_primary) << code;
    EXPECT_EQ(on_replica(said(code), 2).next, next_attempt::elsewhere) << code;
  }
}

TEST(decide, a_write_refused_by_a_server_that_became_a_replica_goes_to_the_new_primary) {
  const error refused = said("25006");
  EXPECT_EQ(decide({.cause = refused, .demoted = true}).next, next_attempt::other_primary);
  EXPECT_EQ(after(refused).next, next_attempt::none) << "a read-only transaction is its caller's wish";
}

TEST(decide, a_wrong_state_of_the_server_leads_to_the_new_primary_for_statements_of_ours_only) {
  const error refused = said("55000");
  EXPECT_EQ(decide({.cause = refused, .mapped = true, .demoted = true}).next, next_attempt::other_primary);
  EXPECT_EQ(decide({.cause = refused, .demoted = true}).next, next_attempt::none);
  EXPECT_EQ(decide({.cause = refused, .mapped = true}).next, next_attempt::none);
}

TEST(decide, a_server_short_of_something_gets_one_more_try) {
  for (const auto* code : {"53000", "53200", "58000", "58030"}) {
    EXPECT_EQ(after(said(code)).next, next_attempt::same) << code;
    EXPECT_EQ(after_second(said(code)).next, next_attempt::none) << code;
  }
}

TEST(decide, a_name_that_a_replica_does_not_know_yet_is_asked_of_the_primary_once) {
  for (const auto* code : {"42P01", "42703", "42883"}) {
    EXPECT_EQ(on_replica(said(code)).next, next_attempt::primary) << code;
    EXPECT_EQ(on_replica(said(code), 2).next, next_attempt::none) << code;
    EXPECT_EQ(after(said(code)).next, next_attempt::none) << code;
    const error mapped = said(code).with_code(errc::mapping_mismatch);
    EXPECT_EQ(on_replica(mapped).next, next_attempt::primary) << code;
  }
}

TEST(decide, a_plan_that_is_outdated_inside_a_transaction_begins_that_again) {
  const error outdated = said("0A000").with_code(errc::serialization_failure);
  EXPECT_EQ(decide({.cause = outdated, .in_transaction = true}).next, next_attempt::same);
  EXPECT_EQ(after(said("0A000")).next, next_attempt::none);
  EXPECT_EQ(on_replica(said("0A000")).next, next_attempt::primary) << "serializable on a standby";
}

TEST(decide, what_its_caller_or_a_human_has_to_mend_is_never_run_again) {
  for (const auto* code : {"23505", "23P01", "23503", "42601", "22P02", "42501", "53100", "53400", "57P04", "3D000",
                           "XX000", "XX001", "XX002", "25P03", "25P04", "25P02", "P0001"}) {
    if (sqlstate(code).meaning == errc::authentication_failed) continue;
    expect_never(said(code));
  }
  EXPECT_EQ(after(said("28P01")).next, next_attempt::none);
  EXPECT_EQ(after(said("28000")).next, next_attempt::none);
  EXPECT_EQ(after(said("3D000")).next, next_attempt::none);
}

TEST(decide, a_replica_that_refuses_the_credentials_leaves_the_others) {
  EXPECT_EQ(on_replica(said("28P01")).next, next_attempt::elsewhere);
}

TEST(decide, a_protocol_violation_is_a_defect_unless_a_proxy_reports_its_lost_server_with_it) {
  EXPECT_EQ(after(said("08P01").with_poisoned_connection()).next, next_attempt::none);
  EXPECT_EQ(after(said("08P01").with_code(errc::connection_failed)).next, next_attempt::same);
}

// ---- by the library's own codes -------------------------------------------------------------------------------------

TEST(decide, a_missing_primary_is_looked_for_again) {
  EXPECT_EQ(after(errc::no_primary).next, next_attempt::other_primary);
}

TEST(decide, a_replica_with_too_long_a_queue_leaves_the_others) {
  EXPECT_EQ(on_replica(errc::overloaded).next, next_attempt::elsewhere);
  EXPECT_EQ(after(errc::overloaded).next, next_attempt::none);
}

TEST(decide, refusals_and_mistakes_of_the_library_s_own_are_final) {
  for (const auto code : {errc::deadline_exceeded, errc::cancelled, errc::circuit_open, errc::unsafe_operation,
                          errc::invalid_argument, errc::not_found, errc::stale_version, errc::validation_failed,
                          errc::rolled_back, errc::internal, errc::data_error}) {
    expect_never(code);
  }
}

// ---- what counts against a breaker ----------------------------------------------------------------------------------

bool counts(const error& cause, std::chrono::nanoseconds waited = 0ms) {
  return is_infrastructure_failure(cause, waited, 1s);
}

TEST(infrastructure_failure, is_a_server_that_is_gone_or_short_of_something) {
  for (const auto* code : {"57P01", "57P02", "57P03", "08006", "08001", "53300", "53000", "53200", "58030"}) {
    EXPECT_TRUE(counts(said(code))) << code;
  }
  EXPECT_TRUE(counts(errc::connection_failed));
  EXPECT_TRUE(counts(lost_write()));
  EXPECT_TRUE(counts(said("08P01").with_code(errc::connection_failed)));
}

TEST(infrastructure_failure, is_never_a_mistake_a_conflict_or_a_refusal) {
  for (const auto* code : {"42P01", "42601", "23505", "23503", "22P02", "42501", "40001", "40P01", "55P03", "57014",
                           "25006", "25P02", "25P03", "28P01", "3D000", "53100", "0A000", "26000", "XX000", "08P01"}) {
    EXPECT_FALSE(counts(said(code), 1h)) << code;
  }
  for (const auto code : {errc::not_found, errc::cancelled, errc::overloaded, errc::circuit_open, errc::no_primary,
                          errc::rolled_back, errc::internal}) {
    EXPECT_FALSE(counts(code, 1h)) << to_string(code);
  }
}

TEST(infrastructure_failure, is_a_server_that_says_nothing_for_long_enough) {
  const error silent = error(errc::deadline_exceeded).with_poisoned_connection();
  EXPECT_TRUE(counts(silent, 1s));
  EXPECT_FALSE(counts(silent, 999ms)) << "that says more about the caller's patience";
  EXPECT_FALSE(counts(errc::deadline_exceeded, 1h)) << "it waited for a connection";
  const error silent_write = error(errc::commit_unknown).with_applied(applied::unknown).with_poisoned_connection();
  EXPECT_TRUE(counts(silent_write, 1s));
  EXPECT_FALSE(counts(silent_write, 10ms));
  EXPECT_TRUE(counts(said("08006").with_code(errc::commit_unknown).with_applied(applied::unknown), 10ms))
      << "a connection that was lost is no matter of patience";
  EXPECT_FALSE(counts(error(errc::commit_unknown).with_applied(applied::unknown), 1h)) << "not replicated";
}

}  // namespace
