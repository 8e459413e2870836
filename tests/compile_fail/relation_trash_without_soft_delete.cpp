// Related rows in the trash of a table that has none.
// expect: breakwater: with_trashed needs the related entity to have a bw::soft_delete column

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
  return accounts.load<&Account::entries>(into);
#else
  return accounts.load<&Account::entries>(into, bw::with_trashed);
#endif
}
