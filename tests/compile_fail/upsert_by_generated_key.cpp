// An upsert by a key that is never sent.
// expect: breakwater: the primary key is made by the database

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
  return accounts.upsert({}, bw::conflict<&Account::owner>);
#else
  return accounts.upsert({});
#endif
}
