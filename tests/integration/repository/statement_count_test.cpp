// What each call of a repository costs: one statement, and so one round trip, unless its documentation says otherwise.

#include "support.hpp"

#include <string>
#include <vector>

namespace tests {
namespace {

using bw::asc;
using bw::col;

class statement_counts : public repository_test {
 protected:
  bw::session session = on_primary();
  bw::repository<account> accounts = session.repository<account>();

  /// How many statements the call takes; -1 where it fails.
  template <class Call>
  static int statements_of(const Call& call) {
    watcher().clear();
    const bool done = call().has_value();
    return done ? static_cast<int>(watcher().operations().size()) : -1;
  }
  account stored(const std::string& owner) {
    return accounts.insert({.owner = owner, .balance = bw::numeric{"1"}}).value();
  }
};

TEST_F(statement_counts, reading_takes_one_statement) {
  const account ada = stored("ada");
  const auto all = accounts.where(col<&account::balance> > 0).order_by(asc<&account::id>);
  EXPECT_EQ(statements_of([&] { return accounts.get(ada.id); }), 1);
  EXPECT_EQ(statements_of([&] { return accounts.find(ada.id); }), 1);
  EXPECT_EQ(statements_of([&] { return accounts.find(-1); }), 1);
  EXPECT_EQ(statements_of([&] { return accounts.exists(ada.id); }), 1);
  EXPECT_EQ(statements_of([&] { return accounts.count(); }), 1);
  EXPECT_EQ(statements_of([&] { return accounts.get_many({ada.id, ada.id + 1}); }), 1);
  EXPECT_EQ(statements_of([&] { return accounts.find_by<&account::owner>("ada"); }), 1);
  EXPECT_EQ(statements_of([&] { return accounts.get_by<&account::owner>("ada"); }), 1);
  EXPECT_EQ(statements_of([&] { return accounts.find_all_by<&account::owner>("ada"); }), 1);
  EXPECT_EQ(statements_of([&] { return all.all(); }), 1);
  EXPECT_EQ(statements_of([&] { return all.first(); }), 1);
  EXPECT_EQ(statements_of([&] { return all.last(); }), 1);
  EXPECT_EQ(statements_of([&] { return all.one(); }), 1);
  EXPECT_EQ(statements_of([&] { return all.count(); }), 1);
  EXPECT_EQ(statements_of([&] { return all.exists(); }), 1);
  EXPECT_EQ(statements_of([&] { return accounts.query().page(10); }), 1);
  EXPECT_EQ(statements_of([&] { return accounts.query().page(1, 10); }), 1);
  EXPECT_EQ(statements_of([&] { return accounts.query().page(9, 10); }), 1) << "behind the end too";
  EXPECT_EQ(statements_of([&] { return all.pluck<&account::id>().all(); }), 1);
  EXPECT_EQ(statements_of([&] { return all.sum<&account::balance>(); }), 1);
  EXPECT_EQ(statements_of([&] { return all.explain(); }), 1);
}

TEST_F(statement_counts, writing_takes_one_statement) {
  account ada = stored("ada");
  const account bob = stored("bob");
  const auto of_bob = accounts.where(col<&account::owner> == "bob");
  EXPECT_EQ(statements_of([&] { return accounts.insert({.owner = "cid"}); }), 1);
  EXPECT_EQ(statements_of([&] { return accounts.insert_many({{.owner = "dan"}, {.owner = "eve"}}); }), 1);
  EXPECT_EQ(statements_of([&] { return accounts.insert_many({}); }), 0) << "nothing to do, nothing sent";
  EXPECT_EQ(statements_of([&] { return accounts.upsert({.owner = "eve"}, bw::conflict<&account::owner>); }), 1);
  EXPECT_EQ(
      statements_of([&] { return accounts.upsert({.owner = "eve"}, bw::conflict<&account::owner>, bw::do_nothing); }),
      1);
  EXPECT_EQ(statements_of([&] { return accounts.find_or_insert({.owner = "fay"}, bw::conflict<&account::owner>); }), 1);
  EXPECT_EQ(statements_of([&] { return accounts.update(ada); }), 1);
  EXPECT_EQ(statements_of([&] { return accounts.patch(ada.id, bw::set<&account::balance>(bw::numeric{"2"})); }), 1);
  EXPECT_EQ(statements_of([&] { return accounts.remove(ada.id); }), 1);
  EXPECT_EQ(statements_of([&] { return accounts.restore(ada.id); }), 1);
  EXPECT_EQ(statements_of([&] { return accounts.purge(ada.id); }), 1);
  EXPECT_EQ(statements_of([&] { return of_bob.update_all(bw::set<&account::balance>(bw::numeric{"3"})); }), 1);
  EXPECT_EQ(statements_of([&] { return of_bob.delete_all(); }), 1);
  EXPECT_EQ(statements_of([&] { return accounts.only_trashed().every_row().purge_all(); }), 1);
  EXPECT_EQ(bob.version, 1);
}

TEST_F(statement_counts, what_takes_more_says_so_in_its_documentation) {
  const account ada = stored("ada");
  ASSERT_OK(accounts.update(ada));
  watcher().clear();
  EXPECT_ERROR(accounts.update(ada), errc::stale_version);
  EXPECT_EQ(watcher().operations().size(), 2U) << "the second one tells stale from absent";
  EXPECT_EQ(statements_of([&] { return accounts.find_or_insert({.owner = "ada"}, bw::conflict<&account::owner>); }), 2)
      << "the row is there, and is read";
}

TEST_F(statement_counts, an_empty_list_of_keys_sends_nothing) {
  EXPECT_EQ(statements_of([&] { return accounts.get_many(std::vector<std::int64_t>{}); }), 0);
  EXPECT_EQ(statements_of([&] { return accounts.copy_in(std::vector<account>{}); }), 0);
}

}  // namespace
}  // namespace tests
