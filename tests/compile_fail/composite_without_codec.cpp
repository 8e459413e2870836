// A composite type with a member that no codec knows.
// expect: breakwater: a member of this composite type has no bw::codec; specialise one

#include <breakwater/breakwater.hpp>

struct address {
  std::string street{};
#ifdef BREAKWATER_EXPECT_OK
  std::int32_t number{};
#else
  unsigned number{};
#endif
};

template <>
inline constexpr auto breakwater::composite<address> = bw::composite_type("address", &address::street,
                                                                          &address::number);
