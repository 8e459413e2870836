// A sum compared before there are groups.
// expect: put its condition into having

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
      .select(bw::col<&Account::owner>)
      .group_by(bw::col<&Account::owner>)
      .having(bw::sum(bw::col<&Account::hits>) > 5);
#else
  return accounts.query().where(bw::sum(bw::col<&Account::hits>) > 5);
#endif
}
