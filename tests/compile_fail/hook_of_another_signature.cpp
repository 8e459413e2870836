// A hook that can not be called as one.
// expect: breakwater: hooks<E>::before_insert is a static bw::result<void>

#include <breakwater/breakwater.hpp>

struct Account {
  std::int64_t id{};
  std::string owner{};
};
template <>
inline constexpr auto breakwater::mapping<Account> = bw::table("accounts",
                                                               bw::column<&Account::id>("id", bw::primary_key),
                                                               bw::column<&Account::owner>("owner"));
template <>
struct breakwater::hooks<Account> {
#ifdef BREAKWATER_EXPECT_OK
  static bw::result<void> before_insert(bw::hook_context&, Account&) { return bw::success(); }
#else
  static bw::result<void> before_insert(Account&) { return bw::success(); }
#endif
};

auto write(const bw::repository<Account>& accounts) { return accounts.insert({}); }
