// Inserts that may meet a row: upsert, upsert_many, find_or_insert.

#include "support.hpp"

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace tests {

/// A row of a partitioned table.
struct reading {
  std::int64_t sensor{};
  std::string value{};
};

}  // namespace tests

template <>
inline constexpr auto breakwater::mapping<tests::reading> =
    bw::table("readings", bw::column<&tests::reading::sensor>("sensor", bw::primary_key),
              bw::column<&tests::reading::value>("value"));

namespace tests {
namespace {

class upsert : public repository_test {
 protected:
  static constexpr auto by_owner = bw::conflict<&account::owner>;

  bw::session session = on_primary();
  bw::repository<account> accounts = session.repository<account>();
  bw::repository<line> lines = session.repository<line>();
};

TEST_F(upsert, inserts_and_then_updates_the_one_row) {
  const auto first = accounts.upsert({.owner = "ada", .balance = 10}, by_owner);
  ASSERT_OK(first);
  EXPECT_TRUE(first.value().inserted);
  EXPECT_EQ(first.value().row.version, 1);
  const auto second = accounts.upsert({.owner = "ada", .balance = 15}, by_owner);
  ASSERT_OK(second);
  EXPECT_FALSE(second.value().inserted);
  EXPECT_EQ(second.value().row.id, first.value().row.id);
  EXPECT_EQ(second.value().row.balance, bw::numeric{"15"});
  EXPECT_EQ(second.value().row.version, 2);
  EXPECT_EQ(second.value().row.created_at, first.value().row.created_at);
  EXPECT_GT(*second.value().row.updated_at, *first.value().row.updated_at);
  EXPECT_EQ(truth("select count(*) from accounts"), "1");
  EXPECT_EQ(watcher().operations().size(), 2U) << "one round trip each";
}

TEST_F(upsert, by_a_composite_target_and_by_the_key) {
  ASSERT_OK(lines.upsert({.order_id = 1, .number = 1, .product = "tea"}, bw::conflict<&line::order_id, &line::number>));
  const auto again = lines.upsert({.order_id = 1, .number = 1, .product = "coffee", .note = "hot"});
  ASSERT_OK(again);
  EXPECT_FALSE(again.value().inserted);
  EXPECT_EQ(again.value().row.product, "coffee");
  EXPECT_TRUE(lines.upsert({.order_id = 1, .number = 2, .product = "tea"}).value().inserted);
}

TEST_F(upsert, only_the_chosen_columns_are_updated) {
  ASSERT_OK(lines.insert({.order_id = 1, .number = 1, .product = "tea", .note = "green"}));
  const auto done = lines.upsert({.order_id = 1, .number = 1, .product = "coffee", .note = "black"},
                                 bw::conflict<&line::order_id, &line::number>, bw::update<&line::note>);
  ASSERT_OK(done);
  EXPECT_EQ(done.value().row.product, "tea");
  EXPECT_EQ(done.value().row.note, "black");
}

TEST_F(upsert, a_row_that_is_there_can_be_changed_by_assignments) {
  ASSERT_OK(accounts.upsert({.owner = "ada", .balance = 10}, by_owner, bw::set<&account::balance>(99)));
  const auto done = accounts.upsert({.owner = "ada", .balance = 10}, by_owner, bw::set<&account::balance>(99));
  ASSERT_OK(done);
  EXPECT_EQ(done.value().row.balance, bw::numeric{"99"});
  EXPECT_EQ(done.value().row.version, 2);
  const auto added = accounts.upsert({.owner = "ada", .balance = 10}, by_owner,
                                     bw::set<&account::balance>(bw::col<&account::balance> + 1));
  ASSERT_OK(added);
  EXPECT_EQ(added.value().row.balance, bw::numeric{"100"}) << "the row's own, not the entity's";
  EXPECT_ERROR(accounts.upsert({.owner = "ada"}, by_owner, bw::set<&account::version>(1)), errc::invalid_argument);
}

TEST_F(upsert, do_nothing_tells_which_happened) {
  const auto first = accounts.upsert({.owner = "ada", .balance = 10}, by_owner, bw::do_nothing);
  ASSERT_OK(first);
  ASSERT_TRUE(first.value().has_value());
  EXPECT_GT(first.value()->id, 0);
  const auto second = accounts.upsert({.owner = "ada", .balance = 15}, by_owner, bw::do_nothing);
  ASSERT_OK(second);
  EXPECT_FALSE(second.value().has_value());
  EXPECT_EQ(truth("select balance from accounts"), "10.00000000");
}

TEST_F(upsert, an_entity_of_nothing_but_its_key_is_returned_all_the_same) {
  const auto tags = session.repository<tag>();
  EXPECT_TRUE(tags.upsert({.name = "a"}).value().inserted);
  EXPECT_FALSE(tags.upsert({.name = "a"}).value().inserted);
}

TEST_F(upsert, defaulted_columns_that_are_left_out_keep_their_values) {
  ASSERT_OK(session.execute("alter table tickets add unique (priority)"));
  const auto tickets = session.repository<ticket>();
  const auto first = tickets.upsert({.priority = 7}, bw::conflict<&ticket::priority>);
  ASSERT_OK(first);
  EXPECT_EQ(first.value().row.state, "new");
  ASSERT_OK(tickets.upsert({.state = "open", .priority = 7}, bw::conflict<&ticket::priority>));
  const auto third = tickets.upsert({.priority = 7}, bw::conflict<&ticket::priority>);
  ASSERT_OK(third);
  EXPECT_EQ(third.value().row.state, "open");
  EXPECT_ERROR(tickets.upsert({.state = "new"}, bw::conflict<&ticket::state>), errc::invalid_statement)
      << "no unique index covers it";
}

TEST_F(upsert, a_row_in_the_trash_is_never_brought_back) {
  const auto ada = accounts.insert({.owner = "ada", .balance = 10});
  ASSERT_OK(ada);
  ASSERT_OK(accounts.remove(ada.value().id));
  const auto done = accounts.upsert({.owner = "ada", .balance = 15}, by_owner);
  EXPECT_ERROR(done, errc::unique_violation);
  EXPECT_NE(done.error().message().find("trash"), std::string::npos) << done.error().message();
  EXPECT_EQ(done.error().applied(), bw::applied::no);
  EXPECT_ERROR(accounts.find_or_insert({.owner = "ada"}, by_owner), errc::unique_violation);
  EXPECT_EQ(accounts.upsert({.owner = "ada"}, by_owner, bw::do_nothing).value(), std::nullopt);
  EXPECT_EQ(truth("select balance from accounts where deleted_at is not null"), "10.00000000");
}

TEST_F(upsert, an_index_over_live_rows_lets_the_name_of_a_trashed_row_be_used_again) {
  ASSERT_OK(session.execute("alter table accounts drop constraint accounts_owner_key"));
  ASSERT_OK(session.execute("create unique index live_owner on accounts (owner) where deleted_at is null"));
  const auto ada = accounts.insert({.owner = "ada"});
  ASSERT_OK(accounts.remove(ada.value().id));
  const auto fresh = accounts.upsert({.owner = "ada"}, by_owner);
  ASSERT_OK(fresh);
  EXPECT_TRUE(fresh.value().inserted);
  EXPECT_FALSE(accounts.upsert({.owner = "ada"}, by_owner).value().inserted);
  const auto found = accounts.find_or_insert({.owner = "ada"}, by_owner);
  ASSERT_OK(found);
  EXPECT_EQ(found.value().row.id, fresh.value().row.id);
}

TEST_F(upsert, another_constraint_is_still_violated) {
  const auto done = accounts.upsert({.owner = "ada", .balance = -1}, by_owner);
  EXPECT_ERROR(done, errc::check_violation);
  EXPECT_EQ(done.error().constraint(), "no_debt");
}

TEST_F(upsert, many_rows_say_what_became_of_each) {
  ASSERT_OK(lines.insert({.order_id = 1, .number = 2, .product = "tea"}));
  const std::vector<line> given{{.order_id = 1, .number = 1, .product = "a"},
                                {.order_id = 1, .number = 2, .product = "b"},
                                {.order_id = 1, .number = 3, .product = "c", .note = "x"}};
  watcher().clear();
  const auto done = lines.upsert_many(given);
  ASSERT_OK(done);
  ASSERT_EQ(done.value().size(), 3U);
  EXPECT_TRUE(done.value()[0].inserted);
  EXPECT_FALSE(done.value()[1].inserted);
  EXPECT_EQ(done.value()[1].row.product, "b");
  EXPECT_TRUE(done.value()[2].inserted);
  EXPECT_EQ(watcher().operations().size(), 1U);
}

TEST_F(upsert, many_rows_with_one_in_the_trash_change_nothing) {
  const auto ada = accounts.insert({.owner = "ada", .balance = 10});
  ASSERT_OK(accounts.remove(ada.value().id));
  const std::vector<account> given{{.owner = "bob"}, {.owner = "ada"}};
  const auto done = accounts.upsert_many(given, by_owner);
  EXPECT_ERROR(done, errc::unique_violation);
  EXPECT_EQ(done.error().applied(), bw::applied::no);
  EXPECT_EQ(truth("select count(*) from accounts"), "1");
}

TEST_F(upsert, two_rows_of_a_batch_with_one_key_are_refused_with_a_reason) {
  const std::vector<tag> given{{.name = "a"}, {.name = "a"}};
  const auto done = session.repository<tag>().upsert_many(given);
  EXPECT_ERROR(done, errc::invalid_argument);
  EXPECT_EQ(done.error().sqlstate(), "21000");
  EXPECT_NE(done.error().message().find("each key once"), std::string::npos) << done.error().message();
  EXPECT_EQ(truth("select count(*) from tags"), "0");
}

TEST_F(upsert, a_partitioned_table_is_refused_with_a_way_out) {
  ASSERT_OK(session.execute("drop table if exists readings"));
  ASSERT_OK(
      session.execute("create table readings (sensor bigint primary key, value text) partition by hash (sensor)"));
  ASSERT_OK(session.execute("create table readings_0 partition of readings for values with (modulus 1, remainder 0)"));
  const auto readings = session.repository<reading>();
  const auto done = readings.upsert({.sensor = 1, .value = "a"});
  if (!done) {  // a later server may be able to tell
    EXPECT_ERROR(done, errc::invalid_statement);
    EXPECT_NE(done.error().message().find("do_nothing"), std::string::npos) << done.error().message();
    EXPECT_EQ(truth("select count(*) from readings"), "0");
  }
  const auto made = readings.find_or_insert({.sensor = 2, .value = "b"}, bw::conflict<&reading::sensor>);
  ASSERT_OK(made);
  EXPECT_TRUE(made.value().inserted);
  EXPECT_FALSE(readings.find_or_insert({.sensor = 2}, bw::conflict<&reading::sensor>).value().inserted);
}

TEST_F(upsert, text_with_a_nul_byte_is_refused_before_anything_is_sent) {
  const std::string bad("a\0b", 3);
  EXPECT_ERROR(accounts.upsert({.owner = bad}, by_owner), errc::invalid_argument);
  EXPECT_ERROR(accounts.upsert({.owner = bad}, by_owner, bw::do_nothing), errc::invalid_argument);
  EXPECT_ERROR(accounts.find_or_insert({.owner = bad}, by_owner), errc::invalid_argument);
  EXPECT_TRUE(watcher().operations().empty());
}

TEST_F(upsert, find_or_insert_returns_the_row_that_is_there_as_it_is) {
  const auto made = accounts.find_or_insert({.owner = "ada", .balance = 10}, by_owner);
  ASSERT_OK(made);
  EXPECT_TRUE(made.value().inserted);
  EXPECT_EQ(watcher().operations().size(), 1U);
  const auto found = accounts.find_or_insert({.owner = "ada", .balance = 99}, by_owner);
  ASSERT_OK(found);
  EXPECT_FALSE(found.value().inserted);
  EXPECT_EQ(found.value().row.id, made.value().row.id);
  EXPECT_EQ(found.value().row.balance, bw::numeric{"10"});
  EXPECT_EQ(found.value().row.version, 1);
}

TEST_F(upsert, of_many_that_find_or_insert_at_once_exactly_one_inserts) {
  constexpr int threads = 8;
  constexpr int rounds = 25;
  std::atomic<int> inserted{0};
  std::atomic<int> failed{0};
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i) {
    all.emplace_back([&] {
      const bw::session own = on_primary();
      const auto mine = own.repository<account>();
      for (int round = 0; round < rounds; ++round) {
        const auto done = mine.find_or_insert({.owner = "owner " + std::to_string(round)}, by_owner);
        if (!done) {
          ++failed;
        } else {
          inserted += done.value().inserted ? 1 : 0;
        }
      }
    });
  }
  for (auto& each : all) each.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(inserted, rounds);
  EXPECT_EQ(truth("select count(*) from accounts"), std::to_string(rounds));
}

TEST_F(upsert, of_many_that_upsert_at_once_exactly_one_inserts) {
  constexpr int threads = 8;
  std::atomic<int> inserted{0};
  std::atomic<int> failed{0};
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i) {
    all.emplace_back([&] {
      const bw::session own = on_primary();
      for (int round = 0; round < 25; ++round) {
        const auto done = own.repository<account>().upsert({.owner = "owner " + std::to_string(round)}, by_owner);
        done ? inserted += done.value().inserted ? 1 : 0 : ++failed;
      }
    });
  }
  for (auto& each : all) each.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(inserted, 25);
  EXPECT_EQ(truth("select sum(version) from accounts"), std::to_string(25 * threads));
}

}  // namespace
}  // namespace tests
