// Looking into the trash of an entity that has none.
// expect-gcc: no matching function for call to .*only_trashed
// expect-clang: invalid reference to function 'only_trashed'

#include <breakwater/breakwater.hpp>

struct Account {
  std::int64_t id{};
  std::optional<bw::timestamptz> deleted_at{};
};
#ifdef BREAKWATER_EXPECT_OK
template <>
inline constexpr auto breakwater::mapping<Account> = bw::table("accounts",
                                                               bw::column<&Account::id>("id", bw::primary_key),
                                                               bw::column<&Account::deleted_at>("deleted_at",
                                                                                                bw::soft_delete));
#else
template <>
inline constexpr auto breakwater::mapping<Account> = bw::table("accounts",
                                                               bw::column<&Account::id>("id", bw::primary_key),
                                                               bw::column<&Account::deleted_at>("deleted_at"));
#endif

auto trash(const bw::repository<Account>& accounts) { return accounts.only_trashed().all(); }
