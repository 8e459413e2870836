// An index over a member that has no column.
// expect: breakwater: an index names a member that is not mapped

#include <breakwater/breakwater.hpp>

struct Account {
  std::int64_t id{};
  std::string owner{};
  std::string nickname{};
};
template <>
inline constexpr auto breakwater::mapping<Account> = bw::table("accounts",
                                                               bw::column<&Account::id>("id", bw::primary_key),
                                                               bw::column<&Account::owner>("owner"),
#ifdef BREAKWATER_EXPECT_OK
                                                               bw::index_on<&Account::owner>("by_name"));
#else
                                                               bw::index_on<&Account::nickname>("by_name"));
#endif

auto use(const bw::repository<Account>& accounts) { return accounts.get(1); }
