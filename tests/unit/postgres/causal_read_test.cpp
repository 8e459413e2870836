// Every row of the tables in causal_read.hpp, and how places in a log are read.

#include "postgres/causal_read.hpp"

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <optional>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using breakwater::causality_token;
using breakwater::deadline;
using breakwater::rows;
using namespace breakwater::postgres;

constexpr std::uint64_t ours = 77;
constexpr std::uint64_t home = 5;
constexpr deadline::clock::time_point opened{1000s};
constexpr causality_token wanted = causality_token::at(ours, 2, 500);

known_server primary(std::uint32_t timeline) {
  return {.system = ours, .place = home, .timeline = timeline, .is_primary = true, .block_size = 8192};
}
known_server replica(std::uint32_t timeline, std::uint64_t position) {
  return {.system = ours, .place = home, .timeline = timeline, .position = position, .block_size = 8192};
}
read_finding known(const causality_token& after, const known_server& server, bool on_primary,
                   std::optional<seen_replay> seen = std::nullopt) {
  return known_finding({.after = after, .seen = seen}, server, opened, on_primary);
}

TEST(known_finding, a_replica_that_told_this_connection_of_it_has_it) {
  EXPECT_EQ(known(wanted, replica(2, 500), false), read_finding::kept);
  EXPECT_EQ(known(wanted, replica(2, 499), false), read_finding::unknown);
  EXPECT_EQ(known(wanted, replica(1, 900), false), read_finding::unknown);
  EXPECT_EQ(known(wanted, replica(3, 900), false), read_finding::unknown);
}

TEST(known_finding, a_primary_of_the_same_history_has_it_and_another_can_not_vouch) {
  EXPECT_EQ(known(wanted, primary(2), true), read_finding::kept);
  EXPECT_EQ(known(wanted, primary(3), true), read_finding::not_vouched);
  EXPECT_EQ(known(causality_token::at(ours + 1, 2, 1), primary(2), true), read_finding::not_vouched);
  EXPECT_EQ(known(causality_token::position_unknown(ours, 2), primary(2), true), read_finding::kept);
  EXPECT_EQ(known(causality_token::position_unknown(ours, 1), primary(2), true), read_finding::not_vouched);
}

TEST(known_finding, of_a_write_without_timeline_the_primary_is_all_there_is_to_ask) {
  EXPECT_EQ(known(causality_token::position_unknown(), known_server{}, true), read_finding::kept);
  EXPECT_EQ(known(causality_token::position_unknown(), primary(9), true), read_finding::kept);
}

TEST(known_finding, an_unknown_position_is_on_no_replica) {
  EXPECT_EQ(known(causality_token::position_unknown(ours, 2), replica(2, ~0ULL), false), read_finding::behind);
  EXPECT_EQ(known(causality_token::position_unknown(), known_server{}, false), read_finding::behind);
}

TEST(known_finding, a_replica_of_another_system_is_not_asked) {
  EXPECT_EQ(known(causality_token::at(ours + 1, 2, 500), replica(2, 900), false), read_finding::behind);
}

TEST(known_finding, what_another_connection_saw_counts_for_one_that_stood_before) {
  const seen_replay seen{.system = ours, .timeline = 2, .position = 500, .place = home, .asked_at = opened};
  EXPECT_EQ(known(wanted, replica(2, 0), false, seen), read_finding::kept);
  auto other = seen;
  other.asked_at = opened - 1ns;
  EXPECT_EQ(known(wanted, replica(2, 0), false, other), read_finding::unknown) << "restarted in between, perhaps";
  other = seen;
  other.place = home + 1;
  EXPECT_EQ(known(wanted, replica(2, 0), false, other), read_finding::unknown) << "another server behind the name";
  other = seen;
  other.position = 499;
  EXPECT_EQ(known(wanted, replica(2, 0), false, other), read_finding::unknown);
  other = seen;
  other.timeline = 3;
  EXPECT_EQ(known(wanted, replica(2, 0), false, other), read_finding::unknown);
  EXPECT_EQ(known(wanted, known_server{}, false, seen), read_finding::unknown) << "behind a proxy nothing is known";
}

TEST(finding_of, follows_its_table) {
  const place good{.system = ours, .timeline = 2, .position = 500, .is_replica = true, .per_statement = true};
  EXPECT_EQ(finding_of(wanted, good), read_finding::kept);
  auto said = good;
  said.position = 499;
  EXPECT_EQ(finding_of(wanted, said), read_finding::behind);
  for (const std::uint32_t timeline : {0U, 1U, 3U}) {
    said = good;
    said.timeline = timeline;
    EXPECT_EQ(finding_of(wanted, said), read_finding::behind) << timeline;
  }
  said = good;
  said.system = ours + 1;
  EXPECT_EQ(finding_of(wanted, said), read_finding::behind);
  said = good;
  said.per_statement = false;
  EXPECT_EQ(finding_of(wanted, said), read_finding::behind) << "its view is older than its word";
  EXPECT_EQ(finding_of(causality_token::position_unknown(ours, 2), good), read_finding::behind);
  EXPECT_EQ(finding_of(wanted, std::nullopt), read_finding::behind);

  const place first{.system = ours, .timeline = 2};
  EXPECT_EQ(finding_of(wanted, first), read_finding::kept);
  EXPECT_EQ(finding_of(causality_token::position_unknown(), first), read_finding::kept);
  said = first;
  said.timeline = 3;
  EXPECT_EQ(finding_of(wanted, said), read_finding::not_vouched);
  said.timeline = 0;
  EXPECT_EQ(finding_of(wanted, said), read_finding::not_vouched);
}

TEST(log_positions, are_read_as_the_server_writes_them) {
  EXPECT_EQ(parse_position("16/B374D848"), 0x16'B374D848U);
  EXPECT_EQ(parse_position("0/0"), 0U);
  EXPECT_EQ(parse_position("FFFFFFFF/FFFFFFFF"), ~0ULL);
  for (const char* wrong : {"", "/", "16", "16/", "/16", "16/B374D848 ", "G/1", "1/123456789", "-1/1"}) {
    EXPECT_FALSE(parse_position(wrong)) << wrong;
  }
}

TEST(log_positions, behind_a_page_header_are_the_end_of_the_page_before) {
  EXPECT_EQ(without_page_header(8192 + 24, 8192), 8192U);
  EXPECT_EQ(without_page_header(0x1000000 + 40, 8192), 0x1000000U);
  EXPECT_EQ(without_page_header(8192 + 48, 8192), 8192U + 48);
  EXPECT_EQ(without_page_header(8192 + 24, 16384), 8192U + 24) << "in the middle of a larger page";
}

/// One row as a server would answer it; null pointers are NULL.
rows answer(const std::vector<const char*>& cells) {
  PGresult* made = PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK);
  std::vector<PGresAttDesc> columns(cells.size());
  std::string name = "c";
  for (auto& each : columns) each.name = name.data();
  PQsetResultAttrs(made, static_cast<int>(columns.size()), columns.data());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    std::string text = cells[i] == nullptr ? "" : cells[i];
    PQsetvalue(made, 0, static_cast<int>(i), text.data(), cells[i] == nullptr ? -1 : static_cast<int>(text.size()));
  }
  return rows(made);
}

constexpr int backend = 4711;
constexpr const char* file = "000000020000000000000001";

TEST(tokens, of_a_commit_that_was_flushed_are_at_the_flush_position) {
  known_server server;
  const auto token =
      read_token(answer({"on"}), answer({"4711", file, "0/200", "0/300", "77", "here", "8192"}), backend, server);
  EXPECT_EQ(token, causality_token::at(ours, 2, 0x200));
  EXPECT_TRUE(server.is_primary);
  EXPECT_EQ(server.timeline, 2U);
  // From now on the server need not say who it is.
  EXPECT_EQ(read_token(answer({"local"}), answer({"4711", file, "0/400", "0/500"}), backend, server),
            causality_token::at(ours, 2, 0x400));
}

TEST(tokens, of_a_commit_that_nobody_waited_for_are_at_the_insert_position) {
  known_server server;
  EXPECT_EQ(
      read_token(answer({"off"}), answer({"4711", file, "0/200", "0/300", "77", "here", "8192"}), backend, server),
      causality_token::at(ours, 2, 0x300));
  EXPECT_EQ(read_token(rows(), answer({"4711", file, "0/200", "0/2018"}), backend, server),
            causality_token::at(ours, 2, 0x2000))
      << "not known whether: the later one, without its page's header";
}

TEST(tokens, behind_a_proxy_nothing_is_remembered) {
  known_server server;
  EXPECT_EQ(read_token(answer({"on"}), answer({"1", file, "0/200", "0/300", "77", "here", "8192"}), backend, server),
            causality_token::at(ours, 2, 0x200));
  EXPECT_FALSE(server.is_known());
  server = primary(2);
  EXPECT_EQ(read_token(answer({"on"}), answer({"1", file, "0/200", "0/300"}), backend, server),
            causality_token::position_unknown())
      << "another server process answers: which system it is of is not known";
  EXPECT_FALSE(server.is_known());
}

TEST(tokens, that_can_not_be_read_are_of_unknown_position) {
  known_server server = primary(2);
  EXPECT_EQ(read_token(answer({"on"}), rows(), backend, server), causality_token::position_unknown(ours, 2));
  EXPECT_EQ(read_token(answer({"on"}), answer({"4711", file, nullptr, nullptr}), backend, server),
            causality_token::position_unknown(ours, 2));
  EXPECT_EQ(read_token(answer({"on"}), answer({"4711", nullptr, "0/200", "0/300"}), backend, server),
            causality_token::position_unknown());
}

TEST(places, of_replicas_are_remembered_as_long_as_the_connection_is) {
  known_server server;
  const auto said =
      read_place(answer({"4711", "2", "0/200", "t", "read committed", "77", "here", "8192"}), backend, server);
  ASSERT_TRUE(said);
  EXPECT_TRUE(said->is_replica && said->per_statement);
  EXPECT_EQ(said->timeline, 2U);
  EXPECT_EQ(server.position, 0x200U);
  const auto later = read_place(answer({"4711", nullptr, "0/300", "t", "read committed"}), backend, server);
  ASSERT_TRUE(later);
  EXPECT_EQ(later->timeline, 0U) << "it follows nobody now";
  EXPECT_EQ(server.position, 0x200U) << "what it has replayed it has";
  EXPECT_EQ(server.timeline, 2U);
}

TEST(places, without_a_known_server_are_none) {
  known_server server;
  EXPECT_FALSE(read_place(answer({"4711", "2", "0/200", "t", "read committed"}), backend, server));
  EXPECT_FALSE(read_place(rows(), backend, server));
}

}  // namespace
