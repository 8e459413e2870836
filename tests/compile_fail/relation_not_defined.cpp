// A member that no relation fills.
// expect: breakwater: this member has no relation in its entity.s mapping

#include <breakwater/breakwater.hpp>

struct Entry;
struct Account {
  std::int64_t id{};
  std::string owner{};
  bw::many<Entry> entries{};
};
struct Entry {
  std::int64_t id{};
  std::optional<std::int64_t> account_id{};
  std::int32_t small_id{};
  bw::one<Account> account{};
};
template <>
inline constexpr auto breakwater::mapping<Account> = bw::table("accounts",
                                                               bw::column<&Account::id>("id", bw::primary_key),
                                                               bw::column<&Account::owner>("owner"),
                                                               bw::has_many<&Account::entries, &Entry::account_id>());
template <>
inline constexpr auto breakwater::mapping<Entry> = bw::table("entries", bw::column<&Entry::id>("id", bw::primary_key),
                                                             bw::column<&Entry::account_id>("account_id"),
                                                             bw::column<&Entry::small_id>("small_id"),
                                                             bw::belongs_to<&Entry::account, &Entry::account_id>());

auto all(const bw::repository<Account>& accounts) {
#ifdef BREAKWATER_EXPECT_OK
  return accounts.query().include<&Account::entries>().all();
#else
  return accounts.query().include<&Account::owner>().all();
#endif
}
