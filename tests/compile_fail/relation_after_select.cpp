// Relations of a query that answers values and no entities.
// expect: breakwater: include\(\) loads relations of entities, and select\(\) answers none

#include <breakwater/breakwater.hpp>

struct Entry;
struct Account {
  std::int64_t id{};
  bw::many<Entry> entries{};
};
struct Entry {
  std::int64_t id{};
  std::int64_t account_id{};
};
template <>
inline constexpr auto breakwater::mapping<Account> = bw::table("accounts",
                                                               bw::column<&Account::id>("id", bw::primary_key),
                                                               bw::has_many<&Account::entries, &Entry::account_id>());
template <>
inline constexpr auto breakwater::mapping<Entry> = bw::table("entries", bw::column<&Entry::id>("id", bw::primary_key),
                                                             bw::column<&Entry::account_id>("account_id"));

auto query(const bw::repository<Account>& accounts) {
#ifdef BREAKWATER_EXPECT_OK
  return accounts.query().include<&Account::entries>().all();
#else
  return accounts.query().pluck<&Account::id>().include<&Account::entries>().all();
#endif
}
