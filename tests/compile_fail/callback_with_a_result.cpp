// What is called at the end of a transaction returns something.
// expect: what on_commit and on_rollback call returns nothing

#include <breakwater/breakwater.hpp>

void register_callback(bw::transaction& tx) {
#ifdef BREAKWATER_EXPECT_OK
  tx.on_commit([] { static_cast<void>(bw::result<void>(bw::success())); });
#else
  tx.on_commit([] { return bw::result<void>(bw::success()); });
#endif
}
