#include "postgres/statement_effects.hpp"

#include <gtest/gtest.h>

namespace {

using namespace breakwater::postgres;

TEST(statement_effects, call_and_do_may_commit_by_themselves) {
  EXPECT_TRUE(may_commit_by_itself("call p()"));
  EXPECT_TRUE(may_commit_by_itself("  -- why\n /* a /* nested */ one */ DO $$ begin end $$"));
  EXPECT_FALSE(may_commit_by_itself("insert into t values (1)"));
  EXPECT_FALSE(may_commit_by_itself("callback"));
  EXPECT_FALSE(may_commit_by_itself(""));
  EXPECT_FALSE(may_commit_by_itself("/* never closed"));
}

TEST(statement_effects, a_setting_outlives_its_statement_unless_it_is_local) {
  EXPECT_TRUE(changed_session("set search_path = x", "SET"));
  EXPECT_TRUE(changed_session("SET SESSION role x", "SET"));
  EXPECT_FALSE(changed_session("set local search_path = x", "SET"));
  EXPECT_FALSE(changed_session("set transaction read only", "SET"));
  EXPECT_FALSE(changed_session("set constraints all deferred", "SET"));
  EXPECT_TRUE(changed_session("reset all", "RESET"));
  EXPECT_TRUE(changed_session("listen news", "LISTEN"));
  EXPECT_FALSE(changed_session("select 1", "SELECT 1"));
}

TEST(statement_effects, what_changes_the_session_is_seen_before_it_is_sent) {
  for (const char* sql : {"set search_path = x", "SET SESSION role x", "-- why\n set time zone 'utc'", ";reset all",
                          "listen news", "unlisten *", "discard temp", "load 'x'", "prepare p as select 1",
                          "deallocate all", "set session characteristics as transaction read only"}) {
    EXPECT_TRUE(may_change_session(sql)) << sql;
  }
  for (const char* sql : {"set local search_path = x", "set transaction read only", "set constraints all deferred",
                          "prepare transaction 'x'", "select 1", "settle()", "", "update t set a = 1"}) {
    EXPECT_FALSE(may_change_session(sql)) << sql;
  }
}

TEST(statement_effects, some_statements_can_not_stand_in_a_transaction) {
  for (const char* sql :
       {"vacuum", "VACUUM (analyze) t", "create database x", "drop database x", "create index concurrently i on t (a)",
        "create unique index concurrently i on t (a)", "drop index concurrently i", "reindex table t", "cluster t",
        "alter system set work_mem = '1MB'", "alter database x set tablespace y", "create tablespace x location 'y'",
        "drop subscription x", "commit prepared 'x'", "rollback prepared 'x'"}) {
    EXPECT_TRUE(may_need_to_run_alone(sql)) << sql;
  }
  for (const char* sql : {"create table t ()", "create index i on t (a)", "drop index i", "alter table t add a int",
                          "commit", "rollback", "analyze t", "select 1", ""}) {
    EXPECT_FALSE(may_need_to_run_alone(sql)) << sql;
  }
}

TEST(statement_effects, some_statements_control_the_transaction) {
  for (const char* sql : {"begin", "START TRANSACTION", "commit", "  End", "/**/rollback to s", "abort", "savepoint s",
                          "release s", "prepare transaction 'x'", ";commit", " ; /* */ ; rollback"}) {
    EXPECT_TRUE(controls_transaction(sql)) << sql;
  }
  for (const char* sql :
       {"select 1", "prepare p as select 1", "set transaction read only", "beginning", "", "call p()"}) {
    EXPECT_FALSE(controls_transaction(sql)) << sql;
  }
}

TEST(statement_effects, a_chain_ends_one_transaction_and_begins_another) {
  EXPECT_TRUE(chained_transaction("commit and chain", "COMMIT"));
  EXPECT_TRUE(chained_transaction("rollback and chain", "ROLLBACK"));
  EXPECT_FALSE(chained_transaction("rollback to savepoint a", "ROLLBACK"));
  EXPECT_FALSE(chained_transaction("insert ...", "INSERT 0 1"));
}

TEST(statement_effects, only_what_answers_with_rows_of_its_own_can_be_a_cursor) {
  for (const auto* sql : {"select 1", "SELECT 1", "  with a as (select 1) select * from a", "values (1)", "table t",
                          "(select 1) union (select 2)", "-- why\n/* so */ select 1"}) {
    EXPECT_TRUE(may_be_cursor(sql)) << sql;
  }
  for (const auto* sql : {"insert into t values (1) returning id", "update t set a = 1", "delete from t", "show all",
                          "explain select 1", "fetch all from c", "call p()", "copy t to stdout", "", ";"}) {
    EXPECT_FALSE(may_be_cursor(sql)) << sql;
  }
}

TEST(statement_effects, an_empty_statement_in_front_hides_nothing) {
  EXPECT_TRUE(may_commit_by_itself(";call p()"));
  EXPECT_TRUE(may_commit_by_itself("; -- why\n do $$ begin end $$"));
  EXPECT_TRUE(changed_session(";set search_path = a", "SET"));
}

TEST(statement_effects, what_is_prepared_outlives_a_rollback) {
  EXPECT_TRUE(outlives_rollback("prepare p as select 1"));
  EXPECT_TRUE(outlives_rollback("; DEALLOCATE all"));
  EXPECT_TRUE(outlives_rollback("discard temp"));
  EXPECT_FALSE(outlives_rollback("set a = 1"));
}

TEST(statement_effects, queries_and_changes_of_rows_may_be_wrapped) {
  for (const char* sql : {"insert into t values (1)", "UPDATE t SET a = 1", " /* x */ delete from t", "merge into t",
                          "with x as (select 1) select 1", "select 1", "values (1)", "table t"}) {
    EXPECT_TRUE(may_be_wrapped(sql)) << sql;
  }
  for (const char* sql : {"vacuum t", "create index concurrently on t (a)", "call p()", "do $$$$", "begin", "commit",
                          "copy t from stdin", "reindex table t", "set x = 1", "", "(select 1)",
                          "alter system set x = 1", "create database d", "listen x", "prepare p as select 1"}) {
    EXPECT_FALSE(may_be_wrapped(sql)) << sql;
  }
}

}  // namespace
