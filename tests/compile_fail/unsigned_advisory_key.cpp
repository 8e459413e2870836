// An advisory lock's key that may not fit its 64 bits.
// expect: an advisory lock's key is a signed number of 64 bits

#include <breakwater/breakwater.hpp>

auto lock(bw::transaction& tx, std::uint64_t key) {
#ifdef BREAKWATER_EXPECT_OK
  return tx.advisory_lock(static_cast<std::int64_t>(key));
#else
  return tx.advisory_lock(key);
#endif
}
