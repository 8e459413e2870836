// Many rows at once: insert_many.

#include "support.hpp"

#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace tests {

/// Columns whose SQL types are none of the built-in ones that their C++ types suggest.
struct oddity {
  std::int64_t id{};
  std::string mood{};               // an enum
  std::optional<std::string> ip{};  // inet
  std::string code{};               // varchar(3)
  bw::json extra{};
  std::optional<std::vector<std::byte>> raw{};
};

/// A column that is an array, and so can not travel inside one.
struct holder {
  std::int64_t id{};
  std::string numbers{};
};

/// The types of values, each sent as its codec says.
struct varied {
  std::int64_t id{};
  bool flag{};
  std::int16_t small{};
  double precise{};
  bw::numeric exact{};
  bw::uuid key{};
  bw::timestamptz moment{};
  bw::date day{};
  bw::time_of_day time{};
  bw::interval span{};
  std::optional<bw::range<std::int32_t>> seats{};
};

/// The same with an array.
struct labelled {
  std::int64_t id{};
  std::vector<std::string> labels{};
};

}  // namespace tests

template <>
inline constexpr auto breakwater::mapping<tests::varied> =
    bw::table("varieties", bw::column<&tests::varied::id>("id", bw::primary_key, bw::generated),
              bw::column<&tests::varied::flag>("flag"), bw::column<&tests::varied::small>("small"),
              bw::column<&tests::varied::precise>("precise"),
              bw::column<&tests::varied::exact>("exact", bw::type("numeric(6, 2)")),
              bw::column<&tests::varied::key>("key"), bw::column<&tests::varied::moment>("moment"),
              bw::column<&tests::varied::day>("day"), bw::column<&tests::varied::time>("time"),
              bw::column<&tests::varied::span>("span"), bw::column<&tests::varied::seats>("seats"));

template <>
inline constexpr auto breakwater::mapping<tests::labelled> =
    bw::table("labelled", bw::column<&tests::labelled::id>("id", bw::primary_key, bw::generated),
              bw::column<&tests::labelled::labels>("labels"));

template <>
inline constexpr auto breakwater::mapping<tests::oddity> =
    bw::table("oddities", bw::column<&tests::oddity::id>("id", bw::primary_key, bw::generated),
              bw::column<&tests::oddity::mood>("mood"), bw::column<&tests::oddity::ip>("ip"),
              bw::column<&tests::oddity::code>("code"), bw::column<&tests::oddity::extra>("extra"),
              bw::column<&tests::oddity::raw>("raw"));

template <>
inline constexpr auto breakwater::mapping<tests::holder> =
    bw::table("holders", bw::column<&tests::holder::id>("id", bw::primary_key, bw::generated),
              bw::column<&tests::holder::numbers>("numbers", bw::type("int[]")));

namespace tests {
namespace {

class insert_many : public repository_test {
 protected:
  bw::session session = on_primary();
  bw::repository<account> accounts = session.repository<account>();

  static std::vector<account> some_accounts(std::size_t count) {
    std::vector<account> made(count);
    for (std::size_t i = 0; i < count; ++i) {
      made[i].owner = "owner " + std::to_string(i);
      made[i].balance = bw::numeric(static_cast<std::int64_t>(i));
    }
    return made;
  }
  /// Statements that reached the server, but for the COMMIT of a transaction.
  static std::size_t statements_sent() {
    std::size_t count = 0;
    for (const auto& each : watcher().operations()) count += each.statement != "commit" ? 1 : 0;
    return count;
  }
};

TEST_F(insert_many, rows_come_back_as_stored_and_in_the_order_given) {
  const auto stored = accounts.insert_many(some_accounts(500));
  ASSERT_OK(stored);
  ASSERT_EQ(stored.value().size(), 500U);
  for (std::size_t i = 0; i < 500; ++i) {
    const account& row = stored.value()[i];
    EXPECT_EQ(row.owner, "owner " + std::to_string(i));
    EXPECT_EQ(row.id, stored.value()[0].id + static_cast<std::int64_t>(i)) << "keys are made in this order too";
    EXPECT_EQ(row.version, 1);
    EXPECT_TRUE(row.created_at && row.updated_at && !row.deleted_at);
  }
  EXPECT_EQ(truth("select count(*) from accounts"), "500");
}

TEST_F(insert_many, it_is_one_round_trip_and_one_text_for_any_number_of_rows) {
  ASSERT_OK(accounts.insert_many(some_accounts(3)));
  EXPECT_EQ(watcher().operations().size(), 1U);
  EXPECT_EQ(watcher().last().statement, "accounts.insert_many");
}

TEST_F(insert_many, no_rows_are_a_success_and_nothing_is_sent) {
  const auto none = accounts.insert_many(std::vector<account>{});
  ASSERT_OK(none);
  EXPECT_TRUE(none.value().empty());
  EXPECT_TRUE(watcher().operations().empty());
}

TEST_F(insert_many, a_list_in_braces_is_taken_too) {
  const auto stored = session.repository<tag>().insert_many({{.name = "b"}, {.name = "a"}});
  ASSERT_OK(stored);
  EXPECT_EQ(stored.value()[0].name, "b");
  EXPECT_EQ(stored.value()[1].name, "a");
}

TEST_F(insert_many, a_batch_with_one_duplicate_inserts_nothing) {
  auto rows = some_accounts(100);
  rows[70].owner = rows[20].owner;
  const auto stored = accounts.insert_many(rows);
  EXPECT_ERROR(stored, errc::unique_violation);
  EXPECT_EQ(stored.error().constraint(), "accounts_owner_key");
  EXPECT_EQ(stored.error().table(), "accounts");
  EXPECT_EQ(stored.error().statement(), "accounts.insert_many");
  EXPECT_EQ(stored.error().applied(), bw::applied::no);
  EXPECT_EQ(truth("select count(*) from accounts"), "0");
}

TEST_F(insert_many, rows_may_differ_in_which_columns_take_their_default) {
  const auto tickets = session.repository<ticket>();
  const auto stored = tickets.insert_many({{.state = "open"}, {.priority = 7}, {}, {.state = "done", .priority = 1}});
  ASSERT_OK(stored);
  const auto& rows = stored.value();
  EXPECT_EQ(std::pair(rows[0].state, rows[0].priority), std::pair(std::string("open"), 3));
  EXPECT_EQ(std::pair(rows[1].state, rows[1].priority), std::pair(std::string("new"), 7));
  EXPECT_EQ(std::pair(rows[2].state, rows[2].priority), std::pair(std::string("new"), 3));
  EXPECT_EQ(std::pair(rows[3].state, rows[3].priority), std::pair(std::string("done"), 1));
  EXPECT_EQ(statements_sent(), 1U);
}

TEST_F(insert_many, rows_of_nothing_but_defaults_are_counted) {
  const auto stored = session.repository<ticket>().insert_many(std::vector<ticket>(5));
  ASSERT_OK(stored);
  ASSERT_EQ(stored.value().size(), 5U);
  EXPECT_EQ(stored.value()[4].state, "new");
  EXPECT_EQ(truth("select count(*) from tickets"), "5");
}

TEST_F(insert_many, columns_have_whatever_type_reads_their_text) {
  ASSERT_OK(session.execute("drop table if exists oddities"));
  ASSERT_OK(session.execute("drop type if exists temper"));
  ASSERT_OK(session.execute("create type temper as enum ('good', 'so, \"so\"')"));
  ASSERT_OK(
      session.execute("create table oddities (id int generated always as identity primary key, mood temper, ip inet, "
                      "code varchar(3), extra jsonb, raw bytea)"));
  const auto oddities = session.repository<oddity>();
  const oddity first{.mood = "so, \"so\"",
                     .ip = "10.0.0.0/8",
                     .code = "a\\b",
                     .extra = bw::json::parse(R"({"a": "\\ \" {}, "})").value(),
                     .raw = std::vector<std::byte>{std::byte{0}, std::byte{92}}};
  const auto stored = oddities.insert_many({first, {.mood = "good", .ip = {}, .code = "NUL", .extra = {}}});
  ASSERT_OK(stored);
  EXPECT_EQ(stored.value()[0].mood, first.mood);
  EXPECT_EQ(stored.value()[0].ip, first.ip);
  EXPECT_EQ(stored.value()[0].code, first.code);
  EXPECT_EQ(stored.value()[0].raw, first.raw);
  EXPECT_EQ(truth("select extra->>'a' from oddities where id = 1"), "\\ \" {}, ");
  EXPECT_EQ(stored.value()[1].ip, std::nullopt);
  EXPECT_EQ(stored.value()[1].raw, std::nullopt);
  EXPECT_EQ(stored.value()[1].code, "NUL");

  EXPECT_ERROR(oddities.insert_many({{.mood = "good", .code = "four"}}), errc::data_error)
      << "a length is checked, as by insert, and not cut off";
}

TEST_F(insert_many, values_are_stored_as_insert_stores_them) {
  ASSERT_OK(session.execute("drop table if exists varieties"));
  ASSERT_OK(session.execute(
      "create table varieties (id int generated always as identity primary key, flag boolean, small "
      "smallint, precise double precision, exact numeric(6, 2), key uuid, moment timestamptz, day date, "
      "time time, span interval, seats int4range)"));
  const auto varieties = session.repository<varied>();
  const varied given{.flag = true,
                     .small = -7,
                     .precise = 0.1,
                     .exact = bw::numeric{"1234.5"},
                     .key = bw::uuid::parse("0190b6f5-6a3c-7000-8000-000000000001").value(),
                     .moment = bw::timestamptz::parse("2026-02-03 04:05:06.789012+00").value(),
                     .day = bw::date::parse("2026-02-03").value(),
                     .time = bw::time_of_day::parse("23:59:59.5").value(),
                     .span = bw::interval::parse("1 mon 2 days 03:04:05").value(),
                     .seats = bw::range<std::int32_t>::parse("[3,9)").value()};
  varied infinite = given;
  infinite.moment = bw::timestamptz::parse("infinity").value();
  infinite.precise = -std::numeric_limits<double>::infinity();
  infinite.seats = std::nullopt;
  for (const varied& each : {given, infinite}) ASSERT_OK(varieties.insert(each));
  ASSERT_OK(varieties.insert_many({given, infinite}));
  EXPECT_EQ(truth("select string_agg(n::text, ' ') from (select count(*) n from varieties group by flag, small, "
                  "precise, exact, key, moment, day, time, span, seats) same"),
            "2 2");

  varied beyond = given;
  beyond.exact = bw::numeric{"123456"};
  const auto refused = varieties.insert_many({given, beyond});
  EXPECT_ERROR(refused, errc::data_error);
  EXPECT_EQ(refused.error().column(), "exact");
  EXPECT_EQ(truth("select count(*) from varieties"), "4");
}

TEST_F(insert_many, members_that_are_arrays_travel_as_they_are) {
  ASSERT_OK(session.execute("drop table if exists labelled"));
  ASSERT_OK(session.execute("create table labelled (id int generated always as identity primary key, labels text[])"));
  const auto stored = session.repository<labelled>().insert_many({{.labels = {"a", "b, \"c\""}}, {.labels = {}}});
  ASSERT_OK(stored);
  EXPECT_EQ(stored.value()[0].labels, (std::vector<std::string>{"a", "b, \"c\""}));
  EXPECT_TRUE(stored.value()[1].labels.empty());
}

TEST_F(insert_many, a_column_that_is_an_array_itself_is_no_obstacle) {
  ASSERT_OK(session.execute("drop table if exists holders"));
  ASSERT_OK(session.execute("create table holders (id int generated always as identity primary key, numbers int[])"));
  const auto stored = session.repository<holder>().insert_many({{.numbers = "{1,2}"}, {.numbers = "{}"}});
  ASSERT_OK(stored);
  EXPECT_EQ(stored.value()[0].numbers, "{1,2}");
  EXPECT_EQ(stored.value()[1].numbers, "{}");
}

TEST_F(insert_many, text_with_a_nul_byte_is_refused_with_its_row_before_anything_is_sent) {
  auto rows = some_accounts(3);
  rows[2].owner = std::string("a\0b", 3);
  const auto stored = accounts.insert_many(rows);
  EXPECT_ERROR(stored, errc::invalid_argument);
  EXPECT_EQ(stored.error().column(), "owner");
  EXPECT_NE(stored.error().message().find("row 3 "), std::string::npos) << stored.error().message();
  EXPECT_TRUE(watcher().operations().empty());
}

TEST_F(insert_many, more_text_than_one_statement_carries_is_still_all_or_nothing) {
  const auto tags = session.repository<tag>();
  std::vector<tag> rows;
  for (int i = 0; i < 5; ++i) rows.push_back({.name = std::to_string(i) + std::string(3 << 20, 'x')});
  ASSERT_OK(session.execute("alter table tags drop constraint tags_pkey"));  // no index takes so long a text
  watcher().clear();
  const auto stored = tags.insert_many(rows);
  ASSERT_OK(stored);
  EXPECT_EQ(stored.value().back().name, rows.back().name);
  EXPECT_EQ(statements_sent(), 3U);
  EXPECT_EQ(watcher().last().statement, "commit");
  EXPECT_EQ(truth("select count(*) from tags"), "5");
}

TEST_F(insert_many, a_failure_in_a_later_statement_undoes_the_earlier_ones) {
  ASSERT_OK(session.execute("alter table tags drop constraint tags_pkey"));
  ASSERT_OK(session.execute("alter table tags add constraint no_four check (name not like '4%')"));
  std::vector<tag> rows;
  for (int i = 0; i < 5; ++i) rows.push_back({.name = std::to_string(i) + std::string(3 << 20, 'x')});
  const auto stored = session.repository<tag>().insert_many(rows);
  EXPECT_ERROR(stored, errc::check_violation);
  EXPECT_EQ(stored.error().constraint(), "no_four");
  EXPECT_EQ(stored.error().applied(), bw::applied::no);
  EXPECT_EQ(truth("select count(*) from tags"), "0");
}

TEST_F(insert_many, in_a_transaction_it_is_part_of_it) {
  const auto outcome = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.repository<account>().insert_many(some_accounts(3)));
    return bw::error(errc::validation_failed, "changed my mind");
  });
  EXPECT_ERROR(outcome, errc::validation_failed);
  EXPECT_EQ(truth("select count(*) from accounts"), "0");
}

TEST_F(insert_many, rows_that_a_trigger_swallows_are_noticed) {
  ASSERT_OK(
      session.execute("create or replace function swallow() returns trigger language plpgsql as "
                      "$$ begin return null; end $$"));
  ASSERT_OK(
      session.execute("create trigger swallow before insert on tags for each row when (new.name = 'b') execute "
                      "function swallow()"));
  const auto stored = session.repository<tag>().insert_many({{.name = "a"}, {.name = "b"}});
  EXPECT_ERROR(stored, errc::unsafe_operation);
  EXPECT_EQ(stored.error().applied(), bw::applied::unknown);
}

TEST_F(insert_many, an_error_of_the_server_does_not_quote_a_value_of_a_row) {
  ASSERT_OK(
      session.execute("create or replace function blab() returns trigger language plpgsql as "
                      "$$ begin execute format('select %I', new.owner); return new; end $$"));
  ASSERT_OK(session.execute("create trigger blab before insert on accounts for each row execute function blab()"));
  const auto stored = accounts.insert_many({{.owner = "secret \"agent\""}, {.owner = "x"}});
  ASSERT_FALSE(stored.has_value());
  EXPECT_EQ(stored.error().message().find("secret"), std::string::npos) << stored.error().message();

  ASSERT_OK(
      session.execute("create or replace function blab() returns trigger language plpgsql as "
                      "$$ begin execute format('select %I', new.balance); return new; end $$"));
  const auto number = accounts.insert_many({{.owner = "x", .balance = 4711}});
  ASSERT_FALSE(number.has_value());
  EXPECT_EQ(number.error().message().find("4711"), std::string::npos) << number.error().message();
}

}  // namespace
}  // namespace tests
