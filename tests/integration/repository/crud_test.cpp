// Single rows: insert, get, find, update, patch, remove, restore, purge.

#include "support.hpp"

namespace tests {
namespace {

class crud : public repository_test {
 protected:
  bw::session session = on_primary();
  bw::repository<account> accounts = session.repository<account>();

  account insert(const char* owner, bw::numeric balance = bw::numeric{"10.00"}) {
    auto inserted = accounts.insert({.owner = owner, .balance = std::move(balance)});
    EXPECT_TRUE(inserted.has_value()) << inserted.error().message();
    return std::move(inserted).value();
  }
};

TEST_F(crud, an_inserted_row_comes_back_as_it_is_stored) {
  const account ada = insert("ada");
  EXPECT_GT(ada.id, 0);
  EXPECT_EQ(ada.version, 1);
  EXPECT_EQ(ada.balance.to_string(), "10.00000000") << "numeric(20, 8) has a scale of its own";
  EXPECT_TRUE(ada.created_at && ada.updated_at);
  EXPECT_EQ(ada.deleted_at, std::nullopt);
  const auto read = accounts.get(ada.id);
  ASSERT_OK(read);
  EXPECT_EQ(read.value().owner, "ada");
  EXPECT_EQ(read.value().created_at, ada.created_at);
}

TEST_F(crud, database_defaults_fill_what_the_entity_leaves_out) {
  const auto tickets = session.repository<ticket>();
  const auto made = tickets.insert({});
  ASSERT_OK(made);
  EXPECT_FALSE(made.value().id.is_nil()) << "gen_random_uuid() made it";
  EXPECT_EQ(made.value().state, "new");
  EXPECT_EQ(made.value().priority, 3);
  const auto urgent = tickets.insert({.state = "open", .priority = 1});
  ASSERT_OK(urgent);
  EXPECT_EQ(urgent.value().state, "open");
  EXPECT_EQ(urgent.value().priority, 1);
  const auto half = tickets.insert({.priority = 7});
  ASSERT_OK(half);
  EXPECT_EQ(half.value().state, "new");
  EXPECT_EQ(half.value().priority, 7);
}

TEST_F(crud, a_key_that_does_not_exist_is_not_found) {
  EXPECT_ERROR(accounts.get(-1), errc::not_found);
  const auto maybe = accounts.find(-1);
  ASSERT_OK(maybe);
  EXPECT_EQ(maybe.value(), std::nullopt);
  EXPECT_FALSE(accounts.exists(-1).value());
  EXPECT_ERROR(accounts.remove(-1), errc::not_found);
  EXPECT_ERROR(accounts.patch(-1, bw::set<&account::owner>("x")), errc::not_found);
  EXPECT_ERROR(accounts.update({.id = -1}), errc::not_found);
  EXPECT_ERROR(accounts.restore(-1), errc::not_found);
  EXPECT_ERROR(accounts.purge(-1), errc::not_found);
}

TEST_F(crud, an_update_raises_the_version_and_the_time_in_the_result_and_in_the_row) {
  account ada = insert("ada");
  const auto before = ada;
  ada.balance = bw::numeric{"15.00"};
  const auto updated = accounts.update(ada);
  ASSERT_OK(updated);
  EXPECT_EQ(updated.value().version, 2);
  EXPECT_GT(*updated.value().updated_at, *before.updated_at);
  EXPECT_EQ(updated.value().created_at, before.created_at);
  EXPECT_EQ(truth("select version from accounts"), "2");
  EXPECT_EQ(truth("select balance from accounts"), "15.00000000");
  EXPECT_EQ(truth("select updated_at > created_at from accounts"), "t");
}

TEST_F(crud, a_stale_version_leaves_the_row_untouched) {
  account ada = insert("ada");
  account stale = ada;
  ada.balance = bw::numeric{"15.00"};
  ASSERT_OK(accounts.update(ada));
  stale.balance = bw::numeric{"99.00"};
  const auto refused = accounts.update(stale);
  EXPECT_ERROR(refused, errc::stale_version);
  EXPECT_EQ(refused.error().applied(), bw::applied::no);
  EXPECT_EQ(refused.error().statement(), "accounts.update");
  EXPECT_EQ(truth("select balance from accounts"), "15.00000000");
  EXPECT_ERROR(accounts.remove(stale), errc::stale_version);
  EXPECT_EQ(truth("select deleted_at is null from accounts"), "t");
}

TEST_F(crud, an_update_of_a_trashed_row_is_not_found_and_does_not_resurrect_it) {
  account ada = insert("ada");
  ASSERT_OK(accounts.remove(ada.id));
  ada.balance = bw::numeric{"1.00"};
  EXPECT_ERROR(accounts.update(ada), errc::not_found);
  EXPECT_ERROR(accounts.patch(ada.id, bw::set<&account::balance>(bw::numeric{"1.00"})), errc::not_found);
  EXPECT_EQ(truth("select deleted_at is not null and balance = 10 from accounts"), "t");
}

TEST_F(crud, a_patch_changes_only_its_columns) {
  const account ada = insert("ada");
  const auto patched = accounts.patch(ada.id, bw::set<&account::balance>(bw::numeric{"7.50"}));
  ASSERT_OK(patched);
  EXPECT_EQ(patched.value().owner, "ada");
  EXPECT_EQ(patched.value().balance, bw::numeric{"7.50"});
  EXPECT_EQ(patched.value().version, 2);
  EXPECT_EQ(truth("select owner || ' ' || balance || ' ' || version from accounts"), "ada 7.50000000 2");
}

TEST_F(crud, an_empty_patch_only_touches_the_time_of_update) {
  const account ada = insert("ada");
  const auto touched = accounts.patch(ada.id);
  ASSERT_OK(touched);
  EXPECT_EQ(touched.value().version, 1);
  EXPECT_GT(*touched.value().updated_at, *ada.updated_at);
  ASSERT_OK(session.repository<ticket>().insert({}));
  const auto id = bw::uuid::parse(truth("select id from tickets")).value();
  const auto unchanged = session.repository<ticket>().patch(id);
  ASSERT_OK(unchanged);
  EXPECT_EQ(unchanged.value().state, "new") << "without a time of update it is only read";
}

TEST_F(crud, a_patch_checks_the_version_when_it_is_given) {
  const account ada = insert("ada");
  ASSERT_OK(accounts.patch(ada.id, bw::set<&account::version>(1), bw::set<&account::owner>("eve")));
  EXPECT_ERROR(accounts.patch(ada.id, bw::set<&account::version>(1), bw::set<&account::owner>("bob")),
               errc::stale_version);
  EXPECT_EQ(truth("select owner || version from accounts"), "eve2");
}

TEST_F(crud, a_patch_refuses_columns_that_are_not_the_callers) {
  const account ada = insert("ada");
  EXPECT_ERROR(accounts.patch(ada.id, bw::set<&account::id>(7)), errc::invalid_argument);
  EXPECT_ERROR(accounts.patch(ada.id, bw::set<&account::deleted_at>(std::nullopt)), errc::invalid_argument);
  const auto twice = accounts.patch(ada.id, bw::set<&account::owner>("a"), bw::set<&account::owner>("b"));
  EXPECT_ERROR(twice, errc::invalid_argument);
  EXPECT_EQ(twice.error().column(), "owner");
  EXPECT_EQ(truth("select version from accounts"), "1");
}

TEST_F(crud, a_duplicate_is_a_unique_violation_naming_the_constraint) {
  insert("ada");
  const auto refused = accounts.insert({.owner = "ada"});
  EXPECT_ERROR(refused, errc::unique_violation);
  EXPECT_EQ(refused.error().constraint(), "accounts_owner_key");
  EXPECT_EQ(refused.error().sqlstate(), "23505");
  EXPECT_EQ(refused.error().table(), "accounts");
  EXPECT_FALSE(refused.error().is_callers_mistake());
  EXPECT_EQ(refused.error().message().find("ada"), std::string::npos) << refused.error().message();
  EXPECT_EQ(truth("select count(*) from accounts"), "1");
}

TEST_F(crud, a_check_violation_names_its_constraint) {
  const auto refused = accounts.insert({.owner = "ada", .balance = bw::numeric{"-1"}});
  EXPECT_ERROR(refused, errc::check_violation);
  EXPECT_EQ(refused.error().constraint(), "no_debt");
}

TEST_F(crud, removal_hides_and_restore_brings_back) {
  const account ada = insert("ada");
  insert("bob");
  ASSERT_OK(accounts.remove(ada.id));
  EXPECT_ERROR(accounts.get(ada.id), errc::not_found);
  EXPECT_EQ(accounts.find(ada.id).value(), std::nullopt);
  EXPECT_FALSE(accounts.exists(ada.id).value());
  EXPECT_EQ(accounts.count().value(), 1);
  EXPECT_EQ(accounts.query().all().value().size(), 1U);
  EXPECT_EQ(accounts.with_trashed().all().value().size(), 2U);
  EXPECT_EQ(accounts.with_trashed().count().value(), 2);
  const auto trashed = accounts.only_trashed().one();
  ASSERT_OK(trashed);
  EXPECT_EQ(trashed.value().owner, "ada");
  EXPECT_TRUE(trashed.value().deleted_at);
  EXPECT_EQ(trashed.value().version, 2) << "moving to the trash is a change like any other";
  EXPECT_ERROR(accounts.remove(ada.id), errc::not_found) << "it is in the trash already";

  ASSERT_OK(accounts.restore(ada.id));
  EXPECT_EQ(accounts.get(ada.id).value().version, 3);
  EXPECT_ERROR(accounts.restore(ada.id), errc::not_found) << "it is not in the trash";
}

TEST_F(crud, purge_deletes_for_good_in_the_trash_or_not) {
  const account ada = insert("ada");
  const account bob = insert("bob");
  ASSERT_OK(accounts.remove(ada.id));
  ASSERT_OK(accounts.purge(ada.id));
  ASSERT_OK(accounts.purge(bob.id));
  EXPECT_EQ(truth("select count(*) from accounts"), "0");
}

TEST_F(crud, removal_without_a_trash_deletes) {
  const auto tickets = session.repository<ticket>();
  const auto made = tickets.insert({});
  ASSERT_OK(made);
  ASSERT_OK(tickets.remove(made.value().id));
  EXPECT_EQ(truth("select count(*) from tickets"), "0");
}

TEST_F(crud, hostile_names_and_composite_keys_work_throughout) {
  const auto lines = session.repository<line>();
  ASSERT_OK(lines.insert({.order_id = 7, .number = 1, .product = "tea"}));
  ASSERT_OK(lines.insert({.order_id = 7, .number = 2, .product = "coffee", .note = "strong"}));
  EXPECT_EQ(lines.get(7, 2).value().note, "strong");
  EXPECT_EQ(lines.get(std::tuple{7, 1}).value().note, std::nullopt);
  EXPECT_TRUE(lines.exists(7, 1).value());
  EXPECT_FALSE(lines.exists(7, 3).value());
  ASSERT_OK(lines.update({.order_id = 7, .number = 1, .product = "green tea", .note = "hot"}));
  ASSERT_OK(lines.patch({7, 2}, bw::set<&line::note>(std::nullopt)));
  EXPECT_EQ(
      truth("select string_agg(\"select\" || coalesce(\"Note\", '-'), ',' order by \"select\") from shop.\"order\""),
      "coffee-,green teahot");
  EXPECT_EQ(lines.where(bw::col<&line::product> == "coffee").count().value(), 1);
  ASSERT_OK(lines.remove(7, 1));
  EXPECT_EQ(lines.count().value(), 1);
  EXPECT_ERROR(lines.get(7, 1), errc::not_found);
}

TEST_F(crud, a_nul_byte_in_a_text_is_refused_before_anything_is_sent) {
  watcher().clear();
  const auto refused = accounts.insert({.owner = std::string("a\0b", 3)});
  EXPECT_ERROR(refused, errc::invalid_argument);
  EXPECT_EQ(refused.error().column(), "owner");
  EXPECT_EQ(refused.error().applied(), bw::applied::no);
  EXPECT_ERROR(accounts.where(bw::col<&account::owner> == std::string("a\0b", 3)).all(), errc::invalid_argument);
  EXPECT_TRUE(watcher().operations().empty());
  ASSERT_OK(accounts.insert({.owner = "ab"}));
}

TEST_F(crud, injection_strings_are_values_and_nothing_else) {
  for (const char* text : {"'; drop table accounts; --", "\" or 1=1 --", "$1", "?", ":name", "\\", "%", "{a,b}", "'"}) {
    const auto stored = accounts.insert({.owner = text});
    ASSERT_OK(stored);
    EXPECT_EQ(accounts.where(bw::col<&account::owner> == text).one().value().owner, text);
    EXPECT_EQ(accounts.where(bw::col<&account::owner>.in(text, "x")).one().value().owner, text);
  }
}

TEST_F(crud, every_operation_is_one_round_trip_under_its_own_name) {
  account ada = insert("ada");
  ASSERT_OK(accounts.get(ada.id));
  ASSERT_OK(accounts.update(ada));
  ASSERT_OK(accounts.patch(ada.id));
  ASSERT_OK(accounts.remove(ada.id));
  ASSERT_OK(accounts.restore(ada.id));
  ASSERT_OK(accounts.purge(ada.id));
  std::string names;
  for (const auto& each : watcher().operations()) names.append(each.statement).append(" ");
  EXPECT_EQ(names,
            "accounts.insert accounts.get accounts.update accounts.patch accounts.remove accounts.restore "
            "accounts.purge ");
}

}  // namespace
}  // namespace tests
