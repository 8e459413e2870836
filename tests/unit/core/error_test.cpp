#include <breakwater/core/error.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

namespace {

using breakwater::applied;
using breakwater::errc;
using breakwater::error;

std::vector<errc> every_code() {
  std::vector<errc> codes;
  for (int value = static_cast<int>(errc::not_found); value <= static_cast<int>(errc::rolled_back); ++value) {
    codes.push_back(static_cast<errc>(value));
  }
  return codes;
}

TEST(errc, every_code_has_its_own_name_and_a_message) {
  std::set<std::string_view> names;
  for (const errc code : every_code()) {
    EXPECT_NE(to_string(code), "unknown") << static_cast<int>(code);
    EXPECT_TRUE(names.insert(to_string(code)).second) << to_string(code);
    EXPECT_NE(make_error_code(code).message(), "unknown error code") << to_string(code);
  }
  EXPECT_EQ(to_string(errc::not_found), "not_found");
  EXPECT_EQ(to_string(errc::rolled_back), "rolled_back");
}

TEST(errc, value_outside_the_enumeration_is_unknown_and_harmless) {
  EXPECT_EQ(to_string(static_cast<errc>(200)), "unknown");
  EXPECT_EQ(breakwater::error_category().message(-1), "unknown error code");
}

TEST(errc, is_a_standard_error_code) {
  const std::error_code code = errc::stale_version;
  EXPECT_EQ(code, errc::stale_version);
  EXPECT_NE(code, errc::not_found);
  EXPECT_STREQ(code.category().name(), "breakwater");
  EXPECT_TRUE(code) << "no code may count as success";
}

TEST(error, fresh_one_says_that_nothing_took_effect_and_nothing_was_tried) {
  const error e = errc::not_found;
  EXPECT_EQ(e.code(), errc::not_found);
  EXPECT_EQ(e, errc::not_found);
  EXPECT_EQ(e.applied(), applied::no);
  EXPECT_EQ(e.attempts(), 0U);
  EXPECT_FALSE(e.poisons_connection());
  for (const std::string_view text : {e.sqlstate(), e.constraint(), e.table(), e.column(), e.statement(), e.node()}) {
    EXPECT_TRUE(text.empty());
  }
  EXPECT_EQ(e.message(), "not_found: no such row");
}

TEST(error, carries_what_it_is_given) {
  error e(errc::unique_violation);
  e.with_applied(applied::unknown)
      .with_sqlstate("23505")
      .with_constraint("accounts_email_key")
      .with_table("accounts")
      .with_column("email")
      .with_row(7)
      .with_statement("accounts.insert")
      .with_node("db1:5432")
      .with_attempts(2)
      .with_poisoned_connection();
  EXPECT_EQ(e.applied(), applied::unknown);
  EXPECT_EQ(e.sqlstate(), "23505");
  EXPECT_EQ(e.constraint(), "accounts_email_key");
  EXPECT_EQ(e.table(), "accounts");
  EXPECT_EQ(e.column(), "email");
  EXPECT_EQ(e.row(), 7U);
  EXPECT_EQ(e.statement(), "accounts.insert");
  EXPECT_EQ(e.node(), "db1:5432");
  EXPECT_EQ(e.attempts(), 2U);
  EXPECT_TRUE(e.poisons_connection());
}

TEST(error, message_is_one_line_of_what_to_what_and_where) {
  error e(errc::unique_violation, "another account has this address");
  e.with_statement("accounts.insert")
      .with_sqlstate("23505")
      .with_constraint("accounts_email_key")
      .with_node("db1:5432")
      .with_attempts(3)
      .with_applied(applied::unknown);
  EXPECT_EQ(e.message(),
            "accounts.insert: unique_violation: another account has this address [SQLSTATE 23505, "
            "constraint "
            "accounts_email_key, node db1:5432, attempts 3, applied unknown]");
}

TEST(error, message_is_silent_about_a_single_attempt_and_about_a_write_that_did_not_happen) {
  EXPECT_EQ(error(errc::deadlock, "x").with_attempts(1).with_applied(applied::no).message(), "deadlock: x");
}

TEST(error, copies_are_independent) {
  error original(errc::not_found, "first");
  original.with_table("accounts");
  error copy = original;
  copy.with_table("orders").with_text("second");
  EXPECT_EQ(original.table(), "accounts");
  EXPECT_EQ(original.message(), "not_found: first [table accounts]");
  EXPECT_EQ(copy.message(), "not_found: second [table orders]");
}

TEST(error, code_can_change_on_the_way_up_without_losing_the_rest) {
  error e(errc::connection_failed);
  e.with_node("db1:5432").with_code(errc::commit_unknown).with_applied(applied::unknown);
  EXPECT_EQ(e.code(), errc::commit_unknown);
  EXPECT_EQ(e.node(), "db1:5432");
}

TEST(error, attempts_beyond_its_counter_stay_at_the_greatest) {
  EXPECT_EQ(error(errc::deadlock).with_attempts(1'000'000).attempts(), std::numeric_limits<std::uint16_t>::max());
}

TEST(error, empty_sqlstate_takes_it_away_again) {
  error e(errc::internal);
  e.with_sqlstate("XX000").with_sqlstate("");
  EXPECT_EQ(e.sqlstate(), "");
}

TEST(error, is_transient_or_the_callers_mistake_but_never_both) {
  for (const errc code : every_code()) {
    const error e = code;
    EXPECT_FALSE(e.is_transient() && e.is_callers_mistake()) << to_string(code);
  }
  EXPECT_TRUE(error(errc::serialization_failure).is_transient());
  EXPECT_TRUE(error(errc::connection_failed).is_transient());
  EXPECT_TRUE(error(errc::invalid_argument).is_callers_mistake());
}

TEST(error, unknown_commit_is_not_transient) {
  EXPECT_FALSE(error(errc::commit_unknown).is_transient()) << "to run it again could apply it twice";
}

TEST(error, converts_to_a_standard_error_code) {
  EXPECT_EQ(make_error_code(error(errc::circuit_open)), errc::circuit_open);
}

TEST(error, is_cheap_to_carry) {
  static_assert(std::is_nothrow_copy_constructible_v<error>);
  static_assert(std::is_nothrow_move_constructible_v<error>);
  EXPECT_LE(sizeof(error), 32U);
}

TEST(applied, values_have_names) {
  EXPECT_EQ(to_string(applied::no), "no");
  EXPECT_EQ(to_string(applied::yes), "yes");
  EXPECT_EQ(to_string(applied::unknown), "unknown");
}

}  // namespace
