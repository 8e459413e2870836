#include <breakwater/core/uuid.hpp>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

namespace breakwater {
namespace {

constexpr uuid sample{"c0ffee00-1234-4abc-8def-0123456789ab"};

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

TEST(uuid, is_nil_by_default) {
  EXPECT_TRUE(uuid().is_nil());
  EXPECT_EQ(uuid().to_string(), "00000000-0000-0000-0000-000000000000");
}

TEST(uuid, is_a_small_regular_value) {
  static_assert(std::regular<uuid> && std::is_trivially_copyable_v<uuid> && sizeof(uuid) == 16);
  static_assert(sample.version() == 4 && !sample.is_nil() && sample.bytes()[0] == 0xc0);
  SUCCEED();
}

TEST(uuid, writes_lower_case_with_hyphens) {
  EXPECT_EQ(sample.to_string(), "c0ffee00-1234-4abc-8def-0123456789ab");
  char text[uuid::max_text_size];
  EXPECT_EQ(sample.write_to(text), text + sizeof text);
}

TEST(uuid, reads_every_form_that_postgres_reads) {
  for (const std::string text : {"c0ffee00-1234-4abc-8def-0123456789ab", "C0FFEE00-1234-4ABC-8DEF-0123456789AB",
                                 "{c0ffee00-1234-4abc-8def-0123456789ab}", "c0ffee0012344abc8def0123456789ab",
                                 "{c0ffee0012344abc8def0123456789ab}", "c0ff-ee00-1234-4abc-8def-0123-4567-89ab",
                                 "{c0ffee00-12344abc-8def0123-456789ab}"}) {
    const auto parsed = uuid::parse(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed.value(), sample) << text;
  }
}

TEST(uuid, refuses_what_postgres_refuses) {
  for (const std::string_view text :
       {"", "{", "{}", "-", "c0ffee00-1234-4abc-8def-0123456789a", "c0ffee00-1234-4abc-8def-0123456789abc",
        "c0ffee00-1234-4abc-8def-0123456789ab}", "{c0ffee00-1234-4abc-8def-0123456789ab",
        "c0-ffee00-1234-4abc-8def-0123456789ab", "c0ffee00--1234-4abc-8def-0123456789ab",
        "c0ffee00-1234-4abc-8def-0123456789ab-", "-c0ffee00-1234-4abc-8def-0123456789ab",
        " c0ffee00-1234-4abc-8def-0123456789ab", "g0ffee00-1234-4abc-8def-0123456789ab"}) {
    EXPECT_FALSE(uuid::parse(text)) << text;
  }
}

TEST(uuid, error_tells_the_form_and_not_the_value) {
  const auto parsed = uuid::parse("secret-token");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code(), errc::data_error);
  EXPECT_NE(parsed.error().message().find("32 hexadecimal digits"), std::string::npos);
  EXPECT_EQ(parsed.error().message().find("secret"), std::string::npos);
}

TEST(uuid, failed_parse_into_leaves_the_value_alone) {
  uuid value = sample;
  EXPECT_FALSE(uuid::parse_into("ffffffff-", value));
  EXPECT_EQ(value, sample);
}

TEST(uuid, orders_as_postgres_does_byte_by_byte) {
  EXPECT_LT(uuid{"00000000-0000-0000-0000-0000000000ff"}, uuid{"00000000-0000-0000-0000-000000000100"});
  EXPECT_LT(uuid{"7fffffff-ffff-ffff-ffff-ffffffffffff"}, uuid{"80000000-0000-0000-0000-000000000000"});
}

TEST(uuid, survives_a_round_trip_through_text) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    uuid::bytes_type bytes{};
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    const uuid value(bytes);
    EXPECT_EQ(uuid::parse(value.to_string()).value(), value);
    EXPECT_EQ(uuid::parse(upper(value.to_string())).value(), value);
  }
}

TEST(uuid, reads_arbitrary_bytes_safely) {
  std::mt19937_64 random(2);
  const std::string_view likely = "0123456789abcdefABCDEF-{}";
  for (int i = 0; i < 100'000; ++i) {
    std::string text(random() % 42, '\0');
    for (auto& c : text) {
      c = random() % 8 == 0 ? static_cast<char>(random()) : likely[random() % likely.size()];
    }
    uuid value;
    if (uuid::parse_into(text, value)) {
      EXPECT_GE(text.size(), 32U);
    }
  }
}

TEST(uuid, random_is_version_4_and_does_not_repeat) {
  std::unordered_set<uuid> seen;
  for (int i = 0; i < 10'000; ++i) {
    const uuid value = uuid::random();
    EXPECT_EQ(value.version(), 4);
    EXPECT_EQ(value.bytes()[8] >> 6, 2) << "the variant of RFC 9562";
    EXPECT_TRUE(seen.insert(value).second);
  }
}

TEST(uuid, random_uses_every_free_bit) {
  uuid::bytes_type ever_set{};
  uuid::bytes_type ever_clear{};
  for (int i = 0; i < 1'000; ++i) {
    const uuid value = uuid::random();
    for (std::size_t b = 0; b < 16; ++b) {
      ever_set[b] = static_cast<std::uint8_t>(ever_set[b] | value.bytes()[b]);
      ever_clear[b] = static_cast<std::uint8_t>(ever_clear[b] | ~value.bytes()[b]);
    }
  }
  EXPECT_EQ(uuid(ever_set).to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
  EXPECT_EQ(uuid(ever_clear).to_string(), "ffffffff-ffff-bfff-7fff-ffffffffffff");
}

/// Ends the process: with 0 if its value and that of a child forked from it differ.
[[noreturn]] void compare_with_a_forked_child() {
  static_cast<void>(uuid::random());  // the stock is filled, and the fork copies it
  std::array<int, 2> channel{};
  if (::pipe(channel.data()) != 0) ::_exit(2);
  const pid_t child = ::fork();
  if (child < 0) ::_exit(3);
  if (child == 0) {
    const uuid value = uuid::random();
    ::_exit(::write(channel[1], value.bytes().data(), 16) == 16 ? 0 : 1);
  }
  ::close(channel[1]);  // so that the end of the child ends the read
  const uuid ours = uuid::random();
  uuid::bytes_type theirs{};
  if (::read(channel[0], theirs.data(), 16) != 16) ::_exit(4);
  int status = -1;
  if (::waitpid(child, &status, 0) != child || status != 0) ::_exit(5);
  ::_exit(ours == uuid(theirs) ? 1 : 0);
}

TEST(uuid, forked_child_does_not_repeat_its_parents_values) {
  // In a new process of this program that runs nothing else. This one may have threads by now, and then a forked child
  // may do no more than exec; ThreadSanitizer insists.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(compare_with_a_forked_child(), ::testing::ExitedWithCode(0), "");
}

TEST(uuid, time_ordered_follows_the_layout_of_rfc_9562) {
  // The example of the RFC's appendix A.6.
  constexpr std::uint64_t tick = 0x017f22e279b0U << 12 | 0xcc3;
  constexpr auto value = detail::make_time_ordered_uuid(tick, 0x18c4dc0c0c07398f);
  static_assert(value == uuid{"017f22e2-79b0-7cc3-98c4-dc0c0c07398f"});
  SUCCEED();
}

TEST(uuid, time_ordered_begins_with_the_time) {
  using namespace std::chrono;
  const auto before = floor<milliseconds>(system_clock::now()).time_since_epoch().count();
  const uuid value = uuid::time_ordered();
  const auto after = floor<milliseconds>(system_clock::now()).time_since_epoch().count();
  EXPECT_EQ(value.version(), 7);
  std::int64_t stamp = 0;
  for (std::size_t i = 0; i < 6; ++i) stamp = stamp * 256 + value.bytes()[i];
  EXPECT_GE(stamp, before);
  EXPECT_LE(stamp, after + 1) << "it may run ahead of the clock under pressure, by fractions of a millisecond";
}

TEST(uuid, time_ordered_goes_on_when_the_clock_stands_still_or_is_set_back) {
  EXPECT_EQ(detail::next_uuid_tick(100, 500), 500U);
  EXPECT_EQ(detail::next_uuid_tick(500, 500), 501U);
  EXPECT_EQ(detail::next_uuid_tick(500, 100), 501U);
}

TEST(uuid, time_ordered_grows_in_every_thread_and_never_repeats) {
  std::vector<std::vector<uuid>> made(4);
  {
    std::vector<std::jthread> threads;
    threads.reserve(made.size());
    for (auto& mine : made) {
      threads.emplace_back([&mine] {
        for (int i = 0; i < 5'000; ++i) mine.push_back(uuid::time_ordered());
      });
    }
  }
  std::unordered_set<uuid> all;
  for (const auto& mine : made) {
    EXPECT_TRUE(std::ranges::is_sorted(mine));
    all.insert(mine.begin(), mine.end());
  }
  EXPECT_EQ(all.size(), 20'000U);
}

TEST(uuid, equal_values_have_equal_hashes) {
  EXPECT_EQ(std::hash<uuid>{}(sample), std::hash<uuid>{}(uuid(sample.bytes())));
  EXPECT_NE(std::hash<uuid>{}(sample), std::hash<uuid>{}(uuid()));
}

}  // namespace
}  // namespace breakwater
