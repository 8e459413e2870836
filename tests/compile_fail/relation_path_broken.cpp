// A path whose second member does not belong to the entity that the first leads to.
// expect: breakwater: a path of relations begins with a member of the entity that is read

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

auto load(const bw::repository<Account>& accounts, Account& into) {
#ifdef BREAKWATER_EXPECT_OK
  return accounts.load<&Account::entries, &Entry::account>(into);
#else
  return accounts.load<&Account::entries, &Account::entries>(into);
#endif
}
