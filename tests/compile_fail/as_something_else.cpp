// Rows read into a type that nothing can be read into.
// expect: breakwater: as<T> needs

#include <breakwater/breakwater.hpp>

#include <map>

auto rows(const bw::session& session) {
#ifdef BREAKWATER_EXPECT_OK
  return session.query("select 1").as<std::int64_t>();
#else
  return session.query("select 1").as<std::map<int, int>>();
#endif
}
