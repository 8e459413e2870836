#include <breakwater/core/inet.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using bw::inet;

std::optional<inet> read(std::string_view text) {
  inet value;
  if (!inet::parse_into(text, value)) return std::nullopt;
  return value;
}

TEST(inet, literal_is_read_by_the_compiler) {
  static_assert(inet{"192.0.2.0/24"}.contains(inet{"192.0.2.77"}));
  static_assert(inet{"2001:db8::1"}.is_v6());
  static_assert(inet() == inet{"0.0.0.0"});
}

TEST(inet, text_is_what_postgres_writes) {
  for (const std::string_view text : {"0.0.0.0",
                                      "255.255.255.255",
                                      "192.0.2.0/24",
                                      "10.1.2.3/8",
                                      "0.0.0.0/0",
                                      "::",
                                      "::1",
                                      "::/0",
                                      "2001:db8::1",
                                      "2001:db8::/32",
                                      "2001:0:0:1::1",
                                      "2001:db8:0:1:1:1:1:1",
                                      "::ffff:192.0.2.1",
                                      "::192.0.2.1",
                                      "1::",
                                      "1:2:3:4:5:6:7::",
                                      "::2:3:4:5:6:7:8",
                                      "fe80::1/64",
                                      "1:2:3:4:5:6:7:8",
                                      "::ffff:0:0:0",
                                      "a::b:0:0:c"}) {
    const auto value = read(text);
    ASSERT_TRUE(value) << text;
    if (text == "::ffff:0:0:0" || text.starts_with("1:2:3:4:5:6:7::") || text.starts_with("::2:3")) {
      EXPECT_EQ(read(value->to_string()), value) << value->to_string();  // one zero group is not worth a "::"
    } else {
      EXPECT_EQ(value->to_string(), text);
    }
  }
  EXPECT_EQ(inet{"2001:0db8:0000:0000:0000:0000:0000:0001"}.to_string(), "2001:db8::1");
  EXPECT_EQ(inet{"1:0:0:2:0:0:0:3"}.to_string(), "1:0:0:2::3") << "the longest run of zeros";
  EXPECT_EQ(inet{"1:0:0:2:3:0:0:4"}.to_string(), "1::2:3:0:0:4") << "the first of equal ones";
  EXPECT_EQ(inet{"ABCD::EF"}.to_string(), "abcd::ef");
}

TEST(inet, parse_refuses_what_is_no_address) {
  for (const std::string_view text : {"",
                                      "1",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "256.0.0.1",
                                      "01.2.3.4",
                                      "1.2.3.04",
                                      "1.2.3.4/33",
                                      "1.2.3.4/",
                                      "1.2.3.4/-1",
                                      "1.2.3.4 ",
                                      " 1.2.3.4",
                                      "10/8",
                                      "1..2.3",
                                      "a.b.c.d",
                                      ":",
                                      ":::",
                                      ":1",
                                      "1:",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:8:9",
                                      "1::2::3",
                                      "12345::",
                                      "::g",
                                      "::1/129",
                                      "::1/",
                                      "::1.2.3",
                                      "::1.2.3.4.5",
                                      "1:2:3:4:5:6:7:1.2.3.4",
                                      "1.2.3.4::",
                                      "::1%eth0",
                                      "1:2:3:4:5:6:7:8::",
                                      "/24",
                                      "::/"}) {
    EXPECT_FALSE(read(text)) << text;
    EXPECT_EQ(inet::parse(text).error().code(), bw::errc::data_error) << text;
  }
}

TEST(inet, has_its_bytes_in_network_order) {
  EXPECT_EQ(inet{"192.0.2.1"}.to_v4(), (inet::v4_bytes{192, 0, 2, 1}));
  EXPECT_EQ(inet(inet::v4_bytes{192, 0, 2, 1}), inet{"192.0.2.1"});
  inet::v6_bytes loopback{};
  loopback[15] = 1;
  EXPECT_EQ(inet{"::1"}.to_v6(), loopback);
  EXPECT_EQ(inet(loopback), inet{"::1"});
  EXPECT_EQ(inet(loopback).prefix(), 128U);
  EXPECT_EQ(inet{"::ffff:192.0.2.1"}.to_v6()[12], 192);
}

TEST(inet, a_network_contains_what_shares_its_prefix) {
  const inet net{"192.0.2.128/25"};
  EXPECT_TRUE(net.contains(inet{"192.0.2.200"}));
  EXPECT_FALSE(net.contains(inet{"192.0.2.127"}));
  EXPECT_TRUE(net.contains(net));
  EXPECT_TRUE(net.contains(inet{"192.0.2.192/26"}));
  EXPECT_FALSE(net.contains(inet{"192.0.2.0/24"})) << "a wider one";
  EXPECT_TRUE(inet{"0.0.0.0/0"}.contains(net));
  EXPECT_FALSE(inet{"::/0"}.contains(net)) << "of the other version";
  EXPECT_TRUE(inet{"2001:db8::/33"}.contains(inet{"2001:db8:7fff::1"}));
  EXPECT_FALSE(inet{"2001:db8::/33"}.contains(inet{"2001:db8:8000::1"}));
}

TEST(inet, gives_its_network_and_takes_another_prefix) {
  EXPECT_EQ(inet{"10.255.255.255/12"}.network(), inet{"10.240.0.0/12"});
  EXPECT_EQ(inet{"2001:db8::ffff/127"}.network(), inet{"2001:db8::fffe/127"});
  EXPECT_EQ(inet{"10.1.2.3/0"}.network(), inet{"0.0.0.0/0"});
  EXPECT_EQ(inet{"10.1.2.3"}.network(), inet{"10.1.2.3"});
  EXPECT_EQ(inet{"10.1.2.3"}.with_prefix(8).value(), inet{"10.1.2.3/8"});
  EXPECT_EQ(inet{"10.1.2.3"}.with_prefix(33).error(), bw::errc::data_error);
  EXPECT_TRUE(inet{"10.1.2.3"}.is_host());
  EXPECT_FALSE(inet{"::1"}.with_prefix(32).value().is_host());
}

TEST(inet, orders_as_postgres_does) {
  const std::vector<inet> ordered{inet{"0.0.0.0/0"},   inet{"10.0.0.0/8"}, inet{"10.1.2.3/8"},
                                  inet{"10.0.0.0/16"}, inet{"10.0.0.1"},   inet{"10.0.0.2"},
                                  inet{"11.0.0.0/8"},  inet{"::/0"},       inet{"2001:db8::1"}};
  EXPECT_TRUE(std::ranges::is_sorted(ordered));
  EXPECT_NE(inet{"10.0.0.0/8"}, inet{"10.0.0.0/9"});
}

TEST(inet, hash_tells_prefixes_and_versions_apart) {
  const std::hash<inet> hash;
  EXPECT_EQ(hash(inet{"::1"}), hash(inet{"0::0:1"}));
  EXPECT_NE(hash(inet{"10.0.0.0/8"}), hash(inet{"10.0.0.0/9"}));
  EXPECT_NE(hash(inet{"0.0.0.0"}), hash(inet{"::/32"}));
}

}  // namespace
