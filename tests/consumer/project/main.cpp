// What a user's program looks like to the compiler: one mapping, and every kind of operation instantiated. It has no
// server to talk to, and says so.

#include <breakwater/breakwater.hpp>

#include <iostream>
#include <string>
#include <vector>

struct Account {
  std::int64_t id{};
  std::string owner{};
  bw::numeric balance{};
  std::int32_t version{};
  std::optional<bw::timestamptz> deleted_at{};
};

template <>
inline constexpr auto breakwater::mapping<Account> =
    bw::table("accounts", bw::column<&Account::id>("id", bw::primary_key, bw::generated),
              bw::column<&Account::owner>("owner", bw::sensitive), bw::column<&Account::balance>("balance"),
              bw::column<&Account::version>("version", bw::version),
              bw::column<&Account::deleted_at>("deleted_at", bw::soft_delete));

struct OwnerTotal {
  std::string owner;
  bw::numeric total;
};

namespace {

using namespace std::chrono_literals;

bw::result<void> use_everything(const bw::database& db) {
  bw::session session = db.session({.timeout = 200ms});
  auto accounts = session.repository<Account>();
  BOOST_OUTCOME_TRY(auto ada, accounts.insert({.owner = "ada", .balance = bw::numeric{"10.00"}}));
  ada.balance = bw::numeric{"15.00"};
  BOOST_OUTCOME_TRY(ada, accounts.update(ada));
  BOOST_OUTCOME_TRY(auto same, accounts.get(ada.id));
  BOOST_OUTCOME_TRY(auto maybe, accounts.find(same.id));
  BOOST_OUTCOME_TRY(accounts.patch(ada.id, bw::set<&Account::owner>("eve")));
  const std::vector<std::string> names{"ada", "eve"};
  BOOST_OUTCOME_TRY(
      auto page, accounts.where((bw::col<&Account::balance> > bw::numeric{"5"}) && bw::col<&Account::owner>.in(names))
                     .order_by(bw::desc<&Account::balance>, bw::asc<&Account::id>)
                     .limit(20)
                     .all());
  BOOST_OUTCOME_TRY(accounts.where(bw::col<&Account::id> == 1).delete_all());
  BOOST_OUTCOME_TRY(accounts.remove(ada.id));
  BOOST_OUTCOME_TRY(accounts.restore(ada.id));
  BOOST_OUTCOME_TRY(auto report, session
                                     .query("select owner, sum(balance) total from accounts where balance > :least "
                                            "group by owner",
                                            bw::arg("least", 5))
                                     .as<OwnerTotal>());
  if (maybe && page.empty() && report.empty()) return bw::errc::internal;
  return session.transact(
      [&](bw::transaction& tx) -> bw::result<void> {
        BOOST_OUTCOME_TRY(tx.repository<Account>().remove(ada));
        return bw::success();
      },
      {.isolation = bw::isolation::serializable});
}

}  // namespace

int main() {
  bw::config config;
  config.nodes = {"postgresql://app:s3cr3t@127.0.0.1:1/shop"};
  const auto db = bw::database::open(config);
  if (db) return use_everything(db.value()) ? 0 : 1;
  std::cout << "consumer of " << bw::library_version() << ": " << db.error().message() << '\n';
  return db.error().code() == bw::errc::connection_failed ? 0 : 1;
}
