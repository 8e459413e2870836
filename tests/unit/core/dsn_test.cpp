#include <breakwater/core/dsn.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::string_view_literals;

bw::dsn parsed(std::string_view text) {
  auto result = bw::dsn::parse(text);
  EXPECT_TRUE(result) << text << ": " << (result ? "" : result.error().message());
  return result ? std::move(result).value() : bw::dsn::parse("postgresql://").value();
}

/// The error's text; fails when there is none, or when it is not the caller's mistake.
std::string refusal(std::string_view text) {
  const auto result = bw::dsn::parse(text);
  EXPECT_FALSE(result) << "was accepted: " << text;
  if (result) return {};
  EXPECT_EQ(result.error(), bw::errc::invalid_argument);
  EXPECT_TRUE(result.error().is_callers_mistake());
  return result.error().message();
}

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// What is read

TEST(dsn, uri_is_read_into_its_parts) {
  const bw::dsn dsn = parsed("postgresql://app:secret@db1:5433/shop?sslmode=require&connect_timeout=3");
  EXPECT_EQ(dsn.hosts(), std::vector{"db1"sv});
  EXPECT_EQ(dsn.ports(), std::vector<std::uint16_t>{5433});
  EXPECT_EQ(dsn.user(), "app");
  EXPECT_EQ(dsn.dbname(), "shop");
  EXPECT_TRUE(dsn.has_password());
  EXPECT_EQ(dsn.get("password"), "secret");
  EXPECT_EQ(dsn.get("sslmode"), "require");
  EXPECT_EQ(dsn.get("connect_timeout"), "3");
  EXPECT_EQ(dsn.get("application_name"), std::nullopt);
  EXPECT_EQ(dsn.get("no_such_keyword"), std::nullopt);
}

TEST(dsn, keyword_value_list_and_uri_that_say_the_same_are_equal) {
  EXPECT_EQ(parsed("postgresql://app:secret@db1:5433/shop"),
            parsed("  dbname = shop host=db1 port=5433 password=secret user=app "));
  EXPECT_EQ(parsed("postgres://db1"), parsed("postgresql://db1"));
}

TEST(dsn, quoted_values_keep_spaces_quotes_and_backslashes) {
  const bw::dsn dsn = parsed(R"(host=db1 password='it\'s a \\ secret' application_name = 'two words' dbname='')");
  EXPECT_EQ(dsn.get("password"), R"(it's a \ secret)");
  EXPECT_EQ(dsn.get("application_name"), "two words");
  EXPECT_EQ(dsn.dbname(), "");
}

TEST(dsn, percent_escapes_are_decoded_in_every_part_of_a_uri) {
  const bw::dsn dsn = parsed("postgresql://us%40er:p%2Fa%3Fs%23s%25%20@db1/my%20shop?application_name=a%26b%3Dc");
  EXPECT_EQ(dsn.user(), "us@er");
  EXPECT_EQ(dsn.get("password"), "p/a?s#s% ");
  EXPECT_EQ(dsn.dbname(), "my shop");
  EXPECT_EQ(dsn.get("application_name"), "a&b=c");
}

TEST(dsn, ipv6_addresses_lose_their_brackets_in_hosts_and_keep_them_in_the_node_name) {
  const bw::dsn dsn = parsed("postgresql://[2001:db8::1]:5433/shop");
  EXPECT_EQ(dsn.hosts(), std::vector{"2001:db8::1"sv});
  EXPECT_EQ(dsn.node_name(), "[2001:db8::1]:5433");
  EXPECT_EQ(parsed("host=::1").node_name(), "[::1]:5432");
}

TEST(dsn, socket_folder_is_a_host) {
  const bw::dsn dsn = parsed("postgresql://%2Fvar%2Frun%2Fpostgresql/shop");
  EXPECT_EQ(dsn.hosts(), std::vector{"/var/run/postgresql"sv});
  EXPECT_EQ(dsn.node_name(), "/var/run/postgresql:5432");
  EXPECT_EQ(parsed("host='/tmp/a folder' port=5433").node_name(), "/tmp/a folder:5433");
  EXPECT_EQ(parsed("host=@abstract").node_name(), "@abstract:5432");
}

TEST(dsn, several_hosts_have_their_own_ports_or_share_one) {
  const bw::dsn own = parsed("postgresql://db1:5433,db2,[::1]:5434/shop");
  EXPECT_EQ(own.hosts(), (std::vector{"db1"sv, "db2"sv, "::1"sv}));
  EXPECT_EQ(own.ports(), (std::vector<std::uint16_t>{5433, 5432, 5434}));
  EXPECT_EQ(own.node_name(), "db1:5433,db2:5432,[::1]:5434");
  EXPECT_EQ(parsed("host=db1,db2 port=6000").ports(), (std::vector<std::uint16_t>{6000, 6000}));
}

TEST(dsn, address_stands_for_a_host_that_is_not_named) {
  EXPECT_EQ(parsed("hostaddr=10.0.0.1").node_name(), "10.0.0.1:5432");
  EXPECT_EQ(parsed("host=db1 hostaddr=10.0.0.1").node_name(), "db1:5432");
  EXPECT_EQ(parsed("host=db1,,db3 hostaddr=10.0.0.1,10.0.0.2,").node_name(), "db1:5432,10.0.0.2:5432,db3:5432");
}

TEST(dsn, defaults_are_left_to_libpq_and_shown_as_such) {
  const bw::dsn dsn = parsed("postgresql://");
  EXPECT_EQ(dsn.hosts(), std::vector{""sv});
  EXPECT_EQ(dsn.ports(), std::vector<std::uint16_t>{5432});
  EXPECT_EQ(dsn.node_name(), "[default]:5432");
  EXPECT_EQ(dsn.masked(), "");
  EXPECT_FALSE(dsn.has_password());
}

TEST(dsn, environment_is_not_read) {
  ::setenv("PGHOST", "elsewhere", 1);
  ::setenv("PGPASSWORD", "elsewhere", 1);
  const bw::dsn dsn = parsed("dbname=shop");
  ::unsetenv("PGHOST");
  ::unsetenv("PGPASSWORD");
  EXPECT_EQ(dsn.node_name(), "[default]:5432");
  EXPECT_FALSE(dsn.has_password());
}

TEST(dsn, empty_password_or_application_name_changes_nothing_else) {
  const bw::dsn plain = parsed("postgresql://app@db1:5433/shop?sslmode=require");
  EXPECT_EQ(parsed("postgresql://app:@db1:5433/shop?sslmode=require"), plain);
  EXPECT_EQ(parsed("postgresql://app@db1:5433/shop?sslmode=require&application_name="), plain);
  EXPECT_EQ(parsed("password='' application_name='' host=db1 port=5433 user=app dbname=shop "
                   "sslmode=require"),
            plain);
  EXPECT_FALSE(parsed("postgresql://app:@db1/shop").has_password());
}

TEST(dsn, blanks_behind_an_equals_sign_belong_to_no_value) {
  // libpq's rule, and a trap: only quotes make a value in the middle empty.
  EXPECT_EQ(parsed("application_name= host=db1").get("application_name"), "host=db1");
  EXPECT_EQ(parsed("host=db1 application_name="), parsed("host=db1"));
}

// What is refused

TEST(dsn, empty_connection_string_is_told_what_one_looks_like) {
  for (const std::string_view text : {""sv, "   "sv, "\n\t"sv}) {
    const std::string message = refusal(text);
    EXPECT_TRUE(holds(message, "empty")) << message;
    EXPECT_TRUE(holds(message, "postgresql://user@host:5432/database")) << message;
  }
}

TEST(dsn, refusals_name_the_keyword_or_place_and_what_is_allowed) {
  const std::vector<std::pair<std::string_view, std::vector<std::string_view>>> cases{
      {"host=db1 port=abc", {"`port`", "1..65535"}},
      {"host=db1 port=0", {"`port`", "1..65535"}},
      {"host=db1,db2 port=5432,65536", {"`port` number 2", "1..65535"}},
      {"host=db1 port=99999999999999999999", {"`port`", "1..65535"}},
      {"host=db1,db2,db3 port=1,2", {"`port` lists 2 ports for 3 host(s)"}},
      {"host=db1,db2 hostaddr=10.0.0.1", {"`hostaddr` lists 1 addresses for 2 host(s)"}},
      {"host='db 1'", {"`host`", "no host name"}},
      {"host=db1,caf\xc3\xa9", {"`host` number 2", "no host name"}},
      {"host=db1 sslmode=on", {"`sslmode`", "verify-full"}},
      {"host=db1 target_session_attrs=writable", {"`target_session_attrs`", "read-write"}},
      {"host=db1 connect_timeout=soon", {"`connect_timeout`", "whole number"}},
      {"host=db1 ssl_mode=require", {"setting number 2", "did you mean `sslmode`?"}},
      {"host=db1 password='abc", {"`password`", "no closing quote"}},
      {"host=db1 password", {"no `=`", "`password`"}},
      {"host=db1 password=two words", {"no `=`", "setting number 3", "single quotes"}},
      {"db1", {"no `=`", "postgresql://"}},
      {"mysql://db1/shop", {"scheme", "postgresql://"}},
      {"postgresql://app:a%zz@db1", {"position 19", "hexadecimal", "%25"}},
      {"postgresql://app:a%4", {"position 19", "hexadecimal"}},
      {"postgresql://app:a%00@db1", {"%00", "NUL"}},
      {"postgresql://[::1/shop", {"closing `]`"}},
      {"postgresql://[]/shop", {"IPv6", "empty"}},
      {"postgresql://[::1]x/shop", {"IPv6", "followed by"}},
      {"postgresql://db1/shop?sslmod=require", {"parameter number 1", "did you mean `sslmode`?"}},
      {"postgresql://db1/shop?sslmode", {"`sslmode`", "no `=`"}},
      {"postgresql://db1/shop?sslmode=a=b", {"`sslmode`", "second `=`", "%3D"}},
      {"postgresql://db1/shop?ssl=off", {"`ssl`", "`sslmode`"}},
      {"postgresql://app:a/b@db1/shop", {"bare `@`", "%2F"}},
      {"postgresql://app:a@b@db1/shop", {"bare `@`", "%40"}},
  };
  for (const auto& [text, parts] : cases) {
    const std::string message = refusal(text);
    for (const std::string_view part : parts) EXPECT_TRUE(holds(message, part)) << text << "\n  " << message;
  }
}

TEST(dsn, nul_bytes_and_endless_input_are_refused) {
  EXPECT_TRUE(holds(refusal("host=db1\0password=x"sv), "NUL byte at position 9"));
  EXPECT_TRUE(holds(refusal("host=db1 application_name=" + std::string(bw::max_dsn_length, 'x')), "at most 16384"));
  parsed("host=db1 application_name=" + std::string(1000, 'x'));
}

// What is kept secret

constexpr std::string_view secret = "Zq9-hunter2-Wv7";

/// No four characters of the secret in a row: a piece of it is a leak too.
void expect_no_secret(std::string_view text, std::string_view input) {
  for (std::size_t i = 0; i + 4 <= secret.size(); ++i) {
    EXPECT_FALSE(holds(text, secret.substr(i, 4))) << "input: " << input << "\noutput: " << text;
  }
}

TEST(dsn, no_error_repeats_the_password) {
  const std::vector<std::string_view> malformed{"postgresql://app:Zq9-hunter2-Wv7%zz@db1/shop",
                                                "postgresql://app:Zq9-hunter2-Wv7%00@db1/shop",
                                                "postgresql://app:Zq9-hunter2-Wv7%2",
                                                "postgresql://app:Zq9-hunter2-Wv7/x@db1/shop",
                                                "postgresql://app:5432/Zq9-hunter2-Wv7@db1/shop",
                                                "postgresql://app:x@Zq9-hunter2-Wv7@db1/shop",
                                                "postgresql://app:[Zq9-hunter2-Wv7",
                                                "postgresql://[Zq9-hunter2-Wv7/shop",
                                                "postgresql://[::1]Zq9-hunter2-Wv7",
                                                "postgresql://app:Zq9-hunter2-Wv7@db1:port",
                                                "postgresql://db1/shop?Zq9-hunter2-Wv7",
                                                "postgresql://db1/shop?password=Zq9-hunter2-Wv7=x",
                                                "postgresql://db1/shop?Zq9-hunter2-Wv7=x",
                                                "postgresql://db1/shop?passwd=Zq9-hunter2-Wv7",
                                                "postgresql://db1/shop?password=Zq9-hunter2-Wv7%",
                                                "postgresql://db1/shop?sslmode=Zq9-hunter2-Wv7",
                                                "postgresql://db1:Zq9-hunter2-Wv7/shop",
                                                "mysql://app:Zq9-hunter2-Wv7@db1/shop",
                                                "app:Zq9-hunter2-Wv7@db1/shop",
                                                "Zq9-hunter2-Wv7",
                                                "host=db1 password='Zq9-hunter2-Wv7",
                                                "host=db1 password=a Zq9-hunter2-Wv7",
                                                "host=db1 Zq9-hunter2-Wv7=a",
                                                "host=db1 passwrod=Zq9-hunter2-Wv7",
                                                "host=db1 port=Zq9-hunter2-Wv7",
                                                "host='Zq9-hunter2-Wv7 '",
                                                "host=db1 password=a\\ b Zq9-hunter2-Wv7",
                                                "host=db1password=Zq9-hunter2-Wv7",
                                                "host=db1 connect_timeout=Zq9-hunter2-Wv7",
                                                "host=db1 = Zq9-hunter2-Wv7",
                                                "=Zq9-hunter2-Wv7"};
  for (const std::string_view text : malformed) expect_no_secret(refusal(text), text);
}

TEST(dsn, no_error_repeats_the_password_of_a_mutated_connection_string) {
  const std::vector<std::string> valid{
      "postgresql://app:Zq9-hunter2-Wv7@db1:5433,db2:5434/"
      "shop?sslmode=require&application_name=a%20b",
      "postgresql://db1/shop?user=app&password=Zq9-hunter2-Wv7&sslmode=require",
      "host=db1 port=5433 user=app password=Zq9-hunter2-Wv7 dbname=shop sslmode=require",
      "host = '::1' password = 'Zq9-hunter2-Wv7' dbname='my \\'shop\\''"};
  constexpr std::string_view pieces = "@:/?&=%[],;'\\ \n\"#%0g";
  std::mt19937 random(20240501);
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  int refused = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string text = valid[below(valid.size())];
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
      const std::size_t at = below(text.size());
      switch (below(4)) {
        case 0: text.erase(at, 1); break;
        case 1: text.insert(at, 1, pieces[below(pieces.size())]); break;
        case 2: text[at] = pieces[below(pieces.size())]; break;
        default: text.insert(at, text, below(text.size()), 1 + below(8)); break;
      }
    }
    const auto result = bw::dsn::parse(text);
    if (!result) {
      ++refused;
      EXPECT_EQ(result.error(), bw::errc::invalid_argument);
      expect_no_secret(result.error().message(), text);
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST(dsn, masked_form_hides_every_secret_and_shows_the_rest) {
  EXPECT_EQ(parsed("postgresql://app:Zq9-hunter2-Wv7@db1:5433/shop?sslpassword=Zq9-hunter2-Wv7").masked(),
            "user=app password=*** dbname=shop host=db1 port=5433 sslpassword=***");
  EXPECT_EQ(parsed("passfile=/etc/pgpass host=db1").masked(), "passfile=/etc/pgpass host=db1");
}

TEST(dsn, masked_form_hides_a_password_that_a_forgotten_blank_put_elsewhere) {
  EXPECT_EQ(parsed("host=db1 user=apppassword=hunter2").masked(), "user=*** host=db1");
  EXPECT_EQ(parsed("postgresql://db1/shop&password=hunter2").masked(), "dbname=*** host=db1");
}

TEST(dsn, masked_form_reads_back_and_stays_on_one_line) {
  const bw::dsn dsn = parsed(R"(host=db1 dbname='it\'s \\ here' application_name='')");
  EXPECT_EQ(dsn.masked(), R"(dbname='it\'s \\ here' host=db1)");
  EXPECT_EQ(parsed(dsn.masked()), dsn);
  EXPECT_EQ(parsed("host=db1 application_name='a\nb'").masked(), "host=db1 application_name='a?b'");
}

TEST(dsn, node_name_holds_neither_user_nor_database) {
  EXPECT_EQ(parsed("postgresql://app:secret@db1/shop").node_name(), "db1:5432");
}

// Copies with other settings

TEST(dsn, with_sets_replaces_and_removes_one_setting) {
  const bw::dsn dsn = parsed("postgresql://app:secret@db1/shop");
  EXPECT_EQ(dsn.with("port", "5433").value(), parsed("postgresql://app:secret@db1:5433/shop"));
  EXPECT_EQ(dsn.with("host", "db2").value().node_name(), "db2:5432");
  EXPECT_EQ(dsn.with("password", "").value(), parsed("postgresql://app@db1/shop"));
  EXPECT_EQ(dsn.node_name(), "db1:5432") << "the original was changed";
}

TEST(dsn, with_refuses_what_parse_refuses) {
  const bw::dsn dsn = parsed("postgresql://app:secret@db1/shop");
  const auto misspelt = dsn.with("aplication_name", "x");
  ASSERT_FALSE(misspelt);
  EXPECT_EQ(misspelt.error(), bw::errc::invalid_argument);
  EXPECT_TRUE(holds(misspelt.error().message(), "did you mean `application_name`?"));
  EXPECT_FALSE(dsn.with("port", "abc"));
  EXPECT_FALSE(dsn.with("host", "db1,db2").value().with("port", "1,2,3"));
  EXPECT_FALSE(dsn.with("dbname", "a\0b"sv));
  EXPECT_FALSE(dsn.with("dbname", std::string(bw::max_dsn_length + 1, 'x')));
  const auto swapped = dsn.with(secret, "password");
  ASSERT_FALSE(swapped);
  expect_no_secret(swapped.error().message(), "with(secret, \"password\")");
}

TEST(dsn, split_hosts_makes_one_connection_string_per_server) {
  const auto servers = parsed("postgresql://app:secret@db1:5433,db2/shop").split_hosts();
  ASSERT_EQ(servers.size(), 2U);
  EXPECT_EQ(servers[0], parsed("postgresql://app:secret@db1:5433/shop"));
  EXPECT_EQ(servers[1], parsed("postgresql://app:secret@db2/shop"));
  EXPECT_EQ(parsed("host=db1,db2 port=6000").split_hosts()[1], parsed("host=db2 port=6000"));
  EXPECT_EQ(parsed("dbname=shop").split_hosts(), std::vector{parsed("dbname=shop")});
}

TEST(dsn, keywords_and_values_end_with_null_as_libpq_expects) {
  const bw::dsn dsn = parsed("postgresql://app:secret@db1/shop?application_name=");
  const auto [keywords, values] = dsn.keywords_and_values();
  ASSERT_EQ(keywords.size(), values.size());
  EXPECT_EQ(keywords.back(), nullptr);
  EXPECT_EQ(values.back(), nullptr);
  ASSERT_EQ(keywords.size(), 5U);
  EXPECT_STREQ(keywords[1], "password");
  EXPECT_STREQ(values[1], "secret");
}

}  // namespace
