// A COPY of entities into the repository of others.
// expect: copy_in takes a range of the repository's entity

#include <breakwater/breakwater.hpp>

#include <vector>

struct Account {
  std::int64_t id{};
};
template <>
inline constexpr auto breakwater::mapping<Account> = bw::table("accounts",
                                                               bw::column<&Account::id>("id", bw::primary_key));

struct Entry {
  std::int64_t id{};
};
template <>
inline constexpr auto breakwater::mapping<Entry> = bw::table("entries", bw::column<&Entry::id>("id", bw::primary_key));

#ifdef BREAKWATER_EXPECT_OK
auto copy(const bw::repository<Account>& accounts, const std::vector<Account>& all) { return accounts.copy_in(all); }
#else
auto copy(const bw::repository<Account>& accounts, const std::vector<Entry>& all) { return accounts.copy_in(all); }
#endif
