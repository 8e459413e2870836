// PostgreSQL has no ranges of text.
// expect: breakwater: a range is of std::int32_t, std::int64_t, bw::numeric, bw::date, bw::timestamp or

#include <breakwater/breakwater.hpp>

#ifdef BREAKWATER_EXPECT_OK
bw::range<std::int32_t> some;
#else
bw::range<std::string> some;
#endif
