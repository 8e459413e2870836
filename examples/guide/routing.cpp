// Nodes, freshness and tokens: docs/routing.md.

#include "guide.hpp"

#include <string>

using guide::expect;
using namespace std::chrono_literals;

struct Note {
  std::int64_t id{};
  std::string text{};
};
template <>
inline constexpr auto breakwater::mapping<Note> = bw::table("notes",
                                                            bw::column<&Note::id>("id", bw::primary_key, bw::generated),
                                                            bw::column<&Note::text>("text"));

bw::result<void> look_at_nodes(const bw::database& db) {
  // [nodes]
  for (const bw::node_stats& node : db.stats()) {
    std::printf("%s: %s, %s, timeline %u, %lld ms behind\n", node.node.c_str(),
                std::string(to_string(node.role)).c_str(), node.confirmed ? "confirmed" : "not confirmed",
                node.timeline, node.lag ? static_cast<long long>(*node.lag / 1ms) : -1);
  }
  // [/nodes]
  expect(db.stats().front().confirmed);
  return bw::success();
}

bw::result<void> choose_freshness(const bw::database& db) {
  // [consistency]
  bw::session checkout = db.session();  // reads its own writes
  bw::session report = db.session({.consistency = bw::consistency::bounded(30s)});
  bw::session search = db.session({.consistency = bw::consistency::eventual});
  bw::session audit = db.session({.consistency = bw::consistency::primary});
  // [/consistency]
  for (bw::session* each : {&checkout, &report, &search, &audit}) {
    BOOST_OUTCOME_TRY(const auto one, each->query("select 1").read_only().one<std::int32_t>());
    expect(one == 1);
  }
  return bw::success();
}

bw::result<void> carry_a_token(const bw::database& db) {
  // [token]
  bw::session writes = db.session();
  BOOST_OUTCOME_TRY(const auto note, writes.repository<Note>().insert({.text = "milk"}));
  const std::string cookie = writes.token().to_string();

  // In the next request, on any machine. A cookie that is no token is as none.
  const auto token = bw::causality_token::parse(cookie);
  bw::session reads = db.session({.after = token ? token.value() : bw::causality_token{}});
  BOOST_OUTCOME_TRY(const auto same, reads.repository<Note>().get(note.id));  // not "not found", whoever answers
  // [/token]
  expect(same.text == "milk");
  expect(reads.causality() != bw::causality::not_vouched);
  return bw::success();
}

bw::result<void> topic(const bw::database& db) {
  BOOST_OUTCOME_TRY(guide::prepare(
      db.session(), {"create table notes (id bigint generated always as identity primary key, text text not null)"}));
  BOOST_OUTCOME_TRY(look_at_nodes(db));
  BOOST_OUTCOME_TRY(choose_freshness(db));
  return carry_a_token(db);
}

int main() { return guide::run(topic); }
