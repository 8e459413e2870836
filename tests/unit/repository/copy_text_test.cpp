// COPY's text format, both ways.

#include "entities.hpp"

#include <gtest/gtest.h>

#include <array>

namespace tests {
namespace {

namespace detail = bw::detail;

std::string escaped(std::string_view value) {
  std::string out;
  detail::append_copy_text(out, value);
  return out;
}

TEST(copy_text, escapes_what_has_a_meaning_in_it) {
  EXPECT_EQ(escaped("plain 'text' \"with\" {quotes}"), "plain 'text' \"with\" {quotes}");
  EXPECT_EQ(escaped("a\tb\nc\rd\\e"), "a\\tb\\nc\\rd\\\\e");
  EXPECT_EQ(escaped("\\."), "\\\\.");
  EXPECT_EQ(escaped("\\N"), "\\\\N");
  EXPECT_EQ(escaped(""), "");
  EXPECT_EQ(escaped("\n"), "\\n");
}

TEST(copy_text, is_taken_apart_again) {
  std::string scratch;
  std::array<bw::cell, 3> cells;
  ASSERT_TRUE(detail::split_copy_line("1\t\\N\ta\\tb\\\\N\\b\\f\\v\\r\\n\n", scratch, cells));
  EXPECT_EQ(cells[0].text, "1");
  EXPECT_TRUE(cells[1].null);
  EXPECT_EQ(cells[2].text, "a\tb\\N\b\f\v\r\n");
  EXPECT_FALSE(cells[2].null);
  ASSERT_TRUE(detail::split_copy_line("\t\t\n", scratch, cells));
  for (const auto& each : cells) EXPECT_TRUE(each.text.empty() && !each.null);
}

TEST(copy_text, of_every_byte_comes_back_as_it_was) {
  std::string all;
  for (int c = 1; c < 256; ++c) all.push_back(static_cast<char>(c));
  std::string scratch;
  std::array<bw::cell, 2> cells;
  const std::string line = escaped(all) + "\t" + escaped(all + all) + "\n";
  ASSERT_TRUE(detail::split_copy_line(line, scratch, cells));
  EXPECT_EQ(cells[0].text, all);
  EXPECT_EQ(cells[1].text, all + all);
}

TEST(copy_text, with_more_or_fewer_columns_is_refused) {
  std::string scratch;
  std::array<bw::cell, 2> cells;
  EXPECT_FALSE(detail::split_copy_line("1\n", scratch, cells));
  EXPECT_FALSE(detail::split_copy_line("1\t2\t3\n", scratch, cells));
}

/// Remembers what it is asked to copy.
class copying_executor final : public bw::executor {
 public:
  bw::result<bw::rows> execute(const bw::statement&, const bw::parameters&) override { return bw::errc::internal; }
  bw::result<std::size_t> copy_in(const bw::statement& what, bw::copy_source& from) override {
    sql = what.sql;
    for (bool more = true; more; ++buffers) {
      std::string buffer;
      BOOST_OUTCOME_TRY(more, from.fill(buffer, "2026-11-20 10:00:00+00"));
      text.append(buffer);
      if (!from.sent()) return bw::errc::cancelled;
    }
    return std::size_t{42};
  }
  std::string sql, text;
  int buffers = 0;
};

TEST(copy_rows, send_the_columns_of_an_insert_with_version_and_times) {
  const auto on = std::make_shared<copying_executor>();
  const auto copied = bw::repository<account>(on).copy_in(
      {account{.id = 7, .owner = "a\tb", .balance = bw::numeric{"1.50"}, .version = 9}, account{.owner = "\\"}});
  ASSERT_TRUE(copied);
  EXPECT_EQ(copied.value(), 42U);
  EXPECT_EQ(on->sql, R"(copy "accounts" ("owner", "balance", "version", "created_at", "updated_at") from stdin)");
  EXPECT_EQ(on->text,
            "a\\tb\t1.50\t1\t2026-11-20 10:00:00+00\t2026-11-20 10:00:00+00\n"
            "\\\\\t0\t1\t2026-11-20 10:00:00+00\t2026-11-20 10:00:00+00\n");
}

TEST(copy_rows, quote_every_name) {
  const auto on = std::make_shared<copying_executor>();
  ASSERT_TRUE(bw::repository<line>(on).copy_in({line{.note = std::nullopt}}));
  EXPECT_EQ(on->sql, R"(copy "shop"."order" ("user.name", "a ""quoted"" name", "select", "Note") from stdin)");
  EXPECT_EQ(on->text, "0\t0\t\t\\N\n");
}

TEST(copy_rows, come_in_buffers_of_bounded_size) {
  const auto on = std::make_shared<copying_executor>();
  const std::vector<tag> all(3000, tag{.name = std::string(100, 'x')});
  ASSERT_TRUE(bw::repository<tag>(on).copy_in(all));
  EXPECT_EQ(on->buffers, 5) << "300 kB by 64 KiB";
}

TEST(copy_rows, are_refused_by_an_executor_that_can_not) {
  class plain final : public bw::executor {
   public:
    bw::result<bw::rows> execute(const bw::statement&, const bw::parameters&) override { return bw::errc::internal; }
  };
  const auto on = std::make_shared<plain>();
  EXPECT_EQ(bw::repository<tag>(on).copy_in({tag{}}).error().code(), bw::errc::unsafe_operation);
  EXPECT_EQ(bw::repository<tag>(on).copy_out([](tag&&) {}).error().code(), bw::errc::unsafe_operation);
  EXPECT_EQ(bw::repository<tag>(on).query().stream([](tag&&) {}).error().code(), bw::errc::unsafe_operation);
}

}  // namespace
}  // namespace tests
