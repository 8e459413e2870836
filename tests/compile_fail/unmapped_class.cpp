// A condition on a member of a class without a mapping.
// expect: the class of this member has no mapping; specialise breakwater::mapping

#include <breakwater/breakwater.hpp>

struct Account {
  std::int64_t id{};
};
#ifdef BREAKWATER_EXPECT_OK
template <>
inline constexpr auto breakwater::mapping<Account> = bw::table("accounts",
                                                               bw::column<&Account::id>("id", bw::primary_key));
#endif

bool query() { return bw::col<&Account::id>.sql_name().empty(); }
