// A repository of a class without a mapping.
// expect: constraints not satisfied|constraint
// expect: entity

#include <breakwater/breakwater.hpp>

struct Account {
  std::int64_t id{};
};
#ifdef BREAKWATER_EXPECT_OK
template <>
inline constexpr auto breakwater::mapping<Account> = bw::table("accounts",
                                                               bw::column<&Account::id>("id", bw::primary_key));
#endif

auto accounts(const bw::session& session) { return session.repository<Account>(); }
