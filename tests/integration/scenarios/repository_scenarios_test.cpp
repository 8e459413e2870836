// Rows of one table from end to end: what comes back, what is stored, and what is refused.

#include "bank.hpp"

#include <functional>
#include <tuple>

namespace scenarios {
namespace {

using bw::asc;
using bw::col;

class scenarios_repository : public scenario {
 protected:
  static void SetUpTestSuite() { open(bank_schema()); }
  void SetUp() override {
    behind_the_back(empty_bank);
    script = {};
    (void)sent();
  }

  Customer customer(const std::string& name) {
    auto added = customers.insert({.email = name + "@example.org", .name = name});
    EXPECT_OK(added);
    return added ? added.value() : Customer{};
  }
  Account account(const Customer& of, const std::string& label, bw::numeric balance = bw::numeric{"10.00"}) {
    auto added = accounts.insert({.customer_id = of.id, .label = label, .balance = std::move(balance)});
    EXPECT_OK(added);
    return added ? added.value() : Account{};
  }
  /// The row as the server holds it, without some columns.
  static std::string row(const std::string& table, const std::string& without = "") {
    return truth("select coalesce(string_agg((to_jsonb(t) - '{" + without + "}'::text[])::text, ' '), '') from " +
                 table + " t");
  }
  static std::string labels(const bw::result<std::vector<Account>>& found) {
    return listed(found, [](const Account& each) { return each.label; });
  }
  static std::string names(const bw::result<std::vector<Customer>>& found) {
    return listed(found, [](const Customer& each) { return each.name; });
  }

  bw::session session = on_primary();
  bw::repository<Customer> customers = session.repository<Customer>();
  bw::repository<Account> accounts = session.repository<Account>();
  bw::repository<Entry> entries = session.repository<Entry>();
  bw::repository<Payment> payments = session.repository<Payment>();
};

// ---- 5: insert and get ----------------------------------------------------------------------------------------------

TEST_F(scenarios_repository, s05_insert_then_get_fills_defaults_and_a_generated_key) {
  const Customer ada = customer("ada");
  const auto added = accounts.insert({.customer_id = ada.id, .label = "main", .balance = bw::numeric{"1.5"}});
  ASSERT_OK(added);
  EXPECT_GT(added.value().id, 0) << "an identity column";
  EXPECT_EQ(added.value().version, 1);
  EXPECT_TRUE(added.value().updated_at.has_value());
  EXPECT_EQ(added.value().deleted_at, std::nullopt);
  const auto read = accounts.get(added.value().id);
  ASSERT_OK(read);
  EXPECT_EQ(read.value().id, added.value().id);
  EXPECT_EQ(read.value().customer_id, ada.id);
  EXPECT_EQ(read.value().label, "main");
  EXPECT_EQ(read.value().balance.to_string(), "1.50000000");
  EXPECT_EQ(read.value().updated_at, added.value().updated_at);
  EXPECT_EQ(read.value().deleted_at, std::nullopt);
  EXPECT_EQ(truth("select id || ' ' || label || ' ' || version || ' ' || (deleted_at is null) from accounts"),
            std::to_string(added.value().id) + " main 1 true");
}

TEST_F(scenarios_repository, s05_insert_then_get_fills_defaults_and_a_uuid_key_by_gen_random_uuid) {
  const Customer ada = customer("ada");
  EXPECT_FALSE(ada.id.is_nil());
  EXPECT_EQ(ada.id.to_string()[14], '4') << "a random one: " << ada.id.to_string();
  EXPECT_EQ(ada.region, "north") << "the column's DEFAULT";
  EXPECT_TRUE(ada.created_at && ada.updated_at);
  EXPECT_EQ(ada.deleted_at, std::nullopt);
  const auto read = customers.get(ada.id);
  ASSERT_OK(read);
  EXPECT_EQ(read.value().name, "ada");
  EXPECT_EQ(read.value().region, "north");
  EXPECT_EQ(read.value().created_at, ada.created_at);
  EXPECT_EQ(read.value().deleted_at, std::nullopt);
  EXPECT_EQ(truth("select id || ' ' || region || ' ' || (deleted_at is null) from customers"),
            ada.id.to_string() + " north true");
  const auto chosen = customers.insert({.email = "b", .name = "bob", .region = "south"});
  ASSERT_OK(chosen);
  EXPECT_NE(chosen.value().id, ada.id);
  EXPECT_EQ(truth("select region from customers where name = 'bob'"), "south") << "a default is no more than that";
}

// ---- 6: update ------------------------------------------------------------------------------------------------------

TEST_F(scenarios_repository, s06_update_advances_updated_at_and_version_in_the_returned_and_the_stored_row) {
  const Account before = account(customer("ada"), "main");
  const std::string stored_before = truth("select updated_at from accounts");
  Account changed = before;
  changed.label = "savings";
  const auto updated = accounts.update(changed);
  ASSERT_OK(updated);
  EXPECT_EQ(updated.value().label, "savings");
  EXPECT_EQ(updated.value().version, 2);
  EXPECT_GT(*updated.value().updated_at, *before.updated_at);
  EXPECT_EQ(truth("select label || ' ' || version || ' ' || (updated_at > '" + stored_before + "') from accounts"),
            "savings 2 true");
  EXPECT_EQ(bw::timestamptz::parse(truth("select updated_at from accounts")).value(), updated.value().updated_at)
      << "returned is what is stored";
}

TEST_F(scenarios_repository, s06_update_with_a_stale_version_leaves_the_row_untouched_and_says_so) {
  const Account read = account(customer("ada"), "main");
  ASSERT_OK(accounts.update(read));
  const std::string before = row("accounts");
  Account stale = read;
  stale.label = "stale";
  const auto refused = accounts.update(stale);
  EXPECT_ERROR(refused, errc::stale_version);
  EXPECT_EQ(refused.error().applied(), bw::applied::no);
  EXPECT_EQ(row("accounts"), before);
}

TEST_F(scenarios_repository, s06_update_of_an_absent_row_says_not_found) {
  const Customer ada = customer("ada");
  EXPECT_ERROR(accounts.update({.id = 4711, .customer_id = ada.id, .version = 1}), errc::not_found);
  EXPECT_ERROR(entries.update({.account_id = 4711, .number = 1}), errc::not_found) << "without a version too";
  EXPECT_EQ(truth("select (select count(*) from accounts) + (select count(*) from entries)"), "0");
}

TEST_F(scenarios_repository, s06_update_without_version_and_updated_at_stores_what_it_is_given) {
  ASSERT_OK(entries.insert({.account_id = 1, .number = 1, .amount = 5}));
  ASSERT_OK(entries.update({.account_id = 1, .number = 1, .amount = 7, .note = "seven"}));
  EXPECT_EQ(truth("select amount::int || note from entries"), "7seven");
}

// ---- 7: patch -------------------------------------------------------------------------------------------------------

TEST_F(scenarios_repository, s07_patch_changes_only_its_fields) {
  const Account read = account(customer("ada"), "main");
  const std::string others = row("accounts", "label,version,updated_at");
  const auto patched = accounts.patch(read.id, bw::set<&Account::label>("savings"));
  ASSERT_OK(patched);
  EXPECT_EQ(patched.value().label, "savings");
  EXPECT_EQ(patched.value().balance, read.balance);
  EXPECT_EQ(row("accounts", "label,version,updated_at"), others);
  EXPECT_EQ(truth("select label || version from accounts"), "savings2");
  EXPECT_GT(*patched.value().updated_at, *read.updated_at);
}

TEST_F(scenarios_repository, s07_an_empty_patch_only_touches_updated_at) {
  const Account read = account(customer("ada"), "main");
  const std::string before = row("accounts", "updated_at");
  const auto touched = accounts.patch(read.id);
  ASSERT_OK(touched);
  EXPECT_EQ(row("accounts", "updated_at"), before) << "the version stays too";
  EXPECT_GT(*touched.value().updated_at, *read.updated_at);
  EXPECT_EQ(bw::timestamptz::parse(truth("select updated_at from accounts")).value(), touched.value().updated_at);
}

TEST_F(scenarios_repository, s07_a_patch_of_a_versioned_row_checks_the_version_when_given) {
  const Account read = account(customer("ada"), "main");
  ASSERT_OK(accounts.patch(read.id, bw::set<&Account::label>("second"), bw::set<&Account::version>(1)));
  const std::string before = row("accounts");
  EXPECT_ERROR(accounts.patch(read.id, bw::set<&Account::label>("stale"), bw::set<&Account::version>(1)),
               errc::stale_version);
  EXPECT_EQ(row("accounts"), before);
  const auto unchecked = accounts.patch(read.id, bw::set<&Account::label>("third"));
  ASSERT_OK(unchecked);
  EXPECT_EQ(unchecked.value().version, 3) << "raised all the same";
  EXPECT_ERROR(accounts.patch(4711, bw::set<&Account::label>("x")), errc::not_found);
}

// ---- 8: duplicates and bulk -----------------------------------------------------------------------------------------

TEST_F(scenarios_repository, s08_a_duplicate_insert_is_rejected) {
  customer("ada");
  const auto refused = customers.insert({.email = "ada@example.org", .name = "another"});
  EXPECT_ERROR(refused, errc::unique_violation);
  EXPECT_EQ(refused.error().constraint(), "customers_email_key");
  EXPECT_EQ(truth("select count(*) || min(name) from customers"), "1ada");
}

TEST_F(scenarios_repository, s08_a_batch_with_one_duplicate_inserts_nothing) {
  customer("ada");
  const auto refused = customers.insert_many(
      {{.email = "b", .name = "bob"}, {.email = "ada@example.org", .name = "again"}, {.email = "c", .name = "cid"}});
  EXPECT_ERROR(refused, errc::unique_violation);
  EXPECT_EQ(refused.error().applied(), bw::applied::no);
  EXPECT_EQ(truth("select string_agg(name, ',') from customers"), "ada");
  ASSERT_OK(customers.insert_many({{.email = "b", .name = "bob"}, {.email = "c", .name = "cid"}}));
  EXPECT_EQ(truth("select count(*) from customers"), "3");
}

TEST_F(scenarios_repository, s08_copy_in_of_500_rows_is_all_or_nothing_and_counts_500) {
  std::vector<Customer> five_hundred(500);
  for (std::size_t i = 0; i < five_hundred.size(); ++i) {
    five_hundred[i] = {.email = std::to_string(i), .name = "copied"};
  }
  const auto copied = customers.copy_in(five_hundred);
  ASSERT_OK(copied);
  EXPECT_EQ(copied.value(), 500U);
  EXPECT_EQ(truth("select count(*) || ' ' || count(distinct id) || ' ' || count(*) filter (where region = 'north' and "
                  "version = 1 and deleted_at is null) from customers"),
            "500 500 500");

  for (std::size_t i = 0; i < five_hundred.size(); ++i) five_hundred[i].email = "new " + std::to_string(i);
  five_hundred[250].email = "7";
  const auto refused = customers.copy_in(five_hundred);
  EXPECT_ERROR(refused, errc::unique_violation);
  EXPECT_EQ(refused.error().applied(), bw::applied::no);
  EXPECT_EQ(truth("select count(*) from customers"), "500");
}

// ---- 9: upsert ------------------------------------------------------------------------------------------------------

TEST_F(scenarios_repository, s09_upsert_inserts_and_then_updates_one_row) {
  constexpr auto by_email = bw::conflict<&Customer::email>;
  const auto first = customers.upsert({.email = "ada", .name = "Ada"}, by_email);
  ASSERT_OK(first);
  EXPECT_TRUE(first.value().inserted);
  const auto second = customers.upsert({.email = "ada", .name = "Ada L."}, by_email);
  ASSERT_OK(second);
  EXPECT_FALSE(second.value().inserted);
  EXPECT_EQ(second.value().row.id, first.value().row.id);
  EXPECT_EQ(second.value().row.version, 2);
  EXPECT_EQ(truth("select count(*) || min(name) || min(version) from customers"), "1Ada L.2");
}

TEST_F(scenarios_repository, s09_upsert_by_a_composite_conflict_target) {
  constexpr auto by_place = bw::conflict<&Entry::account_id, &Entry::number>;
  EXPECT_TRUE(entries.upsert({.account_id = 1, .number = 1, .amount = 5}, by_place).value().inserted);
  EXPECT_TRUE(entries.upsert({.account_id = 1, .number = 2, .amount = 6}, by_place).value().inserted);
  EXPECT_FALSE(entries.upsert({.account_id = 1, .number = 1, .amount = 7}, by_place).value().inserted);
  EXPECT_EQ(truth("select string_agg(number || ':' || amount::int, ' ' order by number) from entries"), "1:7 2:6");
}

TEST_F(scenarios_repository, s09_upsert_that_does_nothing_tells_which_happened) {
  constexpr auto by_place = bw::conflict<&Entry::account_id, &Entry::number>;
  const auto first = entries.upsert({.account_id = 1, .number = 1, .amount = 5}, by_place, bw::do_nothing);
  ASSERT_OK(first);
  EXPECT_TRUE(first.value().has_value()) << "it was inserted";
  const auto second = entries.upsert({.account_id = 1, .number = 1, .amount = 9}, by_place, bw::do_nothing);
  ASSERT_OK(second);
  EXPECT_FALSE(second.value().has_value()) << "it was there";
  EXPECT_EQ(truth("select amount::int from entries"), "5");
}

// ---- 10: the trash --------------------------------------------------------------------------------------------------

TEST_F(scenarios_repository, s10_soft_delete_hides_from_get_find_exists_and_count) {
  const Account kept = account(customer("ada"), "kept");
  const Account gone = account(customer("bob"), "gone");
  ASSERT_OK(accounts.remove(gone.id));
  EXPECT_ERROR(accounts.get(gone.id), errc::not_found);
  EXPECT_EQ(accounts.find(gone.id).value(), std::nullopt);
  EXPECT_EQ((accounts.find_by<&Account::label>("gone").value()), std::nullopt);
  EXPECT_EQ(labels(accounts.get_many({gone.id, kept.id})), "kept");
  EXPECT_FALSE(accounts.exists(gone.id).value());
  EXPECT_FALSE(accounts.where(col<&Account::label> == "gone").exists().value());
  EXPECT_EQ(accounts.count().value(), 1);
  EXPECT_EQ(labels(accounts.query().all()), "kept");
  std::string copied;
  ASSERT_OK(accounts.copy_out([&copied](const Account& each) { copied += each.label; }));
  EXPECT_EQ(copied, "kept");
  EXPECT_EQ(truth("select count(*) || ' ' || count(deleted_at) from accounts"), "2 1") << "it is there all the same";
}

TEST_F(scenarios_repository, s10_soft_delete_hides_from_joins_and_aggregates) {
  const Customer ada = customer("ada");
  const Customer bob = customer("bob");
  account(ada, "ada's", 1);
  const Account trashed = account(ada, "trashed", 20);
  account(bob, "bob's", 300);
  ASSERT_OK(accounts.remove(trashed.id));
  ASSERT_OK(customers.remove(bob.id));
  const auto pairs = accounts.query()
                         .join<Customer>(col<&Account::customer_id> == col<&Customer::id>)
                         .select(col<&Account::label>, col<&Customer::name>)
                         .all();
  EXPECT_EQ(listed(pairs, [](const auto& each) { return std::get<0>(each) + "/" + std::get<1>(each); }), "ada's/ada");
  const auto kept = accounts.query()
                        .left_join<Customer>(col<&Account::customer_id> == col<&Customer::id>)
                        .order_by(asc<&Account::id>)
                        .select(col<&Account::label>, col<&Customer::name>)
                        .all();
  EXPECT_EQ(listed(kept, [](const auto& each) { return std::get<0>(each) + "/" + std::get<1>(each).value_or("-"); }),
            "ada's/ada bob's/-")
      << "an outer join keeps the row whose partner is in the trash";
  EXPECT_EQ(accounts.query().sum<&Account::balance>().value(), bw::numeric{"301"});
  EXPECT_EQ(accounts.query().min<&Account::balance>().value(), bw::numeric{"1"});
  EXPECT_EQ(accounts.where(col<&Account::customer_id> == ada.id).max<&Account::balance>().value(), bw::numeric{"1"});
  EXPECT_EQ(accounts.where(col<&Account::customer_id> == ada.id).avg<&Account::balance>().value(), bw::numeric{"1"});
  EXPECT_EQ(accounts.query().select(bw::count(), bw::sum(col<&Account::balance>)).one().value(),
            (std::tuple{std::int64_t{2}, std::optional(bw::numeric{"301"})}));
}

TEST_F(scenarios_repository, s10_soft_delete_hides_from_relations) {
  const Customer ada = customer("ada");
  account(ada, "first");
  const Account trashed = account(ada, "trashed");
  ASSERT_OK(accounts.remove(trashed.id));
  auto found = customers.query().include<&Customer::accounts>().one();
  ASSERT_OK(found);
  ASSERT_EQ(found.value().accounts.size(), 1U);
  EXPECT_EQ(found.value().accounts[0].label, "first");
  ASSERT_OK(customers.load<&Customer::accounts>(found.value(), bw::with_trashed));
  EXPECT_EQ(found.value().accounts.size(), 2U);
  ASSERT_OK(customers.remove(ada.id));
  const auto orphan = accounts.query().include<&Account::customer>().one();
  ASSERT_OK(orphan);
  EXPECT_TRUE(orphan.value().customer.loaded() && !orphan.value().customer);
}

TEST_F(scenarios_repository, s10_with_only_restore_and_purge_give_the_right_rows_and_counts) {
  const Customer ada = customer("ada");
  const Account a = account(ada, "a");
  const Account b = account(ada, "b");
  const Account c = account(ada, "c");
  ASSERT_OK(accounts.remove(a.id));
  ASSERT_OK(accounts.remove(b.id));
  EXPECT_EQ(labels(accounts.with_trashed().order_by(asc<&Account::id>).all()), "a b c");
  EXPECT_EQ(accounts.with_trashed().count().value(), 3);
  EXPECT_EQ(labels(accounts.only_trashed().order_by(asc<&Account::id>).all()), "a b");
  EXPECT_EQ(accounts.only_trashed().count().value(), 2);
  EXPECT_EQ(accounts.query().count().value(), 1);

  ASSERT_OK(accounts.restore(a.id));
  EXPECT_EQ(labels(accounts.query().order_by(asc<&Account::id>).all()), "a c");
  EXPECT_EQ(truth("select (deleted_at is null) || ' ' || version from accounts where label = 'a'"), "true 3");
  EXPECT_ERROR(accounts.restore(a.id), errc::not_found) << "it is not in the trash";

  ASSERT_OK(accounts.purge(b.id));
  EXPECT_ERROR(accounts.purge(b.id), errc::not_found);
  EXPECT_EQ(truth("select string_agg(label, ' ' order by id) from accounts"), "a c");
  ASSERT_OK(accounts.remove(a.id));
  ASSERT_OK(accounts.remove(c.id));
  EXPECT_EQ(accounts.only_trashed().every_row().purge_all().value(), 2U);
  EXPECT_EQ(truth("select count(*) from accounts"), "0");
}

// ---- 11: no leaks ---------------------------------------------------------------------------------------------------

TEST_F(scenarios_repository, s11_an_or_at_the_top_of_a_condition_never_leaks_the_trash) {
  const Customer ada = customer("ada");
  account(ada, "a", 1);
  const Account b = account(ada, "b", 2);
  account(ada, "c", 3);
  ASSERT_OK(accounts.remove(b.id));
  const std::string trashed = row("(select * from accounts where label = 'b')");
  const auto either = col<&Account::label> == "a" || col<&Account::label> == "b" || col<&Account::balance> == 2;
  EXPECT_EQ(labels(accounts.where(either).all()), "a");
  EXPECT_EQ(accounts.where(either).count().value(), 1);
  EXPECT_EQ(accounts.where(either).sum<&Account::balance>().value(), bw::numeric{"1"});
  EXPECT_EQ(labels(accounts.only_trashed().where(either).all()), "b");
  EXPECT_EQ(labels(accounts.where(either || col<&Account::deleted_at> != std::nullopt).all()), "a");
  EXPECT_EQ(accounts.where(either).update_all(bw::set<&Account::label>("x")).value(), 1U);
  EXPECT_EQ(accounts.where(either || col<&Account::label> == "x").delete_all().value(), 1U);
  EXPECT_EQ(row("(select * from accounts where label = 'b')"), trashed) << "bulk changes leave it alone";
}

TEST_F(scenarios_repository, s11_a_join_of_two_soft_deleted_tables_is_not_ambiguous) {
  const Customer ada = customer("ada");
  const Customer bob = customer("bob");
  account(ada, "a");
  const Account b = account(ada, "b");
  account(bob, "c");
  ASSERT_OK(accounts.remove(b.id));
  ASSERT_OK(customers.remove(bob.id));
  const auto both = accounts.query().join<Customer>(col<&Account::customer_id> == col<&Customer::id>);
  EXPECT_EQ(labels(both.all()), "a");
  EXPECT_EQ(
      labels(both.where(col<&Account::label> == "b" || col<&Customer::name> == "bob" || col<&Account::version> == 1)
                 .all()),
      "a")
      << "an or shows no trash of either";
  EXPECT_EQ(labels(both.with_trashed<Customer>().order_by(asc<&Account::id>).all()), "a c");
  EXPECT_EQ(labels(both.with_trashed().order_by(asc<&Account::id>).all()), "a b");
  EXPECT_EQ(both.with_trashed().with_trashed<Customer>().count().value(), 3);
}

// ---- 12: every row --------------------------------------------------------------------------------------------------

TEST_F(scenarios_repository, s12_bulk_changes_without_a_condition_refuse_and_every_row_works) {
  const Customer ada = customer("ada");
  for (const char* label : {"a", "b", "c"}) account(ada, label);
  const std::string before = row("accounts");
  (void)sent();
  EXPECT_ERROR(accounts.query().delete_all(), errc::unsafe_operation);
  EXPECT_ERROR(accounts.query().update_all(bw::set<&Account::label>("x")), errc::unsafe_operation);
  EXPECT_ERROR(accounts.with_trashed().purge_all(), errc::unsafe_operation);
  EXPECT_ERROR(accounts.where(bw::condition<Account>()).delete_all(), errc::unsafe_operation);
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(row("accounts"), before);

  EXPECT_EQ(accounts.query().every_row().update_all(bw::set<&Account::label>("x")).value(), 3U);
  EXPECT_EQ(truth("select count(*) from accounts where label = 'x' and version = 2"), "3");
  EXPECT_EQ(accounts.query().every_row().delete_all().value(), 3U);
  EXPECT_EQ(truth("select count(deleted_at) from accounts"), "3");
}

TEST_F(scenarios_repository, s12_bulk_changes_return_the_rows_affected) {
  const Customer ada = customer("ada");
  for (int i = 1; i <= 5; ++i) account(ada, std::to_string(i), i);
  EXPECT_EQ(accounts.where(col<&Account::balance> > 3).update_all(bw::set<&Account::label>("rich")).value(), 2U);
  EXPECT_EQ(accounts.where(col<&Account::balance> > 99).update_all(bw::set<&Account::label>("x")).value(), 0U);
  EXPECT_EQ(accounts.where(col<&Account::label> == "rich").delete_all().value(), 2U);
  EXPECT_EQ(accounts.where(col<&Account::label> == "rich").delete_all().value(), 0U) << "they are in the trash";
  EXPECT_EQ(truth("select count(*) filter (where deleted_at is null) || ' ' || count(deleted_at) from accounts"),
            "3 2");
}

// ---- 13: hooks ------------------------------------------------------------------------------------------------------

TEST_F(scenarios_repository, s13_hooks_run_once_in_order_in_the_same_transaction) {
  const auto lines = [] { return truth("select coalesce(string_agg(line, ' ' order by at), '') from journal"); };
  const auto one_transaction = [] {
    return truth(
        "select count(distinct x) from (select xmin::text x from payments union all select xmin::text from journal) t");
  };
  const auto added = payments.insert({.payee = "ada", .amount = 1});
  ASSERT_OK(added);
  EXPECT_EQ(script.calls, (std::vector<std::string>{"before_insert", "after_insert"}));
  EXPECT_EQ(lines(), "before_insert after_insert");
  EXPECT_EQ(one_transaction(), "1");

  behind_the_back("truncate journal");
  script = {};
  Payment changed = added.value();
  changed.amount = 2;
  ASSERT_OK(payments.update(changed));
  EXPECT_EQ(script.calls, (std::vector<std::string>{"before_update", "after_update"}));
  EXPECT_EQ(lines(), "before_update after_update");
  EXPECT_EQ(one_transaction(), "1");

  behind_the_back("truncate journal");
  ASSERT_OK(payments.patch(changed.id, bw::set<&Payment::payee>("bob")));
  EXPECT_EQ(lines(), "before_patch after_update");
  EXPECT_EQ(one_transaction(), "1");

  behind_the_back("truncate journal");
  ASSERT_OK(payments.remove(changed.id));
  EXPECT_EQ(lines(), "before_remove after_remove");
  EXPECT_EQ(truth("select (select count(distinct xmin::text) from journal) || ' ' || (select count(*) from payments)"),
            "1 0");
}

TEST_F(scenarios_repository, s13_a_hooks_error_rolls_back) {
  const auto stored = payments.insert({.payee = "ada", .amount = 1});
  ASSERT_OK(stored);
  behind_the_back("truncate journal");
  const std::string before = row("payments");
  const auto refused = [&](const char* hook, const std::function<bool()>& runs) {
    script = {.fails = hook};
    EXPECT_FALSE(runs()) << hook;
    EXPECT_EQ(script.calls.back(), hook);
    EXPECT_EQ(row("payments"), before) << hook;
    EXPECT_EQ(truth("select count(*) from journal"), "0") << "what hooks wrote is undone with it: " << hook;
  };
  const auto insert = [&] {
    const auto done = payments.insert({.payee = "bob", .amount = 1});
    EXPECT_ERROR(done, errc::validation_failed) << "the hook's own error";
    return done.has_value();
  };
  refused("before_insert", insert);
  refused("after_insert", insert);
  refused("before_update", [&] { return payments.update(stored.value()).has_value(); });
  refused("after_update", [&] { return payments.update(stored.value()).has_value(); });
  refused("before_patch", [&] { return payments.patch(stored.value().id).has_value(); });
  refused("before_remove", [&] { return payments.remove(stored.value().id).has_value(); });
  refused("after_remove", [&] { return payments.remove(stored.value().id).has_value(); });
}

TEST_F(scenarios_repository, s13_validation_reports_every_failing_field) {
  const auto refused = payments.insert({.payee = "", .amount = 0});
  EXPECT_ERROR(refused, errc::validation_failed);
  ASSERT_EQ(refused.error().failures().size(), 2U);
  EXPECT_EQ(refused.error().failures()[0].field, "payee");
  EXPECT_EQ(refused.error().failures()[0].text, "must not be empty");
  EXPECT_EQ(refused.error().failures()[1].field, "amount");
  EXPECT_EQ(refused.error().failures()[1].text, "must be positive");
  EXPECT_NE(refused.error().message().find("payee must not be empty; amount must be positive"), std::string::npos)
      << refused.error().message();
  EXPECT_TRUE(script.calls.empty()) << "hooks come after it";
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(truth("select count(*) from payments"), "0");
}

}  // namespace
}  // namespace scenarios
