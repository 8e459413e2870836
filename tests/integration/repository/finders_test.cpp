// Rows by other columns and by many keys, and what names a row as it was read.

#include "support.hpp"

#include <numeric>
#include <tuple>
#include <vector>

namespace tests {
namespace {

class finders : public repository_test {
 protected:
  bw::session session = on_primary();
  bw::repository<account> accounts = session.repository<account>();
  bw::repository<line> lines = session.repository<line>();

  account insert(const char* owner) {
    auto inserted = accounts.insert({.owner = owner, .balance = 10});
    EXPECT_TRUE(inserted.has_value()) << inserted.error().message();
    watcher().clear();
    return std::move(inserted).value();
  }
  void insert_lines() {
    ASSERT_OK(lines.insert_many({{.order_id = 1, .number = 1, .product = "tea", .note = "green"},
                                 {.order_id = 1, .number = 2, .product = "tea"},
                                 {.order_id = 2, .number = 1, .product = "milk"}}));
    watcher().clear();
  }
};

TEST_F(finders, a_row_is_found_by_another_column) {
  const account ada = insert("ada");
  const auto found = accounts.find_by<&account::owner>("ada");
  ASSERT_OK(found);
  ASSERT_TRUE(found.value().has_value());
  EXPECT_EQ(found.value()->id, ada.id);
  EXPECT_EQ(watcher().operations().size(), 1U);
  EXPECT_EQ(watcher().last().statement, "accounts.find_by");
  EXPECT_EQ(accounts.find_by<&account::owner>("bob").value(), std::nullopt);
  EXPECT_EQ(accounts.get_by<&account::owner>(std::string("ada")).value().id, ada.id);
  EXPECT_ERROR(accounts.get_by<&account::owner>("bob"), errc::not_found);
}

TEST_F(finders, two_rows_are_too_many_for_one) {
  insert_lines();
  EXPECT_ERROR(lines.find_by<&line::product>("tea"), errc::too_many_rows);
  EXPECT_ERROR(lines.get_by<&line::product>("tea"), errc::too_many_rows);
  EXPECT_EQ(lines.find_all_by<&line::product>("tea").value().size(), 2U);
  EXPECT_TRUE(lines.find_all_by<&line::product>("beer").value().empty());
}

TEST_F(finders, several_columns_and_null) {
  insert_lines();
  const auto second = lines.get_by<&line::product, &line::note>("tea", std::nullopt);
  ASSERT_OK(second);
  EXPECT_EQ(second.value().number, 2);
  EXPECT_EQ((lines.get_by<&line::product, &line::note>("tea", std::optional<std::string>("green")).value().number), 1);
  EXPECT_EQ(lines.find_all_by<&line::note>(std::optional<std::string>()).value().size(), 2U);
}

TEST_F(finders, a_number_beyond_the_column_matches_nothing) {
  insert_lines();
  EXPECT_EQ(lines.find_all_by<&line::number>(1).value().size(), 2U);
  const auto none = lines.find_all_by<&line::number>(std::int64_t{1} << 40);
  ASSERT_OK(none);
  EXPECT_TRUE(none.value().empty());
}

TEST_F(finders, the_trash_is_not_found) {
  const account ada = insert("ada");
  ASSERT_OK(accounts.remove(ada.id));
  EXPECT_EQ(accounts.find_by<&account::owner>("ada").value(), std::nullopt);
  EXPECT_TRUE(accounts.find_all_by<&account::owner>("ada").value().empty());
  EXPECT_TRUE(accounts.get_many({ada.id}).value().empty());
}

TEST_F(finders, many_keys_give_their_rows_in_the_order_of_the_keys) {
  const account ada = insert("ada");
  const account bob = insert("bob");
  const account eve = insert("eve");
  const auto found = accounts.get_many({eve.id, std::int64_t{-1}, ada.id, bob.id, ada.id});
  ASSERT_OK(found);
  ASSERT_EQ(found.value().size(), 4U) << "the missing one is left out, the one named twice comes twice";
  EXPECT_EQ(found.value()[0].owner, "eve");
  EXPECT_EQ(found.value()[1].owner, "ada");
  EXPECT_EQ(found.value()[2].owner, "bob");
  EXPECT_EQ(found.value()[3].owner, "ada");
  EXPECT_EQ(watcher().operations().size(), 1U);
}

TEST_F(finders, no_keys_give_no_rows_and_nothing_is_sent) {
  const auto none = accounts.get_many(std::vector<std::int64_t>{});
  ASSERT_OK(none);
  EXPECT_TRUE(none.value().empty());
  EXPECT_TRUE(watcher().operations().empty());
}

TEST_F(finders, composite_keys_and_keys_of_text) {
  insert_lines();
  const std::vector<std::tuple<std::int64_t, std::int32_t>> keys{{2, 1}, {1, 2}};
  const auto found = lines.get_many(keys);
  ASSERT_OK(found);
  ASSERT_EQ(found.value().size(), 2U);
  EXPECT_EQ(found.value()[0].product, "milk");
  EXPECT_EQ(found.value()[1].number, 2);

  const auto tags = session.repository<tag>();
  ASSERT_OK(tags.insert_many({{.name = "it's"}, {.name = "a \"b\""}}));
  const std::vector<const char*> names{"a \"b\"", "it's"};
  const auto named = tags.get_many(names);
  ASSERT_OK(named);
  ASSERT_EQ(named.value().size(), 2U);
  EXPECT_EQ(named.value()[0].name, "a \"b\"");
}

TEST_F(finders, a_hundred_thousand_keys_are_one_statement) {
  ASSERT_OK(session.execute("insert into tags select i::text from generate_series(1, 100000) i"));
  std::vector<std::string> keys;
  for (int i = 100'000; i > 0; --i) keys.push_back(std::to_string(i));
  watcher().clear();
  const auto found = session.repository<tag>().get_many(keys);
  ASSERT_OK(found);
  ASSERT_EQ(found.value().size(), keys.size());
  EXPECT_EQ(found.value().front().name, "100000");
  EXPECT_EQ(found.value().back().name, "1");
  EXPECT_EQ(watcher().operations().size(), 1U);
}

TEST_F(finders, text_with_a_nul_byte_is_refused_before_anything_is_sent) {
  const std::string bad("a\0b", 3);
  EXPECT_ERROR(accounts.find_by<&account::owner>(bad), errc::invalid_argument);
  EXPECT_ERROR(session.repository<tag>().get_many(std::vector<std::string>{"a", bad}), errc::invalid_argument);
  EXPECT_TRUE(watcher().operations().empty());
}

TEST_F(finders, restoring_and_purging_as_read_check_the_version) {
  const account ada = insert("ada");
  ASSERT_OK(accounts.remove(ada));
  const auto trashed = accounts.with_trashed().one();
  ASSERT_OK(trashed);
  EXPECT_ERROR(accounts.restore(ada), errc::stale_version) << "removing it raised the version";
  ASSERT_OK(accounts.restore(trashed.value()));
  EXPECT_ERROR(accounts.restore(trashed.value()), errc::not_found) << "it is not in the trash";
  EXPECT_ERROR(accounts.purge(ada), errc::stale_version);
  ASSERT_OK(accounts.purge(accounts.get(ada.id).value()));
  EXPECT_ERROR(accounts.purge(ada), errc::not_found);
  EXPECT_EQ(truth("select count(*) from accounts"), "0");
}

TEST_F(finders, purge_all_deletes_for_good_what_the_query_sees) {
  ASSERT_OK(accounts.insert_many({{.owner = "ada"}, {.owner = "bob"}, {.owner = "eve"}}));
  ASSERT_OK(accounts.where(bw::col<&account::owner> == "ada").delete_all());
  EXPECT_ERROR(accounts.query().purge_all(), errc::unsafe_operation);
  EXPECT_ERROR(accounts.query().every_row().limit(1).purge_all(), errc::invalid_argument);
  EXPECT_EQ(accounts.where(bw::col<&account::owner> == "ada").purge_all().value(), 0U) << "it is in the trash";
  EXPECT_EQ(accounts.where(bw::col<&account::owner> == "bob").purge_all().value(), 1U);
  EXPECT_EQ(accounts.only_trashed().every_row().purge_all().value(), 1U);
  EXPECT_EQ(accounts.with_trashed().every_row().purge_all().value(), 1U);
  EXPECT_EQ(truth("select count(*) from accounts"), "0");
}

TEST_F(finders, bulk_changes_can_return_their_rows) {
  ASSERT_OK(accounts.insert_many({{.owner = "ada"}, {.owner = "bob"}, {.owner = "eve"}}));
  const auto some = accounts.where(bw::col<&account::owner> != "eve");
  const auto changed = some.update_all_returning(bw::set<&account::balance>(bw::col<&account::balance> + 5));
  ASSERT_OK(changed);
  ASSERT_EQ(changed.value().size(), 2U);
  EXPECT_EQ(changed.value()[0].balance, bw::numeric{"5"});
  EXPECT_EQ(changed.value()[0].version, 2);
  const auto removed = some.delete_all_returning();
  ASSERT_OK(removed);
  ASSERT_EQ(removed.value().size(), 2U);
  EXPECT_TRUE(removed.value()[1].deleted_at.has_value());
  EXPECT_TRUE(some.delete_all_returning().value().empty());
  EXPECT_ERROR(accounts.query().delete_all_returning(), errc::unsafe_operation);
  EXPECT_ERROR(accounts.query().update_all_returning(bw::set<&account::balance>(1)), errc::unsafe_operation);
  EXPECT_ERROR(accounts.with_trashed().every_row().delete_all_returning(), errc::invalid_argument);
}

}  // namespace
}  // namespace tests
