#include <breakwater/core/causality_token.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <random>
#include <string>

namespace bw = breakwater;
using token = bw::causality_token;

namespace {

constexpr std::uint64_t some_system = 7'345'678'901'234'567'890U;
const token some = token::at(some_system, 3, 0x16'B374D848U);

::testing::AssertionResult refused(const std::string& text) {
  const auto read = token::parse(text);
  if (read) return ::testing::AssertionFailure() << "accepted";
  if (read.error().code() != bw::errc::invalid_argument) return ::testing::AssertionFailure() << read.error().message();
  if (read.error().message().size() > 300) return ::testing::AssertionFailure() << "a long error";
  if (text.size() > 6 && read.error().message().find(text) != std::string::npos) {
    return ::testing::AssertionFailure() << "the error repeats the text";
  }
  return ::testing::AssertionSuccess();
}

TEST(causality_token, is_read_back_from_its_text) {
  for (const token& each : {token(), some, token::at(0, 1, 0), token::at(~0ULL, ~0U, ~0ULL), token::position_unknown(),
                            token::position_unknown(some_system, 7)}) {
    const auto read = token::parse(each.to_string());
    ASSERT_TRUE(read.has_value()) << each.to_string();
    EXPECT_EQ(read.value(), each);
  }
}

TEST(causality_token, text_is_short_and_fit_for_urls_and_cookies) {
  const std::string text = some.to_string();
  EXPECT_EQ(text.size(), 34U);
  EXPECT_TRUE(std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; }))
      << text;
}

TEST(causality_token, text_of_a_token_stays_what_it_is) {
  // Cookies live longer than a deployment.
  EXPECT_EQ(token::at(0x0102030405060708U, 0x090a0b0cU, 0x0d0e0f1011121314U).to_string(),
            "AQECAwQFBgcICQoLDA0ODxAREhMUhoICYA");
}

TEST(causality_token, empty_one_has_no_text) {
  EXPECT_EQ(token().to_string(), "");
  EXPECT_TRUE(token().empty());
  EXPECT_TRUE(token::parse("").value().empty());
  EXPECT_FALSE(token::position_unknown().empty());
}

TEST(causality_token, every_changed_character_is_noticed) {
  const std::string good = some.to_string();
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char c : std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= .%\n")) {
      if (c == good[i]) continue;
      std::string forged = good;
      forged[i] = c;
      EXPECT_TRUE(refused(forged)) << forged;
    }
  }
}

TEST(causality_token, truncated_and_longer_text_is_refused) {
  const std::string good = some.to_string();
  for (std::size_t n = 1; n < good.size(); ++n) {
    EXPECT_TRUE(refused(good.substr(0, n)));
    EXPECT_TRUE(refused(good.substr(n)));
  }
  EXPECT_TRUE(refused(good + "A"));
  EXPECT_TRUE(refused(good + "="));
  EXPECT_TRUE(refused(" " + good));
  EXPECT_TRUE(refused(std::string(1 << 20, 'A')));
}

TEST(causality_token, random_bytes_are_refused_and_never_crash) {
  std::mt19937_64 random(20261);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same each time
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (int i = 0; i < 100'000; ++i) {
    std::string text(i % 2 == 0 ? 34 : random() % 80 + 1, '\0');
    for (char& c : text) c = i % 4 == 0 ? alphabet[random() % alphabet.size()] : static_cast<char>(random());
    EXPECT_TRUE(refused(text));
  }
}

TEST(causality_token, of_one_history_the_later_position_has_seen_both) {
  const token early = token::at(1, 1, 100);
  const token late = token::at(1, 1, 200);
  EXPECT_EQ(early.joined_with(late), late);
  EXPECT_EQ(late.joined_with(early), late);
  EXPECT_EQ(token().joined_with(late), late);
  EXPECT_EQ(late.joined_with(token()), late);
}

TEST(causality_token, joined_with_an_unknown_position_it_is_unknown) {
  const token known = token::at(1, 2, 100);
  EXPECT_EQ(known.joined_with(token::position_unknown()), token::position_unknown(1, 2));
  EXPECT_EQ(token::position_unknown().joined_with(known), token::position_unknown(1, 2));
  EXPECT_EQ(known.joined_with(token::position_unknown(1, 2)), token::position_unknown(1, 2));
}

TEST(causality_token, of_two_histories_the_newer_one_counts) {
  const token before = token::at(1, 1, 500);
  const token after = token::at(1, 2, 100);
  EXPECT_EQ(before.joined_with(after), after);
  EXPECT_EQ(before.joined_with(token::at(9, 1, 100)), token::at(9, 1, 100));
  EXPECT_FALSE(before.is_on_history_of(after));
  EXPECT_TRUE(before.is_on_history_of(token::position_unknown()));
}

}  // namespace
