// The statements of a mapping are constants, so most of this file is checked by the compiler.

#include "entities.hpp"

#include <gtest/gtest.h>

namespace {

using bw::detail::statements;
using bw::detail::written;

#define ACCOUNT_COLUMNS                                                                               \
  "\"accounts\".\"id\", \"accounts\".\"owner\", \"accounts\".\"balance\", \"accounts\".\"version\", " \
  "\"accounts\".\"created_at\", \"accounts\".\"updated_at\", \"accounts\".\"deleted_at\""
#define LIVE_ACCOUNT "(\"accounts\".\"deleted_at\" is null)"
#define ACCOUNT_MARKS "\"version\" = \"accounts\".\"version\" + 1, \"updated_at\" = statement_timestamp()"

using of_account = statements<tests::account>;

static_assert(of_account::get.sql == "select " ACCOUNT_COLUMNS
                                     " from \"accounts\" where \"accounts\".\"id\" = $1 and " LIVE_ACCOUNT);
static_assert(of_account::exists.sql ==
              "select exists(select from \"accounts\" where \"accounts\".\"id\" = $1 and " LIVE_ACCOUNT ")");
static_assert(of_account::insert.sql ==
              "insert into \"accounts\" (\"owner\", \"balance\", \"version\", \"created_at\", \"updated_at\") values "
              "($1, $2, 1, statement_timestamp(), statement_timestamp()) returning " ACCOUNT_COLUMNS);
static_assert(of_account::update.sql ==
              "update \"accounts\" set \"owner\" = $1, \"balance\" = $2, " ACCOUNT_MARKS
              " where \"accounts\".\"id\" = $3 and \"accounts\".\"version\" = $4 and " LIVE_ACCOUNT
              " returning " ACCOUNT_COLUMNS);
static_assert(of_account::remove.sql == "update \"accounts\" set \"deleted_at\" = statement_timestamp(), " ACCOUNT_MARKS
                                        " where \"accounts\".\"id\" = $1 and " LIVE_ACCOUNT);
static_assert(of_account::remove_checked.sql ==
              "update \"accounts\" set \"deleted_at\" = statement_timestamp(), " ACCOUNT_MARKS
              " where \"accounts\".\"id\" = $1 and \"accounts\".\"version\" = $2 and " LIVE_ACCOUNT);
static_assert(of_account::restore.sql ==
              "update \"accounts\" set \"deleted_at\" = null, " ACCOUNT_MARKS
              " where \"accounts\".\"id\" = $1 and (\"accounts\".\"deleted_at\" is not null)");
static_assert(of_account::purge.sql == "delete from \"accounts\" where \"accounts\".\"id\" = $1");

// Names are what errors and metrics show; classes decide where a statement may run.
static_assert(of_account::get.name == "accounts.get" && of_account::get.operation == "SELECT");
static_assert(of_account::insert.name == "accounts.insert" && of_account::insert.table == "accounts");
static_assert(of_account::remove.operation == "UPDATE" && of_account::purge.operation == "DELETE");
static_assert(of_account::get.kind == bw::statement_class::read && of_account::exists.is_read());
static_assert(of_account::insert.kind == bw::statement_class::write &&
              of_account::update.kind == bw::statement_class::write);
static_assert(of_account::get.print == bw::fingerprint(of_account::get.sql) && of_account::get.mapped);

#define LINE_TABLE "\"shop\".\"order\""
#define LINE_COLUMNS                                                                                            \
  LINE_TABLE ".\"user.name\", " LINE_TABLE ".\"a \"\"quoted\"\" name\", " LINE_TABLE ".\"select\", " LINE_TABLE \
             ".\"Note\""
#define LINE_KEY(first, second) \
  LINE_TABLE ".\"user.name\" = " first " and " LINE_TABLE ".\"a \"\"quoted\"\" name\" = " second

using of_line = statements<tests::line>;

static_assert(of_line::get.sql == "select " LINE_COLUMNS " from " LINE_TABLE " where " LINE_KEY("$1", "$2"));
static_assert(of_line::exists.sql == "select exists(select from " LINE_TABLE " where " LINE_KEY("$1", "$2") ")");
static_assert(of_line::insert.sql ==
              "insert into " LINE_TABLE
              " (\"user.name\", \"a \"\"quoted\"\" name\", \"select\", \"Note\") values ($1, $2, $3, $4) "
              "returning " LINE_COLUMNS);
static_assert(of_line::update.sql ==
              "update " LINE_TABLE
              " set \"select\" = $1, \"Note\" = $2 where " LINE_KEY("$3", "$4") " returning " LINE_COLUMNS);
static_assert(of_line::remove.sql == "delete from " LINE_TABLE " where " LINE_KEY("$1", "$2"));

using of_ticket = statements<tests::ticket>;

static_assert(of_ticket::insert.sql ==
              "insert into \"tickets\" (\"state\", \"priority\") values ($1, $2) returning \"tickets\".\"id\", "
              "\"tickets\".\"state\", \"tickets\".\"priority\"");

using of_tag = statements<tests::tag>;

static_assert(of_tag::insert.sql == "insert into \"tags\" (\"name\") values ($1) returning \"tags\".\"name\"");
static_assert(of_tag::get.sql == "select \"tags\".\"name\" from \"tags\" where \"tags\".\"name\" = $1");

// Keys have the type of their column, composite ones of all in mapping order.
static_assert(std::is_same_v<bw::repository<tests::account>::key_type, std::int64_t>);
static_assert(std::is_same_v<bw::repository<tests::line>::key_type, std::tuple<std::int64_t, std::int32_t>>);
static_assert(std::is_same_v<bw::repository<tests::tag>::key_type, std::string>);

// What a mapping does not allow does not exist.
template <class R>
concept can_restore = requires(R r) {
  r.restore(1);
};
template <class R>
concept can_see_trash = requires(R r) {
  r.with_trashed();
};
template <class R>
concept can_update = requires(R r, tests::tag t) {
  r.update(t);
};
static_assert(can_restore<bw::repository<tests::account>> && !can_restore<bw::repository<tests::ticket>>);
static_assert(can_see_trash<bw::repository<tests::account>> && !can_see_trash<bw::repository<tests::line>>);
static_assert(!can_update<bw::repository<tests::tag>>, "a table of keys has nothing to update");

TEST(statements, an_insert_names_default_for_columns_left_to_the_database) {
  const auto insert = [](std::uint64_t use_default) {
    return written(
        [&](bw::detail::text_out& out) { write_insert(out, bw::detail::view_of<tests::ticket>, use_default); });
  };
  constexpr std::uint64_t state = 1U << 1U;
  constexpr std::uint64_t priority = 1U << 2U;
  EXPECT_TRUE(insert(state).starts_with("insert into \"tickets\" (\"state\", \"priority\") values (default, $1) "));
  EXPECT_TRUE(insert(state | priority)
                  .starts_with("insert into \"tickets\" (\"state\", \"priority\") values (default, default) "));
}

TEST(statements, an_insert_of_only_generated_columns_takes_the_defaults) {
  constexpr bw::detail::column_info only[] = {{.name = "id", .primary_key = true, .generated = true}};
  const bw::detail::table_view table{.name = {.schema = {}, .table = "t"}, .columns = only};
  EXPECT_EQ(written([&](bw::detail::text_out& out) { write_insert(out, table, 0); }),
            "insert into \"t\" default values returning \"t\".\"id\"");
}

TEST(statements, the_initial_version_is_the_mappings) {
  constexpr bw::detail::column_info columns[] = {{.name = "v", .version = true, .initial_version = -7}};
  const bw::detail::table_view table{.name = {.schema = {}, .table = "t"}, .columns = columns};
  EXPECT_EQ(written([&](bw::detail::text_out& out) { write_insert(out, table, 0); }),
            "insert into \"t\" (\"v\") values (-7) returning \"t\".\"v\"");
}

}  // namespace
