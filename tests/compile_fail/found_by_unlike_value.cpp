// A text column found by a number.
// expect: breakwater: this column can not be compared with a value of that type

#include <breakwater/breakwater.hpp>

struct Account {
  std::int64_t id{};
  std::string owner{};
};
template <>
inline constexpr auto breakwater::mapping<Account> = bw::table(
    "accounts", bw::column<&Account::id>("id", bw::primary_key, bw::generated), bw::column<&Account::owner>("owner"));

auto write(const bw::repository<Account>& accounts) {
#ifdef BREAKWATER_EXPECT_OK
  return accounts.find_by<&Account::owner>("ada");
#else
  return accounts.find_by<&Account::owner>(7);
#endif
}
