#pragma once

// What the guide's programs share: a database from the environment, and expectations that count.

#include <breakwater/breakwater.hpp>

#include <cstdio>
#include <cstdlib>

namespace guide {

/// Ends the program where something does not hold that the guide says.
inline void expect(bool holds, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%d: this does not hold\n", file, line);
  std::exit(1);
}

/// Runs a topic on the database that DATABASE_URL names. The program's exit code.
inline int run(bw::result<void> (*topic)(const bw::database&)) {
  const auto done = [topic]() -> bw::result<void> {
    BOOST_OUTCOME_TRY(const auto config, bw::config::from_environment());
    BOOST_OUTCOME_TRY(const auto db, bw::database::open(config));
    return topic(db);
  }();
  if (!done) std::fprintf(stderr, "%s\n", done.error().message().c_str());
  return done ? 0 : 1;
}

/// Runs statements one by one, such as those that make a topic's tables.
inline bw::result<void> prepare(const bw::session& session, std::initializer_list<const char*> statements) {
  for (const char* sql : statements) {
    BOOST_OUTCOME_TRY(session.query(sql).unprepared().execute());
  }
  return bw::success();
}

}  // namespace guide
