// A mapping with the same column twice.
// expect: two mapped columns have the same name

#include <breakwater/breakwater.hpp>

struct Account {
  std::int64_t id{};
  std::string owner{};
};
#ifdef BREAKWATER_EXPECT_OK
template <>
inline constexpr auto breakwater::mapping<Account> = bw::table("accounts",
                                                               bw::column<&Account::id>("id", bw::primary_key),
                                                               bw::column<&Account::owner>("owner"));
#else
template <>
inline constexpr auto breakwater::mapping<Account> = bw::table("accounts",
                                                               bw::column<&Account::id>("id", bw::primary_key),
                                                               bw::column<&Account::owner>("id"));
#endif

auto get(const bw::repository<Account>& accounts) { return accounts.get(1); }
