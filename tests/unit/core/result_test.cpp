#include <breakwater/core/result.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace {

using breakwater::errc;
using breakwater::error;
using breakwater::result;

result<int> half(int number) {
  if (number % 2 != 0) return errc::invalid_argument;
  return number / 2;
}

result<std::string> quarter(int number) {
  BOOST_OUTCOME_TRY(const int first, half(number));
  BOOST_OUTCOME_TRY(const int second, half(first));
  return std::to_string(second);
}

result<void> check(bool right) {
  if (!right) return error(errc::validation_failed, "it is not right");
  return breakwater::success();
}

TEST(result, holds_a_value_or_an_error) {
  const result<int> value = half(4);
  ASSERT_TRUE(value);
  EXPECT_EQ(value.value(), 2);
  const result<int> failed = half(3);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error(), errc::invalid_argument);
}

TEST(result, error_leaves_the_function_by_try_with_all_it_carries) {
  EXPECT_EQ(quarter(8).value(), "2");
  EXPECT_EQ(quarter(6).error(), errc::invalid_argument);
  const auto passed_on = []() -> result<int> {
    BOOST_OUTCOME_TRY(check(false));
    return 1;
  }();
  EXPECT_EQ(passed_on.error().message(), "validation_failed: it is not right");
}

TEST(result, of_void_is_success_or_an_error) {
  EXPECT_TRUE(check(true));
  EXPECT_FALSE(check(false));
}

TEST(result, default_constructed_is_an_internal_error) {
  EXPECT_EQ(result<int>().error(), errc::internal);
  EXPECT_EQ(result<void>().error(), errc::internal);
  const std::vector<result<std::string>> several(3);
  EXPECT_FALSE(several[2]);
}

TEST(result, value_of_an_error_throws_bad_result_with_that_error) {
  try {
    (void)quarter(3).value();
    FAIL() << "nothing was thrown";
  } catch (const breakwater::bad_result& thrown) {
    EXPECT_EQ(thrown.error(), errc::invalid_argument);
    EXPECT_EQ(thrown.what(), thrown.error().message());
  }
  EXPECT_THROW(check(false).value(), std::exception);
}

TEST(result, error_of_a_value_throws_bad_result) { EXPECT_THROW((void)half(4).error(), breakwater::bad_result); }

TEST(result, carries_types_that_can_only_be_moved) {
  const auto make = []() -> result<std::unique_ptr<int>> { return std::make_unique<int>(7); };
  const auto pass_on = [&]() -> result<std::unique_ptr<int>> {
    BOOST_OUTCOME_TRY(auto owned, make());
    return owned;
  };
  EXPECT_EQ(*pass_on().value(), 7);
}

TEST(result, failure_says_what_an_implicit_conversion_can_not) {
  const auto refuse = []() -> result<errc> { return breakwater::failure(error(errc::overloaded)); };
  EXPECT_EQ(refuse().error(), errc::overloaded);
}

}  // namespace
