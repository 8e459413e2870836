#include "postgres/statement_cache.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace {

using breakwater::postgres::statement_cache;

/// Adds a statement and lets the server say that it is prepared, as a connection does. Returns its name.
std::string prepare(statement_cache& cache, std::uint64_t print, std::string_view sql) {
  auto* entry = cache.find_or_add(print, sql);
  EXPECT_NE(entry, nullptr);
  entry->prepared = true;
  return entry->name;
}

std::vector<std::string> evict_all(statement_cache& cache, const statement_cache::entry* keep = nullptr) {
  std::vector<std::string> names;
  while (auto name = cache.evict(keep)) names.push_back(*name);
  return names;
}

TEST(statement_cache, finds_the_same_text_again_under_the_same_name) {
  statement_cache cache(4);
  auto* first = cache.find_or_add(1, "select 1");
  ASSERT_NE(first, nullptr);
  EXPECT_FALSE(first->prepared) << "only the server can say that it is";
  EXPECT_EQ(first->sql, "select 1");
  EXPECT_EQ(cache.find_or_add(1, "select 1"), first);
  EXPECT_EQ(cache.size(), 1U);
}

TEST(statement_cache, never_gives_a_name_twice) {
  statement_cache cache(2);
  std::set<std::string> names;
  for (std::uint64_t i = 0; i < 10; ++i) {
    names.insert(prepare(cache, i, "select " + std::to_string(i)));
    evict_all(cache);
    if (i % 3 == 0) cache.forget(i);
    if (i % 5 == 0) cache.clear();
  }
  EXPECT_EQ(names.size(), 10U);
}

TEST(statement_cache, evicts_nothing_while_there_is_room) {
  statement_cache cache(2);
  prepare(cache, 1, "a");
  prepare(cache, 2, "b");
  EXPECT_TRUE(evict_all(cache).empty());
}

TEST(statement_cache, evicts_the_least_recently_used_first) {
  statement_cache cache(2);
  prepare(cache, 1, "a");
  const std::string b = prepare(cache, 2, "b");
  (void)cache.find_or_add(1, "a");  // used again: now "b" is the oldest
  auto* third = cache.find_or_add(3, "c");
  EXPECT_EQ(evict_all(cache, third), std::vector{b});
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_TRUE(cache.find_or_add(1, "a")->prepared);
  EXPECT_FALSE(cache.find_or_add(2, "b")->prepared) << "it was evicted, so it is new";
}

TEST(statement_cache, evicts_neither_the_one_to_keep_nor_one_that_the_server_does_not_have_yet) {
  statement_cache cache(1);
  auto* unprepared = cache.find_or_add(1, "a");
  auto* kept = cache.find_or_add(2, "b");
  kept->prepared = true;
  EXPECT_TRUE(evict_all(cache, kept).empty());
  EXPECT_EQ(cache.find_or_add(1, "a"), unprepared);
}

TEST(statement_cache, a_forgotten_statement_is_new_when_it_returns_and_its_old_name_is_deallocated) {
  statement_cache cache(4);
  const std::string old_name = prepare(cache, 1, "a");
  cache.forget(1);
  EXPECT_EQ(cache.size(), 0U);
  auto* again = cache.find_or_add(1, "a");
  EXPECT_FALSE(again->prepared);
  EXPECT_NE(again->name, old_name);
  EXPECT_EQ(evict_all(cache, again), std::vector{old_name});
}

TEST(statement_cache, forgetting_what_was_never_prepared_leaves_nothing_to_deallocate) {
  statement_cache cache(4);
  (void)cache.find_or_add(1, "a");
  cache.forget(1);
  cache.forget(99);
  EXPECT_TRUE(evict_all(cache).empty());
}

TEST(statement_cache, a_name_that_could_not_be_deallocated_is_given_out_again) {
  statement_cache cache(4);
  const std::string name = prepare(cache, 1, "a");
  cache.forget(1);
  EXPECT_EQ(cache.evict(nullptr), name);
  cache.keep_for_eviction(name);
  EXPECT_EQ(evict_all(cache), std::vector{name});
}

TEST(statement_cache, only_the_name_that_the_server_confirmed_counts_as_prepared) {
  statement_cache cache(4);
  const std::string old_name = cache.find_or_add(1, "a")->name;
  cache.forget(1);
  auto* again = cache.find_or_add(1, "a");
  cache.mark_prepared(1, old_name);
  EXPECT_FALSE(again->prepared) << "a late confirmation of what was forgotten";
  cache.mark_prepared(1, again->name);
  EXPECT_TRUE(again->prepared);
  cache.mark_prepared(2, "bw_9");
}

TEST(statement_cache, after_a_clear_nothing_is_known_and_nothing_is_deallocated) {
  statement_cache cache(1);
  prepare(cache, 1, "a");
  prepare(cache, 2, "b");
  cache.forget(1);
  cache.clear();
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_TRUE(evict_all(cache).empty()) << "the server has none of them any more";
}

TEST(statement_cache, of_two_texts_with_one_fingerprint_the_second_goes_unprepared) {
  statement_cache cache(4);
  prepare(cache, 7, "select a");
  EXPECT_EQ(cache.find_or_add(7, "select b"), nullptr);
  EXPECT_EQ(cache.find_or_add(7, "select a")->sql, "select a");
  EXPECT_EQ(cache.size(), 1U);
}

TEST(statement_cache, capacity_zero_caches_nothing) {
  statement_cache cache(0);
  EXPECT_EQ(cache.find_or_add(1, "select 1"), nullptr);
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.evict(nullptr), std::nullopt);
}

TEST(statement_cache, behind_a_pooler_gives_names_of_its_own_and_never_takes_one_back) {
  statement_cache cache(2, "bw_77_");
  EXPECT_EQ(prepare(cache, 1, "select 1"), "bw_77_1");
  EXPECT_EQ(prepare(cache, 2, "select 2"), "bw_77_2");
  EXPECT_EQ(cache.find_or_add(3, "select 3"), nullptr) << "there is no room, and none is made";
  cache.forget(1);
  EXPECT_TRUE(evict_all(cache).empty());
  EXPECT_EQ(prepare(cache, 3, "select 3"), "bw_77_3");
  EXPECT_TRUE(evict_all(cache).empty());
}

}  // namespace
