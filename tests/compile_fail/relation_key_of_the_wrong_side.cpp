// A has_many whose foreign key stands in the entity itself.
// expect: breakwater: the foreign key of a has_many is a member of the related entity

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
#ifdef BREAKWATER_EXPECT_OK
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
#else
template <>
inline constexpr auto breakwater::mapping<Account> = bw::table("accounts",
                                                               bw::column<&Account::id>("id", bw::primary_key),
                                                               bw::column<&Account::owner>("owner"),
                                                               bw::has_many<&Account::entries, &Account::id>());
template <>
inline constexpr auto breakwater::mapping<Entry> = bw::table("entries", bw::column<&Entry::id>("id", bw::primary_key),
                                                             bw::column<&Entry::account_id>("account_id"),
                                                             bw::column<&Entry::small_id>("small_id"),
                                                             bw::belongs_to<&Entry::account, &Entry::account_id>());
#endif

auto all(const bw::repository<Account>& accounts) { return accounts.query().include<&Account::entries>().all(); }
