// A literal that is no such value.
// expect: this_.*numeric|numeric

#include <breakwater/breakwater.hpp>

bw::numeric price() {
#ifdef BREAKWATER_EXPECT_OK
  return bw::numeric{"10.00"};
#else
  return bw::numeric{"10,00"};
#endif
}
