// Entities of the first table, where a row need not have one.
// expect: select\(bw::row_of<E>\), which answers optionals

#include <breakwater/breakwater.hpp>

struct Account {
  std::int64_t id{};
  std::string owner{};
  std::int32_t hits{};
  std::optional<std::int32_t> rank{};
};
template <>
inline constexpr auto breakwater::mapping<Account> = bw::table("accounts",
                                                               bw::column<&Account::id>("id", bw::primary_key),
                                                               bw::column<&Account::owner>("owner"),
                                                               bw::column<&Account::hits>("hits"),
                                                               bw::column<&Account::rank>("rank"));

struct Entry {
  std::int64_t id{};
  std::int64_t account_id{};
  std::int32_t amount{};
};
template <>
inline constexpr auto breakwater::mapping<Entry> = bw::table("entries", bw::column<&Entry::id>("id", bw::primary_key),
                                                             bw::column<&Entry::account_id>("account_id"),
                                                             bw::column<&Entry::amount>("amount"));

auto query(const bw::repository<Account>& accounts) {
#ifdef BREAKWATER_EXPECT_OK
  return accounts.query()
      .right_join<Entry>(bw::col<&Entry::account_id> == bw::col<&Account::id>)
      .select(bw::row_of<Account>)
      .all();
#else
  return accounts.query().right_join<Entry>(bw::col<&Entry::account_id> == bw::col<&Account::id>).all();
#endif
}
