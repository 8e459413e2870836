// Which node is confirmed as the primary, and what is remembered.

#include "cluster/topology.hpp"

#include <gtest/gtest.h>

#include <array>
#include <ostream>

namespace breakwater::routing {
namespace {

using time_point = deadline::clock::time_point;
using namespace std::chrono_literals;

constexpr std::uint64_t ours = 7000;
constexpr std::uint64_t theirs = 8000;
constexpr time_point start{1h};

node_observation primary(std::uint32_t timeline, std::uint64_t system = ours) {
  return {.reachable = true, .timeline = timeline, .system = system};
}
node_observation replica(std::uint32_t timeline, std::uint64_t system = ours) {
  return {.reachable = true, .in_recovery = true, .streaming = timeline != 0, .timeline = timeline, .system = system};
}
const node_observation silent{};

struct look {
  std::string_view name;
  history before;
  std::vector<node_observation> nodes;
  std::optional<std::size_t> expected;
  confirmation why;
};
// NOLINTNEXTLINE(readability-identifier-naming): the name that gtest looks for
void PrintTo(const look& what, std::ostream* out) { *out << what.name; }

class confirmed_primary : public ::testing::TestWithParam<look> {};

TEST_P(confirmed_primary, is_as_the_table_says) {
  const look& what = GetParam();
  const history known = remember(what.before, what.nodes);
  const primary_finding found = confirm_primary(what.nodes, known);
  EXPECT_EQ(found.node, what.expected);
  EXPECT_EQ(found.why, what.why) << to_string(found.why);
}

constexpr history fresh{};
constexpr history known_at_2{.system = ours, .highest_timeline = 2};

INSTANTIATE_TEST_SUITE_P(
    table, confirmed_primary,
    ::testing::Values(
        look{"the_only_one", fresh, {primary(1)}, 0, confirmation::confirmed},
        look{"one_with_replicas", fresh, {replica(1), primary(1), replica(1)}, 1, confirmation::confirmed},
        look{"the_higher_timeline_wins", fresh, {primary(1), primary(2)}, 1, confirmation::confirmed},
        look{"the_higher_timeline_wins_whatever_the_order",
             fresh,
             {primary(3), primary(1), primary(2)},
             0,
             confirmation::confirmed},
        look{"two_below_the_highest_do_not_matter",
             fresh,
             {primary(1), primary(1), primary(2)},
             2,
             confirmation::confirmed},
        look{"two_on_one_timeline", fresh, {primary(2), primary(2)}, {}, confirmation::split_brain},
        look{"two_on_the_highest_timeline", fresh, {primary(1), primary(2), primary(2)}, {}, confirmation::split_brain},
        look{"below_the_highest_ever_seen", known_at_2, {primary(1), silent}, {}, confirmation::outdated},
        look{"on_the_highest_ever_seen", known_at_2, {primary(2), silent}, 0, confirmation::confirmed},
        look{"beyond_the_highest_ever_seen", known_at_2, {primary(3), primary(2)}, 0, confirmation::confirmed},
        look{"below_what_a_replica_receives", fresh, {primary(1), replica(2)}, {}, confirmation::outdated},
        look{"one_that_does_not_tell_its_timeline", known_at_2, {primary(0), silent}, {}, confirmation::outdated},
        look{"one_that_does_not_tell_where_none_is_known", fresh, {primary(0)}, 0, confirmation::confirmed},
        look{"two_that_were_both_replaced", known_at_2, {primary(1), primary(1)}, {}, confirmation::outdated},
        look{"a_foreign_one", known_at_2, {primary(9, theirs), silent}, {}, confirmation::foreign},
        look{"a_foreign_one_beside_ours", known_at_2, {primary(9, theirs), primary(2)}, 1, confirmation::confirmed},
        look{"a_foreign_replica_s_timeline_says_nothing",
             known_at_2,
             {replica(9, theirs), primary(2)},
             1,
             confirmation::confirmed},
        look{"one_that_does_not_tell_its_system", known_at_2, {primary(2, 0)}, 0, confirmation::confirmed},
        look{"the_database_was_made_anew",
             known_at_2,
             {primary(1, theirs), replica(1, theirs)},
             0,
             confirmation::confirmed},
        look{"made_anew_but_one_does_not_answer", known_at_2, {primary(1, theirs), silent}, {}, confirmation::foreign},
        look{"at_first_most_decide", fresh, {primary(5, theirs), primary(1), replica(1)}, 1, confirmation::confirmed},
        look{"at_first_of_two_the_first_decides", fresh, {primary(1), primary(5, theirs)}, 0, confirmation::confirmed},
        look{"replicas_only", known_at_2, {silent, replica(2)}, {}, confirmation::only_replicas},
        look{"silence", known_at_2, {silent, silent}, {}, confirmation::none_answers},
        look{"the_silent_have_no_voice", fresh, {silent, primary(1), silent}, 1, confirmation::confirmed}),
    [](const auto& given) { return std::string(given.param.name); });

TEST(history_of_a_database, keeps_the_highest_timeline_when_nobody_shows_it_any_more) {
  history known = remember({}, std::array{replica(4), primary(3)});
  known = remember(known, std::array{silent, primary(3)});
  EXPECT_EQ(known.highest_timeline, 4U);
  EXPECT_EQ(known.system, ours);
}

TEST(history_of_a_database, counts_timelines_anew_for_another_system) {
  const history known = remember(known_at_2, std::array{primary(1, theirs)});
  EXPECT_EQ(known.system, theirs);
  EXPECT_EQ(known.highest_timeline, 1U);
}

TEST(explanation, names_both_of_a_split_brain_and_what_each_said) {
  const std::array nodes{primary(2), primary(2), silent, primary(7, theirs), replica(2)};
  const std::array<std::string_view, 5> names{"a:1", "b:2", "c:3", "d:4", "e:5"};
  const history known = remember(known_at_2, nodes);
  const std::string text = describe(confirm_primary(nodes, known), nodes, known, names);
  EXPECT_EQ(
      text,
      "a:1 and b:2 both say that they are the primary, on the same timeline; writes are refused until one of them "
      "steps back (a:1: a primary on timeline 2; b:2: a primary on timeline 2; c:3: no answer; d:4: belongs to "
      "another database system; e:5: a replica on timeline 2)");
}

// A server without a place for the monitor.

TEST(refusal, changes_nothing_of_what_was_known_and_makes_nothing_newer) {
  node_observation known = primary(2);
  known.position = 100;
  known.sent = start;
  const node_observation asked{.sent = start + 5s, .answered = start + 6s};
  const auto taken = after_refusal(known, true, {.system = ours, .timeline = 2}, asked);
  EXPECT_FALSE(taken.in_recovery);
  EXPECT_EQ(taken.position, 100U);
  EXPECT_EQ(taken.sent, start);
}

TEST(refusal, of_a_primary_that_was_lost_and_replaced_does_not_make_it_the_primary) {
  const auto back = after_refusal(silent, false, {.system = ours, .timeline = 1}, {.sent = start});
  EXPECT_EQ(back.timeline, 1U);
  EXPECT_EQ(back.position, 0U);
  // Neither beside the one that replaced it, nor where that does not answer at the moment.
  EXPECT_EQ(confirm_primary(std::array{back, primary(2)}, known_at_2).node, 1U);
  EXPECT_EQ(confirm_primary(std::array{back, silent}, known_at_2).why, confirmation::outdated);
}

TEST(refusal, of_the_primary_that_was_only_restarted_leaves_it_the_primary) {
  const auto back = after_refusal(silent, false, {.system = ours, .timeline = 2}, {.sent = start});
  EXPECT_EQ(confirm_primary(std::array{back, replica(2)}, known_at_2).node, 0U);
}

TEST(refusal, of_a_node_whose_role_nobody_knows_is_no_answer) {
  EXPECT_FALSE(after_refusal(silent, std::nullopt, {.system = ours, .timeline = 2}, {}).reachable);
}

struct marked {
  std::string_view name;
  node_observation seen;
  bool same_server;
  std::uint64_t position;  // of the mark then; 0: none
};
// NOLINTNEXTLINE(readability-identifier-naming): the name that gtest looks for
void PrintTo(const marked& what, std::ostream* out) { *out << what.name; }

class mark_of_a_replica : public ::testing::TestWithParam<marked> {};

TEST_P(mark_of_a_replica, is_as_the_table_says) {
  const replay_mark before{.of = {.system = ours, .timeline = 2}, .position = 100, .probed_at = start};
  const replay_mark now = next_mark(before, GetParam().seen, GetParam().same_server);
  EXPECT_EQ(now.position, GetParam().position);
  EXPECT_EQ(static_cast<bool>(now), GetParam().position != 0);
}

node_observation at(std::uint64_t position, node_observation seen) {
  seen.position = position;
  return seen;
}

INSTANTIATE_TEST_SUITE_P(table, mark_of_a_replica,
                         ::testing::Values(marked{"streams", at(200, replica(2)), true, 200},
                                           marked{"streams_from_elsewhere", at(50, replica(3)), false, 50},
                                           marked{"does_not_stream", at(200, replica(0)), true, 100},
                                           marked{"another_server_that_does_not_stream", at(200, replica(0)), false, 0},
                                           marked{"does_not_tell_its_system", at(200, replica(2, 0)), true, 100},
                                           marked{"does_not_answer", silent, true, 0},
                                           marked{"was_a_replica_and_does_not_answer", {.in_recovery = true}, true, 0},
                                           marked{"is_a_primary", at(200, primary(2)), true, 0}),
                         [](const auto& given) { return std::string(given.param.name); });

constexpr lineage on_2{.system = ours, .timeline = 2};

TEST(lag, is_not_known_before_a_primary_was_seen) {
  const wal_history none;
  EXPECT_FALSE(none.lag(100, start).has_value());
  EXPECT_FALSE(none.fresh_as_of(100).has_value());
}

TEST(lag, is_zero_behind_an_idle_primary_however_long_that_lasts) {
  wal_history seen;
  for (int i = 0; i < 3600; ++i) seen.note(on_2, 100, start + i * 1s);
  EXPECT_EQ(seen.lag(100, start + 3600s), 0s);
  EXPECT_EQ(seen.fresh_as_of(100), start + 3599s);
}

TEST(lag, grows_while_a_replica_stays_behind_and_ends_when_it_has_caught_up) {
  wal_history seen;
  seen.note(on_2, 100, start);
  seen.note(on_2, 200, start + 1s);
  seen.note(on_2, 300, start + 2s);
  EXPECT_EQ(seen.lag(150, start + 2s), 1s) << "first seen beyond 150 a second ago";
  EXPECT_EQ(seen.lag(150, start + 7s), 6s);
  EXPECT_EQ(seen.lag(200, start + 7s), 5s);
  EXPECT_EQ(seen.lag(300, start + 7s), 0s);
  EXPECT_EQ(seen.lag(301, start + 7s), 0s) << "further than the primary was when it was asked";
}

TEST(lag, is_not_negative_where_the_replica_answered_before_the_primary_was_asked) {
  wal_history seen;
  seen.note(on_2, 100, start);
  EXPECT_EQ(seen.lag(50, start - 1s), 0s);
}

TEST(lag, begins_anew_with_another_primary) {
  wal_history seen;
  seen.note(on_2, 1000, start);
  seen.note({.system = ours, .timeline = 3}, 500, start + 1s);
  EXPECT_EQ(seen.lag(500, start + 2s), 0s);
  EXPECT_EQ(seen.fresh_as_of(500), start + 1s);
  EXPECT_EQ(seen.fresh_as_of(499), std::nullopt);
}

TEST(freshness, is_when_the_primary_last_had_no_more_than_the_replica_has_now) {
  wal_history seen;
  seen.note(on_2, 100, start);
  seen.note(on_2, 100, start + 1s);
  seen.note(on_2, 200, start + 2s);
  EXPECT_EQ(seen.fresh_as_of(99), std::nullopt) << "older than all that is known";
  EXPECT_EQ(seen.fresh_as_of(100), start + 1s);
  EXPECT_EQ(seen.fresh_as_of(199), start + 1s);
  EXPECT_EQ(seen.fresh_as_of(200), start + 2s);
}

TEST(lag, of_a_replica_that_is_days_behind_is_still_about_right) {
  wal_history seen;
  constexpr int looks = 100000;
  for (int i = 0; i < looks; ++i) seen.note(on_2, 100 + static_cast<std::uint64_t>(i), start + i * 1s);
  const auto now = start + looks * 1s;
  const auto behind = seen.lag(100, now);
  ASSERT_TRUE(behind.has_value());
  EXPECT_GT(*behind, looks * 1s * 9 / 10);
  EXPECT_LE(*behind, looks * 1s);
  const auto as_of = seen.fresh_as_of(100 + looks / 2);
  ASSERT_TRUE(as_of.has_value());
  EXPECT_LE(*as_of, start + looks / 2 * 1s) << "never fresher than it is";
  EXPECT_EQ(seen.lag(100 + looks - 2, now), 1s) << "what is recent is exact";
}

}  // namespace
}  // namespace breakwater::routing
