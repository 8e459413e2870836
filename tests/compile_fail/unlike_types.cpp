// A number compared with a text.
// expect: deleted
// expect-gcc: this_column_can_not_be_compared_with_a_value_of_that_type

#include <breakwater/breakwater.hpp>

struct Account {
  std::int64_t id{};
  std::string owner{};
};
template <>
inline constexpr auto breakwater::mapping<Account> = bw::table("accounts",
                                                               bw::column<&Account::id>("id", bw::primary_key),
                                                               bw::column<&Account::owner>("owner"));

auto query(const bw::repository<Account>& accounts) {
#ifdef BREAKWATER_EXPECT_OK
  return accounts.where(bw::col<&Account::id> == 42);
#else
  return accounts.where(bw::col<&Account::id> == "forty-two");
#endif
}
