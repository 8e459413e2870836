// A selection into a struct whose fields can not hold it.
// expect: as many fields in T as are selected, in the same order

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

struct Report {
  std::string owner;
  std::int64_t count;
};

auto query(const bw::repository<Account>& accounts) {
#ifdef BREAKWATER_EXPECT_OK
  return accounts.query().select<Report>(bw::col<&Account::owner>, bw::count());
#else
  return accounts.query().select<Report>(bw::count(), bw::col<&Account::owner>);
#endif
}
