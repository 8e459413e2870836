// A stream whose rows its handler does not take.
// expect: what is called for each row

#include <breakwater/breakwater.hpp>

struct Account {
  std::int64_t id{};
};
template <>
inline constexpr auto breakwater::mapping<Account> = bw::table("accounts",
                                                               bw::column<&Account::id>("id", bw::primary_key));

struct Entry {};

#ifdef BREAKWATER_EXPECT_OK
auto stream(const bw::repository<Account>& accounts) {
  return accounts.query().stream([](const Account&) {});
}
#else
auto stream(const bw::repository<Account>& accounts) {
  return accounts.query().stream([](const Entry&) {});
}
#endif
