// Relations: what holds the rows, and the statements, which are constants and so checked by the compiler.

#include "related_entities.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <ranges>
#include <span>
#include <utility>
#include <vector>

namespace tests {
namespace {

using bw::detail::relation_statement;
using bw::detail::trash;

// ---- entities stay what they were ---------------------------------------------------------------------------------

static_assert(std::is_aggregate_v<Customer> && std::is_aggregate_v<Order>);
static_assert(std::is_copy_constructible_v<Customer> && std::is_copy_assignable_v<Customer>);
static_assert(std::is_nothrow_move_constructible_v<Customer> && std::is_nothrow_move_assignable_v<Customer>);
static_assert(std::ranges::contiguous_range<bw::many<Order>> && std::ranges::sized_range<const bw::many<Order>>);
static_assert(std::is_convertible_v<bw::many<Order>&, std::span<Order>>);
static_assert(bw::detail::statements<Order>::insert.sql ==
              "insert into \"orders\" (\"customer_id\", \"item\") values ($1, $2) returning \"orders\".\"id\", "
              "\"orders\".\"customer_id\", \"orders\".\"item\", \"orders\".\"deleted_at\"");

// ---- statements ---------------------------------------------------------------------------------------------------

#define ORDER_COLUMNS "\"orders\".\"id\", \"orders\".\"customer_id\", \"orders\".\"item\", \"orders\".\"deleted_at\""
#define NOTE_COLUMNS "\"notes\".\"id\", \"notes\".\"owner_type\", \"notes\".\"owner_id\", \"notes\".\"text\""
#define CUSTOMER_COLUMNS "\"customers\".\"id\", \"customers\".\"name\", \"customers\".\"referrer_id\""
#define PARCEL_COLUMNS \
  "\"parcels\".\"id\", \"parcels\".\"depot_region\", \"parcels\".\"depot_number\", \"parcels\".\"sender_name\""

template <auto Member>
constexpr std::string_view sql = relation_statement<Member, trash::excluded>.sql;

static_assert(sql<&Customer::orders> == "select " ORDER_COLUMNS
                                        " from \"orders\" where \"orders\".\"customer_id\" = any($1)"
                                        " and (\"orders\".\"deleted_at\" is null) order by \"orders\".\"id\"");
static_assert(relation_statement<&Customer::orders, trash::included>.sql ==
              "select " ORDER_COLUMNS
              " from \"orders\" where \"orders\".\"customer_id\" = any($1) order by \"orders\".\"id\"");
static_assert(sql<&Customer::profile> ==
              "select \"profiles\".\"email\", \"profiles\".\"customer_id\" from \"profiles\""
              " where \"profiles\".\"customer_id\" = any($1)");
static_assert(sql<&Order::customer> == "select " CUSTOMER_COLUMNS
                                       " from \"customers\""
                                       " where \"customers\".\"id\" = any($1)");
static_assert(sql<&Customer::referred> == "select " CUSTOMER_COLUMNS
                                          " from \"customers\""
                                          " where \"customers\".\"referrer_id\" = any($1)"
                                          " order by \"customers\".\"id\"");
static_assert(sql<&Label::orders> ==
              "select " ORDER_COLUMNS
              ", \"order_labels\".\"label_name\" from \"orders\" join \"order_labels\" on "
              "\"order_labels\".\"order_id\" = \"orders\".\"id\" where \"order_labels\".\"label_name\" = any($1)"
              " and (\"order_labels\".\"deleted_at\" is null) and (\"orders\".\"deleted_at\" is null)"
              " order by \"orders\".\"item\", \"orders\".\"id\"");
static_assert(sql<&Customer::notes> == "select " NOTE_COLUMNS
                                       " from \"notes\" where \"notes\".\"owner_id\" = any($1)"
                                       " and \"notes\".\"owner_type\" = $2"
                                       " order by \"notes\".\"text\" desc, \"notes\".\"id\"");
static_assert(sql<&Order::notes>.ends_with(" order by \"notes\".\"id\" desc"), "the key is in the order already");
static_assert(sql<&Note::order> == "select " ORDER_COLUMNS
                                   " from \"orders\" where \"orders\".\"id\" = any($1)"
                                   " and (\"orders\".\"deleted_at\" is null)");
static_assert(sql<&Depot::parcels> ==
              "select " PARCEL_COLUMNS
              " from \"parcels\" where (\"parcels\".\"depot_region\" = any($1) or true) and "
              "(\"parcels\".\"depot_number\" = any($2) or true) and "
              "(\"parcels\".\"depot_region\", \"parcels\".\"depot_number\") in (select * from unnest($1, $2))"
              " order by \"parcels\".\"id\"");
static_assert(sql<&Parcel::sender> == "select " CUSTOMER_COLUMNS
                                      " from \"customers\""
                                      " where \"customers\".\"name\" = any($1)");

constexpr const bw::statement& of_orders = relation_statement<&Customer::orders, trash::excluded>;
static_assert(of_orders.name == "customers.orders" && of_orders.table == "orders" && of_orders.operation == "SELECT");
static_assert(of_orders.is_read() && of_orders.mapped && of_orders.print == bw::fingerprint(of_orders.sql));

// ---- many ---------------------------------------------------------------------------------------------------------

TEST(relation_many, is_empty_and_not_loaded_by_default) {
  const Customer made{.name = "ada"};
  EXPECT_FALSE(made.orders.loaded());
  EXPECT_TRUE(made.orders.empty());
  EXPECT_EQ(made.orders.begin(), made.orders.end());
  EXPECT_FALSE(made.profile.loaded());
  EXPECT_FALSE(made.profile);
  EXPECT_EQ(made.profile.get(), nullptr);
}

TEST(relation_many, with_rows_is_loaded_even_with_none) {
  Customer made{.orders = {Order{.id = 1}, Order{.id = 2}}};
  EXPECT_TRUE(made.orders.loaded());
  EXPECT_EQ(made.orders.size(), 2U);
  EXPECT_EQ(made.orders[1].id, 2);
  EXPECT_EQ(made.orders.back(), made.orders[1]);
  made.orders = std::vector<Order>();
  EXPECT_TRUE(made.orders.loaded() && made.orders.empty());
  made.orders = {};
  EXPECT_FALSE(made.orders.loaded());
}

TEST(relation_many, a_copy_has_rows_of_its_own) {
  Customer first{.orders = {Order{.id = 1}}};
  Customer second = first;
  EXPECT_EQ(first.orders, second.orders);
  for (Order& order : second.orders) order.id = 9;
  second.orders.rows().push_back({.id = 10});
  EXPECT_EQ(first.orders[0].id, 1);
  EXPECT_EQ(first.orders.size(), 1U);
  EXPECT_NE(first.orders, second.orders);
}

TEST(relation_many, what_was_moved_from_is_not_loaded) {
  Customer first{.orders = {Order{.id = 1}}, .profile = Profile{.email = "a@b"}};
  const Customer second = std::move(first);
  EXPECT_TRUE(second.orders.loaded() && second.profile.loaded());
  EXPECT_FALSE(first.orders.loaded());   // NOLINT(bugprone-use-after-move)
  EXPECT_FALSE(first.profile.loaded());  // NOLINT(bugprone-use-after-move)
}

// ---- one ----------------------------------------------------------------------------------------------------------

TEST(relation_one, none_is_loaded_and_empty) {
  const auto none = bw::one<Order>::none();
  EXPECT_TRUE(none.loaded());
  EXPECT_FALSE(none.has_value());
  EXPECT_NE(none, bw::one<Order>{});
  EXPECT_EQ(none, bw::one<Order>::none());
}

TEST(relation_one, a_copy_is_alike_and_does_not_follow_a_new_assignment) {
  bw::one<Order> first = Order{.id = 1, .item = "tea"};
  const bw::one<Order> second = first;
  EXPECT_EQ(first, second);
  EXPECT_EQ(second->item, "tea");
  first = Order{.id = 2};
  EXPECT_EQ((*second).id, 1);
  EXPECT_NE(first, second);
  EXPECT_EQ(first, bw::one<Order>(Order{.id = 2})) << "equal rows, wherever they are";
}

TEST(relation_one, entities_in_cycles_are_ordinary_values) {
  Order order{.id = 1};
  order.customer = Customer{.id = 7, .orders = {order}};
  const Order copy = order;
  EXPECT_EQ(copy.customer->orders[0].id, 1);
  EXPECT_FALSE(copy.customer->orders[0].customer.loaded());
}

// ---- load ----------------------------------------------------------------------------------------------------------

/// Keeps what it is asked to run, and refuses it.
class refusing_executor final : public bw::executor {
 public:
  bw::result<bw::rows> execute(const bw::statement& /*what*/, const bw::parameters& values) override {
    asked = values;
    ++statements;
    return bw::errc::cancelled;
  }
  bw::parameters asked{};
  int statements = 0;
};

TEST(relation_load, each_key_is_sent_once_in_one_array) {
  const auto refuses = std::make_shared<refusing_executor>();
  std::vector<Order> orders{{.customer_id = 7}, {.customer_id = 5}, {}, {.customer_id = 7}};
  EXPECT_EQ(bw::repository<Order>(refuses).load<&Order::customer>(orders).error(), bw::errc::cancelled);
  EXPECT_EQ(refuses->statements, 1);
  ASSERT_EQ(refuses->asked.size(), 1U);
  EXPECT_EQ(refuses->asked.text(0), R"({"7","5"})");
  EXPECT_FALSE(refuses->asked.is_sensitive(0));
  EXPECT_FALSE(orders[0].customer.loaded()) << "after an error nothing was changed";
  EXPECT_FALSE(orders[2].customer.loaded());
}

TEST(relation_load, keys_of_sensitive_columns_are_marked) {
  const auto refuses = std::make_shared<refusing_executor>();
  Parcel parcel{.sender_name = "ada"};
  EXPECT_EQ(bw::repository<Parcel>(refuses).load<&Parcel::sender>(parcel).error(), bw::errc::cancelled);
  ASSERT_EQ(refuses->asked.size(), 1U);
  EXPECT_TRUE(refuses->asked.is_sensitive(0));
}

TEST(relation_load, a_polymorphic_type_is_a_bound_value) {
  const auto refuses = std::make_shared<refusing_executor>();
  Customer customer{.id = 3};
  EXPECT_EQ(bw::repository<Customer>(refuses).load<&Customer::notes>(customer).error(), bw::errc::cancelled);
  ASSERT_EQ(refuses->asked.size(), 2U);
  EXPECT_EQ(refuses->asked.text(1), "customer");
}

// ---- include ------------------------------------------------------------------------------------------------------

TEST(relation_include, paths_with_a_common_beginning_share_it) {
  std::vector<bw::detail::include_node> wanted;
  bw::detail::include_path<Customer, &Customer::orders, &Order::labels>(wanted, trash::excluded);
  bw::detail::include_path_with_trashed<Customer, &Customer::orders>(wanted);
  bw::detail::include_path<Customer, &Customer::orders, &Order::notes>(wanted, trash::excluded);
  bw::detail::include_path<Customer, &Customer::profile>(wanted, trash::excluded);
  bw::detail::include_path<Customer, &Customer::orders>(wanted, trash::excluded);
  ASSERT_EQ(wanted.size(), 2U);
  EXPECT_EQ(wanted[0].scope, trash::included) << "was said of this one, and stays said";
  ASSERT_EQ(wanted[0].nested.size(), 2U);
  EXPECT_EQ(wanted[0].nested[0].scope, trash::excluded);
  EXPECT_TRUE(wanted[1].nested.empty());
}

TEST(relation_include, a_half_built_query_can_be_kept) {
  const bw::query<Customer> plain(nullptr, bw::detail::query_state{.table = bw::detail::view_of<Customer>});
  const auto with_orders = plain.include<&Customer::orders>();
  EXPECT_EQ(with_orders.include<&Customer::profile>().to_sql(), plain.to_sql()) << "the rows' statement is the same";
}

}  // namespace
}  // namespace tests
