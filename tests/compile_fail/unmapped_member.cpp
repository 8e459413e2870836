// A condition on a member that has no column.
// expect: this member is not mapped; add a bw::column for it

#include <breakwater/breakwater.hpp>

struct Account {
  std::int64_t id{};
  std::string owner{};
  std::string nickname{};
};
template <>
inline constexpr auto breakwater::mapping<Account> = bw::table("accounts",
                                                               bw::column<&Account::id>("id", bw::primary_key),
                                                               bw::column<&Account::owner>("owner"));

auto query(const bw::repository<Account>& accounts) {
#ifdef BREAKWATER_EXPECT_OK
  return accounts.where(bw::col<&Account::owner> == "ada");
#else
  return accounts.where(bw::col<&Account::nickname> == "ada");
#endif
}
