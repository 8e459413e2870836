// The statements of bulk writes, upserts and finders.

#include "entities.hpp"

#include <gtest/gtest.h>

namespace {

using bw::detail::written;
namespace detail = bw::detail;

#define ACCOUNT_COLUMNS                                                                               \
  "\"accounts\".\"id\", \"accounts\".\"owner\", \"accounts\".\"balance\", \"accounts\".\"version\", " \
  "\"accounts\".\"created_at\", \"accounts\".\"updated_at\", \"accounts\".\"deleted_at\""
#define ACCOUNT_INSERT                                                                                                 \
  "insert into \"accounts\" (\"owner\", \"balance\", \"version\", \"created_at\", \"updated_at\") values ($1, $2, 1, " \
  "statement_timestamp(), statement_timestamp())"
#define ACCOUNT_MARKS "\"version\" = \"accounts\".\"version\" + 1, \"updated_at\" = statement_timestamp()"
#define ACCOUNT_CONFLICT " on conflict (\"owner\") where \"deleted_at\" is null"
#define INSERTED ", \"accounts\".\"xmax\" = 0"

using by_owner = detail::conflict_target<&tests::account::owner>;

static_assert(detail::upsert_statement<tests::account, by_owner, detail::all_columns>.sql ==
              ACCOUNT_INSERT ACCOUNT_CONFLICT
              " do update set \"balance\" = excluded.\"balance\", " ACCOUNT_MARKS
              " where \"accounts\".\"deleted_at\" is null returning " ACCOUNT_COLUMNS INSERTED);
static_assert(detail::upsert_statement<tests::account, by_owner, detail::do_nothing_tag>.sql ==
              ACCOUNT_INSERT ACCOUNT_CONFLICT " do nothing returning " ACCOUNT_COLUMNS);
static_assert(detail::upsert_statement<tests::account, by_owner, detail::all_columns>.name == "accounts.upsert" &&
              detail::upsert_statement<tests::account, by_owner, detail::all_columns>.operation == "INSERT" &&
              detail::upsert_statement<tests::account, by_owner, detail::all_columns>.kind ==
                  bw::statement_class::write);

// An entity of nothing but its key still needs an update that returns the row.
static_assert(detail::upsert_statement<tests::tag, detail::key_target, detail::all_columns>.sql ==
              "insert into \"tags\" (\"name\") values ($1) on conflict (\"name\") do update set \"name\" = "
              "excluded.\"name\" returning \"tags\".\"name\", \"tags\".\"xmax\" = 0");

#define LINE_TABLE "\"shop\".\"order\""
#define LINE_COLUMNS                                                                                            \
  LINE_TABLE ".\"user.name\", " LINE_TABLE ".\"a \"\"quoted\"\" name\", " LINE_TABLE ".\"select\", " LINE_TABLE \
             ".\"Note\""

static_assert(
    detail::upsert_statement<tests::line, detail::key_target, detail::updated_columns<&tests::line::note>>.sql ==
    "insert into " LINE_TABLE
    " (\"user.name\", \"a \"\"quoted\"\" name\", \"select\", \"Note\") values ($1, $2, $3, "
    "$4) on conflict (\"user.name\", \"a \"\"quoted\"\" name\") do update set \"Note\" = excluded.\"Note\" "
    "returning " LINE_COLUMNS ", " LINE_TABLE ".\"xmax\" = 0");

static_assert(detail::finder_statement<tests::account, detail::finder::one, &tests::account::owner>.sql ==
              "select " ACCOUNT_COLUMNS
              " from \"accounts\" where \"accounts\".\"owner\" = $1 and "
              "(\"accounts\".\"deleted_at\" is null) limit 2");
static_assert(
    detail::finder_statement<tests::line, detail::finder::all, &tests::line::product, &tests::line::note>.sql ==
    "select " LINE_COLUMNS " from " LINE_TABLE " where " LINE_TABLE ".\"select\" = $1 and " LINE_TABLE
    ".\"Note\" = $2");
static_assert(detail::finder_statement<tests::account, detail::finder::existing, &tests::account::owner>.sql ==
              "select " ACCOUNT_COLUMNS
              " from \"accounts\" where \"accounts\".\"owner\" = $1 order by "
              "\"accounts\".\"deleted_at\" desc nulls first limit 1");

static_assert(detail::get_many_statement<tests::line>.sql ==
              "select " LINE_COLUMNS
              " from unnest($1::int8[], $2::int4[]) with ordinality as \"bw.keys\"(\"1\", "
              "\"2\", \"n\") join " LINE_TABLE " on " LINE_TABLE ".\"user.name\" = \"bw.keys\".\"1\" and " LINE_TABLE
              ".\"a \"\"quoted\"\" name\" = \"bw.keys\".\"2\" order by \"bw.keys\".\"n\"");

TEST(bulk_statements, a_column_with_null_is_found_by_is_null_and_takes_no_parameter) {
  constexpr std::size_t places[] = {2, 3};
  EXPECT_EQ(written([&](auto& out) {
              detail::write_find_by(out, detail::view_of<tests::line>, places, 0b01, detail::finder::one);
            }),
            "select " LINE_COLUMNS " from " LINE_TABLE " where " LINE_TABLE ".\"select\" is null and " LINE_TABLE
            ".\"Note\" = $1 limit 2");
}

TEST(bulk_statements, rows_travel_as_arrays_of_the_types_that_single_values_have) {
  EXPECT_EQ(written([](auto& out) {
              detail::write_insert_from_arrays(out, detail::view_of<tests::account>, 0,
                                               detail::sent_types<tests::account>);
            }),
            "insert into \"accounts\" (\"owner\", \"balance\", \"version\", \"created_at\", \"updated_at\") select "
            "unnest(coalesce($1, array(select \"accounts\".\"owner\" from \"accounts\" where false))), "
            "unnest($2::numeric[]), 1, statement_timestamp(), statement_timestamp()");
}

TEST(bulk_statements, columns_that_take_their_default_in_every_row_are_left_out) {
  EXPECT_EQ(written([](auto& out) {
              detail::write_insert_from_arrays(out, detail::view_of<tests::ticket>, 0b010,
                                               detail::sent_types<tests::ticket>);
            }),
            "insert into \"tickets\" (\"priority\") select unnest($1::int4[])");
  EXPECT_EQ(written([](auto& out) {
              detail::write_insert_from_arrays(out, detail::view_of<tests::ticket>, 0b110,
                                               detail::sent_types<tests::ticket>);
            }),
            "insert into \"tickets\" select from generate_series(1, $1::int8)");
}

std::vector<detail::insert_chunk> chunks_of(detail::bulk_shape& shape, const std::vector<tests::ticket>& rows) {
  shape.table = detail::view_of<tests::ticket>;
  shape.types = detail::sent_types<tests::ticket>;
  auto made = detail::make_chunks<tests::ticket>(shape, rows);
  EXPECT_TRUE(made.has_value());
  return std::move(made).value();
}

TEST(bulk_statements, rows_that_differ_in_their_defaults_travel_as_values) {
  detail::bulk_shape shape{.table = detail::view_of<tests::ticket>, .types = {}, .name = "tickets.x", .tail = " tail"};
  const auto chunks = chunks_of(shape, {{.state = "open"}, {.priority = 7}, {.state = "new", .priority = 1}});
  ASSERT_EQ(chunks.size(), 1U);
  EXPECT_EQ(chunks[0].statement.text,
            "insert into \"tickets\" (\"state\", \"priority\") values ($1, default), (default, $2), ($3, $4) tail");
  EXPECT_EQ(chunks[0].statement.values.size(), 4U);
  EXPECT_FALSE(chunks[0].statement.view().prepare);
}

TEST(bulk_statements, values_are_counted_and_the_rest_goes_into_another_statement) {
  std::vector<tests::ticket> rows(40'000, tests::ticket{.state = "open", .priority = 1});
  rows.front().priority = 0;
  detail::bulk_shape shape{.table = detail::view_of<tests::ticket>, .types = {}, .name = "tickets.x", .tail = ""};
  const auto chunks = chunks_of(shape, rows);
  ASSERT_EQ(chunks.size(), 2U);
  EXPECT_EQ(chunks[0].rows + chunks[1].rows, rows.size());
  EXPECT_LE(chunks[0].statement.values.size(), 65535U);
  EXPECT_TRUE(
      chunks[1].statement.text.starts_with("insert into \"tickets\" (\"state\", \"priority\") values ($1, $2)"));
}

TEST(bulk_statements, one_array_parameter_quotes_what_it_holds) {
  bw::parameters values;
  values.add_text(R"(a "quoted" \ {b}, c)");
  values.add_null();
  values.add_text("");
  values.mark_sensitive();
  bw::bind(values, -7);
  detail::array_parameter array;
  for (std::size_t i = 0; i < values.size(); ++i) array.add(values, i);
  bw::parameters made;
  array.finish(made);
  EXPECT_EQ(made.text(0), R"({"a \"quoted\" \\ {b}, c",NULL,"",-7})");
  EXPECT_TRUE(made.is_sensitive(0));
}

}  // namespace
