// Related rows, read with their owners: what comes, and with how many statements.

#include "../../unit/repository/related_entities.hpp"
#include "support.hpp"

#include <algorithm>
#include <span>

namespace tests {
namespace {

using bw::asc;
using bw::col;

class relations : public repository_test {
 protected:
  bw::session session = on_primary();
  bw::repository<Customer> customers = session.repository<Customer>();
  bw::repository<Order> orders = session.repository<Order>();
  bw::repository<Label> labels = session.repository<Label>();
  bw::repository<Note> notes = session.repository<Note>();
  bw::repository<Parcel> parcels = session.repository<Parcel>();

  /// Customers ada (1), bob (2) and eve (3). Ada has orders 1 to 3, bob 4, nobody 5.
  void SetUp() override {
    repository_test::SetUp();
    for (const char* sql :
         {"drop table if exists customers, orders, profiles, order_labels, labels, notes, depots, parcels",
          "create table customers (id bigint generated always as identity primary key, name text not null unique,"
          " referrer_id bigint)",
          "create table orders (id bigint generated always as identity primary key, customer_id bigint,"
          " item text not null, deleted_at timestamptz)",
          "create table profiles (email text primary key, customer_id bigint not null)",
          "create table order_labels (order_id bigint, label_name text, deleted_at timestamptz, primary key (order_id, "
          "label_name))",
          "create table labels (name text primary key, deleted_at timestamptz)",
          "create table notes (id bigint generated always as identity primary key, owner_type text not null,"
          " owner_id bigint not null, text text not null)",
          "create table depots (region text, number int, primary key (region, number))",
          "create table parcels (id bigint generated always as identity primary key, depot_region text,"
          " depot_number int, sender_name text not null)",
          "insert into customers (name, referrer_id) values ('ada', null), ('bob', 1), ('eve', 1)",
          "insert into orders (customer_id, item) values (1, 'tea'), (1, 'jam'), (1, 'bun'), (2, 'oil'), (null, 'ham')",
          "insert into profiles values ('ada@home', 1), ('bob@home', 2)",
          "insert into labels values ('gift'), ('rush'), ('odd \"{,}\\ name')",
          "insert into order_labels values (1, 'gift'), (1, 'rush'), (2, 'gift'), (4, 'odd \"{,}\\ name')",
          "insert into notes (owner_type, owner_id, text) values ('customer', 1, 'a'), ('order', 1, 'b'),"
          " ('customer', 1, 'c'), ('order', 4, 'd'), ('order', 99, 'e')"}) {
      ASSERT_OK(session.execute(sql));
    }
    watcher().clear();
  }

  [[nodiscard]] bw::query<Customer> everyone() const { return customers.query().order_by(asc<&Customer::id>); }

  /// The names of the statements that ran since the last look.
  static std::string statements() {
    std::string names;
    for (const auto& seen : watcher().operations()) names.append(names.empty() ? "" : " ").append(seen.statement);
    watcher().clear();
    return names;
  }
  static std::string items(const bw::many<Order>& of) {
    std::string all;
    for (const Order& order : of) all.append(all.empty() ? "" : " ").append(order.item);
    return all;
  }
  static std::string names(const bw::many<Label>& of) {
    std::string all;
    for (const Label& label : of) all.append(all.empty() ? "" : " ").append(label.name);
    return all;
  }
};

// ---- each kind ----------------------------------------------------------------------------------------------------

TEST_F(relations, has_many_brings_the_rows_of_each_owner_in_key_order) {
  const auto found = everyone().include<&Customer::orders>().all();
  ASSERT_OK(found);
  EXPECT_EQ(statements(), "customers.select customers.orders");
  ASSERT_EQ(found.value().size(), 3U);
  EXPECT_EQ(items(found.value()[0].orders), "tea jam bun");
  EXPECT_EQ(items(found.value()[1].orders), "oil");
  EXPECT_TRUE(found.value()[2].orders.loaded() && found.value()[2].orders.empty());
  EXPECT_FALSE(found.value()[0].profile.loaded()) << "nobody asked for it";
  EXPECT_FALSE(found.value()[0].orders[0].customer.loaded());
}

TEST_F(relations, has_one_brings_the_row_or_none) {
  const auto found = everyone().include<&Customer::profile>().all();
  ASSERT_OK(found);
  EXPECT_EQ(statements(), "customers.select customers.profile");
  EXPECT_EQ(found.value()[0].profile->email, "ada@home");
  EXPECT_EQ((*found.value()[1].profile).email, "bob@home");
  EXPECT_TRUE(found.value()[2].profile.loaded());
  EXPECT_FALSE(found.value()[2].profile);
}

TEST_F(relations, has_one_of_two_rows_is_an_error_that_names_the_relation) {
  behind_the_back("insert into profiles values ('bob@work', 2)");
  std::vector<Customer> all = everyone().all().value();
  const auto loaded = customers.load<&Customer::profile>(all);
  EXPECT_ERROR(loaded, errc::too_many_rows);
  EXPECT_EQ(loaded.error().statement(), "customers.profile");
  EXPECT_EQ(loaded.error().table(), "profiles");
  EXPECT_EQ(loaded.error().applied(), bw::applied::no);
  EXPECT_FALSE(all[0].profile.loaded()) << "after an error nothing was changed";
}

TEST_F(relations, belongs_to_gives_every_row_its_owner_read_once) {
  const auto found = orders.query().order_by(asc<&Order::id>).include<&Order::customer>().all();
  ASSERT_OK(found);
  EXPECT_EQ(statements(), "orders.select orders.customer");
  EXPECT_EQ(found.value()[0].customer->name, "ada");
  EXPECT_EQ(found.value()[2].customer.get(), found.value()[0].customer.get()) << "ada is there once";
  EXPECT_EQ(found.value()[3].customer->name, "bob");
  EXPECT_TRUE(found.value()[4].customer.loaded()) << "a foreign key that is NULL";
  EXPECT_FALSE(found.value()[4].customer);
}

TEST_F(relations, belongs_to_with_only_null_keys_sends_nothing) {
  auto none = orders.where(col<&Order::customer_id> == std::nullopt).include<&Order::customer>().all();
  ASSERT_OK(none);
  EXPECT_EQ(statements(), "orders.select");
  EXPECT_TRUE(none.value().at(0).customer.loaded());
}

TEST_F(relations, an_entity_can_be_related_to_its_own_kind) {
  const auto found = everyone().include<&Customer::referrer>().include<&Customer::referred>().all();
  ASSERT_OK(found);
  EXPECT_FALSE(found.value()[0].referrer);
  EXPECT_EQ(found.value()[2].referrer->name, "ada");
  ASSERT_EQ(found.value()[0].referred.size(), 2U);
  EXPECT_EQ(found.value()[0].referred[1].name, "eve");
}

TEST_F(relations, many_to_many_is_one_statement_in_both_directions) {
  const auto found = orders.query().order_by(asc<&Order::id>).include<&Order::labels>().all();
  ASSERT_OK(found);
  EXPECT_EQ(statements(), "orders.select orders.labels");
  EXPECT_EQ(names(found.value()[0].labels), "gift rush");
  EXPECT_EQ(names(found.value()[1].labels), "gift") << "two orders share a label, and each has it";
  EXPECT_TRUE(found.value()[2].labels.loaded() && found.value()[2].labels.empty());
  EXPECT_EQ(names(found.value()[3].labels), "odd \"{,}\\ name");

  auto back = labels.query().order_by(asc<&Label::name>).include<&Label::orders>().all();
  ASSERT_OK(back);
  EXPECT_EQ(items(back.value()[0].orders), "jam tea") << "in the relation's own order";
  EXPECT_EQ(items(back.value()[1].orders), "oil") << "a key with everything that arrays quote";
}

TEST_F(relations, polymorphic_rows_are_those_of_the_owners_type) {
  auto found = everyone().include<&Customer::notes>().include<&Customer::orders, &Order::notes>().all();
  ASSERT_OK(found);
  EXPECT_EQ(statements(), "customers.select customers.notes customers.orders orders.notes");
  ASSERT_EQ(found.value()[0].notes.size(), 2U);
  EXPECT_EQ(found.value()[0].notes[0].text, "c") << "order_by_desc";
  ASSERT_EQ(found.value()[0].orders[0].notes.size(), 1U);
  EXPECT_EQ(found.value()[0].orders[0].notes[0].text, "b") << "the order 1, not the customer 1";

  ASSERT_OK(orders.load<&Order::pinned>(found.value()[1].orders));
  EXPECT_EQ(found.value()[1].orders[0].pinned->text, "d");
}

TEST_F(relations, polymorphic_owners_are_loaded_for_each_type_by_itself) {
  const auto found = notes.query().order_by(asc<&Note::id>).include<&Note::customer>().include<&Note::order>().all();
  ASSERT_OK(found);
  EXPECT_EQ(statements(), "notes.select notes.customer notes.order");
  EXPECT_EQ(found.value()[0].customer->name, "ada");
  EXPECT_TRUE(found.value()[0].order.loaded());
  EXPECT_FALSE(found.value()[0].order) << "its owner is a customer";
  EXPECT_EQ(found.value()[1].order->item, "tea");
  EXPECT_FALSE(found.value()[1].customer);
  EXPECT_FALSE(found.value()[4].order) << "an owner that is not there";
}

TEST_F(relations, keys_of_several_columns_match_as_a_whole) {
  behind_the_back("insert into depots values ('a', 1), ('a', 2), ('b', 1), ('a', 11), ('a1', 1)");
  behind_the_back(
      "insert into parcels (depot_region, depot_number, sender_name) values ('a', 1, 'ada'), ('b', 1, 'bob'), "
      "('a', 1, 'eve'), ('b', 2, 'ada'), ('a', null, 'bob'), ('a1', 1, 'ada')");
  auto depots = session.repository<Depot>()
                    .where(!(col<&Depot::region> == "b"))
                    .order_by(asc<&Depot::region>, asc<&Depot::number>)
                    .include<&Depot::parcels>()
                    .all();
  ASSERT_OK(depots);
  ASSERT_EQ(depots.value().size(), 4U);
  EXPECT_EQ(depots.value()[0].parcels.size(), 2U);
  EXPECT_EQ(depots.value()[0].parcels[1].sender_name, "eve");
  EXPECT_TRUE(depots.value()[1].parcels.empty());
  EXPECT_TRUE(depots.value()[2].parcels.empty()) << "a 11 is not a1 1";
  EXPECT_EQ(depots.value()[3].parcels.size(), 1U);

  const auto all = parcels.query().order_by(asc<&Parcel::id>).include<&Parcel::depot>().all();
  ASSERT_OK(all);
  EXPECT_EQ(all.value()[1].depot->region, "b");
  EXPECT_FALSE(all.value()[3].depot) << "b 2 is no depot, though b is a region and 2 a number";
  EXPECT_FALSE(all.value()[4].depot) << "half a key is none";
  EXPECT_TRUE(all.value()[4].depot.loaded());
}

TEST_F(relations, a_relation_may_reference_another_column_than_the_primary_key) {
  behind_the_back("insert into parcels (sender_name) values ('eve'), ('nobody')");
  const auto all = parcels.query().order_by(asc<&Parcel::id>).include<&Parcel::sender, &Customer::referrer>().all();
  ASSERT_OK(all);
  EXPECT_EQ(all.value()[0].sender->id, 3);
  EXPECT_EQ(all.value()[0].sender->referrer->name, "ada");
  EXPECT_FALSE(all.value()[1].sender);
}

// ---- statements ---------------------------------------------------------------------------------------------------

TEST_F(relations, the_number_of_statements_does_not_depend_on_the_number_of_owners) {
  const auto count = [&](std::int64_t owners) {
    const auto found = everyone()
                           .limit(owners)
                           .include<&Customer::orders, &Order::labels>()
                           .include<&Customer::orders, &Order::customer, &Customer::profile>()
                           .include<&Customer::orders>()
                           .all();
    EXPECT_TRUE(succeeds(found));
    return statements();
  };
  const std::string expected = "customers.select customers.orders orders.labels orders.customer customers.profile";
  EXPECT_EQ(count(1), expected);
  EXPECT_EQ(count(2), expected);
  behind_the_back(
      "with more as (insert into customers (name) select 'c' || i from generate_series(1, 500) i returning id) "
      "insert into orders (customer_id, item) select id, 'x' from more, generate_series(1, 3)");
  EXPECT_EQ(count(501), expected);
}

TEST_F(relations, three_levels_arrive_in_their_places) {
  const auto found = everyone()
                         .include<&Customer::orders, &Order::labels, &Label::orders>()
                         .include<&Customer::orders, &Order::customer, &Customer::profile>()
                         .all();
  ASSERT_OK(found);
  const Customer& ada = found.value()[0];
  EXPECT_EQ(items(ada.orders), "tea jam bun");
  EXPECT_EQ(names(ada.orders[0].labels), "gift rush");
  EXPECT_EQ(items(ada.orders[0].labels[0].orders), "jam tea");
  EXPECT_EQ(items(ada.orders[1].labels[0].orders), "jam tea") << "the label's other copy has them too";
  EXPECT_EQ(ada.orders[2].customer->profile->email, "ada@home");
  EXPECT_FALSE(ada.profile.loaded()) << "only along the path";
}

TEST_F(relations, without_owners_nothing_is_sent) {
  ASSERT_OK((customers.where(col<&Customer::id> < 0).include<&Customer::orders, &Order::labels>().all()));
  EXPECT_EQ(statements(), "customers.select");
  ASSERT_OK(customers.load<&Customer::orders>(std::span<Customer>()));
  EXPECT_EQ(statements(), "");
  ASSERT_OK((customers.where(col<&Customer::id> == 3).include<&Customer::orders, &Order::labels>().all()));
  EXPECT_EQ(statements(), "customers.select customers.orders") << "no orders, so no statement for their labels";
}

TEST_F(relations, first_last_and_one_include_too) {
  EXPECT_EQ(items(everyone().include<&Customer::orders>().first().value()->orders), "tea jam bun");
  EXPECT_TRUE(everyone().include<&Customer::orders>().last().value()->orders.loaded());
  EXPECT_EQ(items(customers.where(col<&Customer::name> == "bob").include<&Customer::orders>().one().value().orders),
            "oil");
  EXPECT_EQ(statements(),
            "customers.select customers.orders customers.select customers.orders customers.select customers.orders");
  EXPECT_EQ(everyone().include<&Customer::orders>().count().value(), 3);
  EXPECT_EQ(statements(), "customers.count");
}

TEST_F(relations, joins_and_pages_include_too) {
  const auto joined = customers.query()
                          .include<&Customer::orders>()
                          .join<Order>(col<&Order::customer_id> == col<&Customer::id>)
                          .where(col<&Order::item> != "bun")
                          .order_by(asc<&Customer::id>)
                          .all();
  ASSERT_OK(joined);
  EXPECT_EQ(statements(), "customers.select customers.orders");
  ASSERT_EQ(joined.value().size(), 3U) << "ada twice, for two of her orders";
  EXPECT_EQ(items(joined.value()[0].orders), "tea jam bun");
  EXPECT_EQ(items(joined.value()[1].orders), "tea jam bun");
  EXPECT_EQ(items(joined.value()[2].orders), "oil");

  const auto page = everyone().include<&Customer::profile>().page(1, 2);
  ASSERT_OK(page);
  EXPECT_EQ(page.value().items[1].profile->email, "bob@home");
  EXPECT_EQ(statements(), "customers.select customers.profile");
  const auto next = everyone().include<&Customer::profile>().page(2);
  ASSERT_OK(next);
  EXPECT_EQ(next.value().items[0].profile->email, "ada@home");
}

TEST_F(relations, load_reads_now_and_again) {
  Customer ada = customers.get(1).value();
  ASSERT_OK(customers.load<&Customer::orders>(ada));
  ASSERT_OK(orders.load<&Order::labels>(ada.orders));
  EXPECT_EQ(statements(), "customers.get customers.orders orders.labels");
  EXPECT_EQ(names(ada.orders[0].labels), "gift rush");

  behind_the_back("delete from orders where item = 'tea'");
  ASSERT_OK((customers.load<&Customer::orders, &Order::customer>(ada)));
  EXPECT_EQ(items(ada.orders), "jam bun");
  EXPECT_EQ(ada.orders[0].customer->name, "ada");
  EXPECT_FALSE(ada.orders[0].labels.loaded()) << "these are new rows";
}

TEST_F(relations, owners_that_stand_twice_both_get_their_rows) {
  std::vector<Customer> twice{customers.get(1).value(), customers.get(2).value(), customers.get(1).value()};
  ASSERT_OK((customers.load<&Customer::orders, &Order::labels>(twice)));
  EXPECT_EQ(items(twice[0].orders), "tea jam bun");
  EXPECT_EQ(items(twice[2].orders), "tea jam bun");
  EXPECT_EQ(names(twice[2].orders[0].labels), "gift rush");
}

TEST_F(relations, a_hundred_thousand_owners_are_one_statement) {
  behind_the_back("insert into customers (name) select 'c' || i from generate_series(1, 100000) i");
  behind_the_back("insert into orders (customer_id, item) select id, 'x' from customers where id > 3");
  const auto found = everyone().include<&Customer::orders, &Order::customer>().all();
  ASSERT_OK(found);
  EXPECT_EQ(statements(), "customers.select customers.orders orders.customer");
  ASSERT_EQ(found.value().size(), 100'003U);
  EXPECT_TRUE(std::ranges::all_of(std::span(found.value()).subspan(3), [](const Customer& each) {
    return each.orders.size() == 1 && each.orders[0].customer->id == each.id;
  }));
}

// ---- the trash ----------------------------------------------------------------------------------------------------

TEST_F(relations, rows_in_the_trash_are_not_related) {
  ASSERT_OK(orders.remove(2));
  EXPECT_EQ(items(everyone().include<&Customer::orders>().first().value()->orders), "tea bun");
  EXPECT_EQ(items(labels.query().order_by(asc<&Label::name>).include<&Label::orders>().first().value()->orders), "tea");
  behind_the_back("insert into notes (owner_type, owner_id, text) values ('order', 2, 'z')");
  const auto note = notes.where(col<&Note::text> == "z").include<&Note::order>().one();
  ASSERT_OK(note);
  EXPECT_TRUE(note.value().order.loaded());
  EXPECT_FALSE(note.value().order);
}

TEST_F(relations, neither_trashed_links_nor_trashed_targets_relate) {
  behind_the_back("update order_labels set deleted_at = now() where order_id = 1 and label_name = 'rush'");
  ASSERT_OK(labels.remove("odd \"{,}\\ name"));
  const auto found = orders.query().order_by(asc<&Order::id>).include<&Order::labels>().all();
  ASSERT_OK(found);
  EXPECT_EQ(names(found.value()[0].labels), "gift");
  EXPECT_TRUE(found.value()[3].labels.loaded() && found.value()[3].labels.empty());
  const auto with = orders.query().order_by(asc<&Order::id>).include<&Order::labels>(bw::with_trashed).all();
  ASSERT_OK(with);
  EXPECT_EQ(names(with.value()[0].labels), "gift") << "a link in the trash links nothing, whatever is asked for";
  EXPECT_EQ(with.value()[3].labels.size(), 1U);
}

TEST_F(relations, with_trashed_is_about_the_paths_last_relation) {
  ASSERT_OK(orders.remove(1));
  ASSERT_OK(labels.remove("gift"));
  Customer ada = customers.get(1).value();
  ASSERT_OK((customers.load<&Customer::orders, &Order::labels>(ada, bw::with_trashed)));
  EXPECT_EQ(items(ada.orders), "jam bun");
  EXPECT_EQ(names(ada.orders[0].labels), "gift");
  ASSERT_OK(customers.load<&Customer::orders>(std::span(&ada, 1), bw::with_trashed));
  EXPECT_EQ(items(ada.orders), "tea jam bun");
  EXPECT_TRUE(ada.orders[0].deleted_at.has_value());

  const auto both =
      everyone().include<&Customer::orders>(bw::with_trashed).include<&Customer::orders, &Order::labels>().first();
  ASSERT_OK(both);
  EXPECT_EQ(items(both.value()->orders), "tea jam bun");
  EXPECT_EQ(names(both.value()->orders[0].labels), "rush");
}

// ---- where it runs ------------------------------------------------------------------------------------------------

TEST_F(relations, inside_a_transaction_everything_runs_on_it) {
  const auto outcome = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    const auto in_tx = tx.repository<Customer>();
    BOOST_OUTCOME_TRY(tx.repository<Order>().insert({.customer_id = 3, .item = "uncommitted"}));
    BOOST_OUTCOME_TRY(auto eve, in_tx.where(col<&Customer::id> == 3).include<&Customer::orders>().one());
    EXPECT_EQ(items(eve.orders), "uncommitted");
    BOOST_OUTCOME_TRY((in_tx.load<&Customer::orders, &Order::customer>(eve)));
    EXPECT_EQ(eve.orders[0].customer->name, "eve");
    EXPECT_ERROR(customers.load<&Customer::orders>(eve), errc::unsafe_operation);
    return errc::internal;
  });
  EXPECT_ERROR(outcome, errc::internal);
  EXPECT_EQ(truth("select count(*) from orders where customer_id = 3"), "0");
}

TEST_F(relations, reads_of_related_rows_go_to_replicas_like_others) {
  ASSERT_OK(shared_cluster().wait_for_replay(shared_cluster().replica(0)));
  const auto found =
      db().session().repository<Customer>().query().order_by(asc<&Customer::id>).include<&Customer::orders>().all();
  ASSERT_OK(found);
  for (const auto& seen : watcher().operations()) EXPECT_EQ(seen.role, bw::node_role::replica) << seen.statement;
  ASSERT_OK(everyone().include<&Customer::orders>().all());
  EXPECT_EQ(watcher().last().role, bw::node_role::primary);
}

// ---- what else may happen -----------------------------------------------------------------------------------------

TEST_F(relations, relation_members_are_no_columns) {
  Customer ada = everyone().include<&Customer::orders>().first().value().value();
  ada.name = "ada l.";
  const auto stored = customers.update(ada);
  ASSERT_OK(stored);
  EXPECT_FALSE(stored.value().orders.loaded()) << "it is a row as it was read";
  const auto raw = session.query("select id, name, referrer_id from customers where id = 1").one<Customer>();
  ASSERT_OK(raw);
  EXPECT_EQ(raw.value().name, "ada l.");
  ASSERT_OK((db().verify<Customer, Order, Label, OrderLabel, Profile, Note, Depot, Parcel>()));
}

TEST_F(relations, come_with_each_batch_and_not_with_a_stream) {
  std::vector<std::size_t> counts;
  ASSERT_OK(customers.query().include<&Customer::orders>().in_batches(2, [&counts](std::span<Customer> batch) {
    for (const Customer& each : batch) counts.push_back(each.orders.size());
  }));
  EXPECT_EQ(counts, (std::vector<std::size_t>{3, 1, 0}));
  EXPECT_EQ(statements(), "customers.in_batches customers.orders customers.in_batches customers.orders");
  EXPECT_ERROR(everyone().include<&Customer::orders>().stream([](Customer&&) {}), errc::invalid_argument);
  EXPECT_EQ(everyone().stream([](const Customer& each) { EXPECT_FALSE(each.orders.loaded()); }).value(), 3U);
}

TEST_F(relations, a_key_that_can_not_be_sent_is_an_error_before_anything_is_sent) {
  Parcel parcel{.id = 1, .sender_name = std::string("nu\0l", 4)};
  const auto loaded = parcels.load<&Parcel::sender>(parcel);
  EXPECT_ERROR(loaded, errc::invalid_argument);
  EXPECT_EQ(loaded.error().statement(), "parcels.sender");
  EXPECT_EQ(loaded.error().column(), "name");
  EXPECT_EQ(statements(), "");
}

TEST_F(relations, rows_that_only_the_server_takes_for_related_are_an_error_and_not_dropped) {
  behind_the_back("alter table customers alter name type char(10)");  // "ada" and "ada       " are equal
  Parcel parcel{.id = 1, .sender_name = "ada"};
  const auto loaded = parcels.load<&Parcel::sender>(parcel);
  EXPECT_ERROR(loaded, errc::mapping_mismatch);
  EXPECT_EQ(loaded.error().statement(), "parcels.sender");
}

TEST_F(relations, an_error_says_which_relation_it_was) {
  behind_the_back("alter table labels drop column deleted_at");
  Customer ada = customers.get(1).value();
  const auto loaded = customers.load<&Customer::orders, &Order::labels>(ada);
  EXPECT_ERROR(loaded, errc::mapping_mismatch);
  EXPECT_EQ(loaded.error().statement(), "orders.labels");
  EXPECT_FALSE(ada.orders.loaded()) << "after an error nothing was changed";
}

}  // namespace
}  // namespace tests
