#pragma once

// Assertions on results, which print the error that was not expected.

#include <breakwater/breakwater.hpp>

#include <gtest/gtest.h>

namespace tests {

template <class R>
[[nodiscard]] ::testing::AssertionResult succeeds(const R& outcome) {
  if (outcome.has_value()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << outcome.error().message();
}

template <class R>
[[nodiscard]] ::testing::AssertionResult fails_with(const R& outcome, bw::errc expected) {
  if (outcome.has_value()) return ::testing::AssertionFailure() << "succeeded";
  if (outcome.error().code() == expected) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << outcome.error().message();
}

}  // namespace tests

#define ASSERT_OK(expression) ASSERT_TRUE(::tests::succeeds(expression))
#define EXPECT_OK(expression) EXPECT_TRUE(::tests::succeeds(expression))
#define EXPECT_ERROR(expression, expected) EXPECT_TRUE(::tests::fails_with(expression, expected))
