// A test against a primary and a replica that lags: docs/testing.md. Brings its own servers.

#include "guide.hpp"
#include <breakwater/testing/cluster.hpp>

using guide::expect;

struct Note {
  std::int64_t id{};
  std::string text{};
};

template <>
inline constexpr auto breakwater::mapping<Note> = bw::table("notes", bw::column<&Note::id>("id", bw::primary_key),
                                                            bw::column<&Note::text>("text"));

// [lag]
bw::result<void> a_session_reads_what_it_wrote_although_the_replica_lags() {
  BOOST_OUTCOME_TRY(auto cluster, bw::testing::cluster::start({.replicas = 1}));
  BOOST_OUTCOME_TRY(cluster.execute("create table notes (id int8 primary key, text text not null)"));
  BOOST_OUTCOME_TRY(cluster.wait_for_replay(cluster.replica(0)));

  bw::config config;
  config.nodes = cluster.dsns();
  BOOST_OUTCOME_TRY(auto db, bw::database::open(config));

  // From here on the replica stands still.
  BOOST_OUTCOME_TRY(cluster.pause_replay(cluster.replica(0)));
  bw::session writer = db.session();
  BOOST_OUTCOME_TRY(writer.repository<Note>().insert({.id = 1, .text = "hello"}));

  BOOST_OUTCOME_TRY(const Note own, writer.repository<Note>().get(1));
  expect(own.text == "hello");
  bw::session reader = db.session({.consistency = bw::consistency::eventual});
  BOOST_OUTCOME_TRY(const bool visible, reader.repository<Note>().exists(1));
  expect(!visible);  // read from the replica, which has not heard of it

  BOOST_OUTCOME_TRY(cluster.resume_replay(cluster.replica(0)));
  BOOST_OUTCOME_TRY(cluster.wait_for_replay(cluster.replica(0)));
  BOOST_OUTCOME_TRY(const bool later, reader.repository<Note>().exists(1));
  expect(later);
  return bw::success();
}
// [/lag]

int main() {
  const auto done = a_session_reads_what_it_wrote_although_the_replica_lags();
  if (!done) std::fprintf(stderr, "%s\n", done.error().message().c_str());
  return done ? 0 : 1;
}
