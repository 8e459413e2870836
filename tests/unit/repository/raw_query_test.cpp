#include <breakwater/repository/mapping.hpp>
#include <breakwater/repository/raw_query.hpp>

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace {

namespace oid = bw::oid;
using bw::errc;

struct owner_total {
  std::string owner;
  std::int64_t total{};
};

struct mapped_owner {
  std::int64_t key{};
  std::optional<std::string> label{};
};

}  // namespace

template <>
inline constexpr auto breakwater::mapping<mapped_owner> = bw::table(
    "owners", bw::column<&mapped_owner::key>("id", bw::primary_key), bw::column<&mapped_owner::label>("Display Name"));

namespace {

struct result_column {
  const char* name;
  std::uint32_t type;
};
using result_row = std::vector<const char*>;  // nullptr: NULL

bw::rows make_rows(const std::vector<result_column>& columns, const std::vector<result_row>& data,
                   std::string_view tag = "SELECT") {
  PGresult* made = PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK);
  std::vector<PGresAttDesc> described;
  for (const result_column& column : columns) {
    PGresAttDesc description{};
    description.name = const_cast<char*>(column.name);
    description.typid = column.type;
    described.push_back(description);
  }
  EXPECT_EQ(PQsetResultAttrs(made, static_cast<int>(described.size()), described.data()), 1);
  for (std::size_t row = 0; row < data.size(); ++row) {
    for (std::size_t i = 0; i < data[row].size(); ++i) {
      const std::string text = data[row][i] == nullptr ? "" : data[row][i];
      EXPECT_EQ(PQsetvalue(made, static_cast<int>(row), static_cast<int>(i), const_cast<char*>(text.c_str()),
                           data[row][i] == nullptr ? -1 : static_cast<int>(text.size())),
                1);
    }
  }
  std::strcpy(PQcmdStatus(made), (std::string(tag) + " " + std::to_string(data.size())).c_str());
  return bw::rows(made);
}

/// Answers every statement with the same rows and remembers what it was asked.
class recorder : public bw::executor {
 public:
  bw::result<bw::rows> execute(const bw::statement& what, const bw::parameters& values) override {
    ++runs;
    sql = what.sql;
    name = what.name;
    seen = what;
    sent = values;
    if (failure) return *failure;
    return make_rows(columns, data, tag);
  }
  [[nodiscard]] bool autocommits() const noexcept override { return commits; }

  [[nodiscard]] std::string text(std::size_t i) const { return std::string(sent.text(i)); }

  std::vector<result_column> columns{{"owner", oid::text}, {"total", oid::numeric}};
  std::vector<result_row> data{{"ada", "10"}, {"bob", "20"}};
  std::string tag = "SELECT";
  std::optional<bw::error> failure{};
  bool commits = true;

  int runs = 0;
  std::string sql{};
  std::string name{};
  bw::statement seen{};
  bw::parameters sent{};
};

constexpr std::uint32_t bool_array = 1000;
constexpr std::uint32_t int4_array = 1007;

class raw_query : public testing::Test {
 protected:
  template <class... Arguments>
  [[nodiscard]] bw::raw_query query(std::string_view sql, const Arguments&... arguments) const {
    return bw::raw_query(on, sql, arguments...);
  }
  /// The parameter that this one value becomes.
  template <class T>
  std::pair<std::string, std::uint32_t> sent(const T& value) const {
    EXPECT_TRUE(query("select ?", value).rows());
    EXPECT_EQ(on->sent.size(), 1U);
    return {on->sent.is_null(0) ? "NULL" : on->text(0), on->sent.type(0)};
  }
  void expect_mismatch(const bw::result<std::vector<owner_total>>& got, std::string_view part) const {
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code(), errc::mapping_mismatch);
    EXPECT_EQ(got.error().statement(), "sql");
    EXPECT_NE(got.error().message().find(part), std::string::npos) << got.error().message();
  }

  std::shared_ptr<recorder> on = std::make_shared<recorder>();
};

using typed = std::pair<std::string, std::uint32_t>;

// ---- the statement ------------------------------------------------------------------------------

TEST_F(raw_query, sends_its_text_and_its_values_in_placeholder_order) {
  const auto all = query("select :b, :a, :b", bw::arg("a", 1), bw::arg("b", "two")).rows();
  ASSERT_TRUE(all);
  EXPECT_EQ(on->sql, "select $1, $2, $1");
  ASSERT_EQ(on->sent.size(), 2U);
  EXPECT_EQ(on->text(0), "two");
  EXPECT_EQ(on->text(1), "1");
}

TEST_F(raw_query, counts_as_a_write_unless_it_is_said_to_read) {
  ASSERT_TRUE(query("select 1").rows());
  EXPECT_EQ(on->seen.kind, bw::statement_class::write);
  EXPECT_FALSE(on->seen.enforce_read_only);
  EXPECT_FALSE(on->seen.mapped);
  EXPECT_TRUE(on->seen.prepare);
  EXPECT_EQ(on->seen.operation, "SQL");
  EXPECT_EQ(on->name, "sql");

  ASSERT_TRUE(query("select 1").read_only().unprepared().named("report.totals").rows());
  EXPECT_EQ(on->seen.kind, bw::statement_class::read);
  EXPECT_TRUE(on->seen.enforce_read_only);
  EXPECT_FALSE(on->seen.prepare);
  EXPECT_EQ(on->name, "report.totals");
}

TEST_F(raw_query, is_a_value_whose_steps_leave_it_as_it_was) {
  const bw::raw_query base = query("select 1");
  const bw::raw_query reading = base.read_only().named("x").unprepared().allow_extra_columns();
  ASSERT_TRUE(base.rows());
  EXPECT_EQ(on->seen.kind, bw::statement_class::write);
  EXPECT_EQ(on->name, "sql");
  ASSERT_TRUE(reading.rows());
  ASSERT_TRUE(reading.rows());
  EXPECT_EQ(on->runs, 3);
}

TEST_F(raw_query, has_one_fingerprint_per_text_and_value_types) {
  const auto print = [&](const auto&... values) {
    EXPECT_TRUE(query("select ?", values...).rows());
    return on->seen.print;
  };
  EXPECT_EQ(print(1), print(2));
  EXPECT_EQ(print(std::optional<int>()), print(2));
  EXPECT_NE(print(1), print(std::int64_t{1}));
  EXPECT_NE(print(1), print("1"));
}

TEST_F(raw_query, owns_its_values) {
  std::optional<bw::raw_query> made;
  {
    const std::string temporary = "a text too long for the small string optimisation to keep";
    made = query("select :a", bw::arg("a", temporary));
  }
  ASSERT_TRUE(made->rows());
  EXPECT_EQ(on->text(0), "a text too long for the small string optimisation to keep");
}

TEST_F(raw_query, reports_a_mistake_when_run_and_sends_nothing) {
  const auto wrong = query("select ?, ?", "secret").named("report");
  const auto got = wrong.as<std::string>();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), errc::invalid_argument);
  EXPECT_EQ(got.error().applied(), bw::applied::no);
  EXPECT_EQ(got.error().statement(), "report");
  EXPECT_EQ(got.error().message().find("secret"), std::string::npos);
  EXPECT_FALSE(wrong.one<std::string>());
  EXPECT_FALSE(wrong.maybe<std::string>());
  EXPECT_FALSE(wrong.execute());
  EXPECT_FALSE(wrong.rows());
  EXPECT_EQ(wrong.to_sql(), "select ?, ?");
  EXPECT_EQ(wrong.to_sql(bw::with_values), "select ?, ?");
  EXPECT_EQ(on->runs, 0);
}

TEST_F(raw_query, names_the_argument_that_contains_a_nul_byte) {
  const std::string bad("a\0b", 3);
  const auto by_place = query("select ?, ?", 1, bad).rows();
  ASSERT_FALSE(by_place);
  EXPECT_EQ(by_place.error().code(), errc::invalid_argument);
  EXPECT_NE(by_place.error().message().find("argument number 2"), std::string::npos);
  const auto by_name = query("select :b, :a", bw::arg("a", bad), bw::arg("b", 1)).rows();
  ASSERT_FALSE(by_name);
  EXPECT_NE(by_name.error().message().find("argument named \"a\""), std::string::npos);
  EXPECT_FALSE(query("select ?", std::vector<std::string>{"a", bad}).rows());
  EXPECT_EQ(on->runs, 0);
}

TEST_F(raw_query, passes_the_servers_error_on) {
  on->failure = bw::error(errc::no_primary);
  EXPECT_EQ(query("select 1").as<owner_total>().error().code(), errc::no_primary);
  EXPECT_EQ(query("select 1").execute().error().code(), errc::no_primary);
}

// ---- arguments ----------------------------------------------------------------------------------

TEST_F(raw_query, integers_are_sent_as_the_smallest_type_that_holds_all_of_theirs) {
  EXPECT_EQ(sent(static_cast<signed char>(-1)), typed("-1", oid::int2));
  EXPECT_EQ(sent(static_cast<unsigned char>(255)), typed("255", oid::int2));
  EXPECT_EQ(sent(std::int16_t{-5}), typed("-5", oid::int2));
  EXPECT_EQ(sent(std::uint16_t{65535}), typed("65535", oid::int4));
  EXPECT_EQ(sent(-5), typed("-5", oid::int4));
  EXPECT_EQ(sent(4294967295U), typed("4294967295", oid::int8));
  EXPECT_EQ(sent(-5L), typed("-5", oid::int8));
  EXPECT_EQ(sent(-5LL), typed("-5", oid::int8));
  EXPECT_EQ(sent(5UL), typed("5", oid::int8));
  EXPECT_EQ(sent(5ULL), typed("5", oid::int8));
}

TEST_F(raw_query, an_integer_beyond_bigint_is_sent_as_numeric) {
  constexpr auto largest = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(sent(largest), typed("18446744073709551615", oid::numeric));
  EXPECT_EQ(sent(std::uint64_t{1} << 63U), typed("9223372036854775808", oid::numeric));
  EXPECT_EQ(sent((std::uint64_t{1} << 63U) - 1), typed("9223372036854775807", oid::int8));
}

TEST_F(raw_query, texts_of_every_kind_are_sent_untyped) {
  EXPECT_EQ(sent("literal"), typed("literal", oid::unknown));
  EXPECT_EQ(sent(std::string("string")), typed("string", oid::unknown));
  EXPECT_EQ(sent(std::string_view("view")), typed("view", oid::unknown));
  const char* pointer = "pointer";
  EXPECT_EQ(sent(pointer), typed("pointer", oid::unknown));
  const char buffer[8] = "buf";
  EXPECT_EQ(sent(buffer), typed("buf", oid::unknown));
  const char full[3] = {'a', 'b', 'c'};
  EXPECT_EQ(sent(full), typed("abc", oid::unknown));
  EXPECT_EQ(sent('c'), typed("c", oid::unknown));
  EXPECT_EQ(sent(""), typed("", oid::unknown));
}

TEST_F(raw_query, values_with_a_codec_are_sent_by_it) {
  EXPECT_EQ(sent(true), typed("t", oid::boolean));
  EXPECT_EQ(sent(1.5), typed("1.5", oid::float8));
  EXPECT_EQ(sent(bw::numeric("10.00")), typed("10.00", oid::numeric));
  EXPECT_EQ(sent(std::vector<std::byte>{std::byte{255}}), typed("\\xff", oid::bytea));
}

TEST_F(raw_query, nothing_is_null) {
  EXPECT_EQ(sent(nullptr), typed("NULL", oid::unknown));
  EXPECT_EQ(sent(std::nullopt), typed("NULL", oid::unknown));
  EXPECT_EQ(sent(std::optional<std::int64_t>()), typed("NULL", oid::int8));
  EXPECT_EQ(sent(std::optional<std::uint16_t>()), typed("NULL", oid::int4));
  EXPECT_EQ(sent(std::optional<std::vector<int>>()), typed("NULL", int4_array));
  EXPECT_EQ(sent(static_cast<const char*>(nullptr)), typed("NULL", oid::unknown));
  EXPECT_EQ(sent(std::optional<std::uint16_t>(7)), typed("7", oid::int4));
  EXPECT_EQ(sent(std::optional<std::string>("x")), typed("x", oid::unknown));
}

TEST_F(raw_query, a_list_is_one_array) {
  EXPECT_EQ(sent(std::vector<int>{1, 2}), typed("{1,2}", int4_array));
  EXPECT_EQ(sent(std::vector<int>{}), typed("{}", int4_array));
  EXPECT_EQ(sent(std::vector<bool>{true, false}), typed("{t,f}", bool_array));
  EXPECT_EQ(sent(std::array<unsigned, 2>{1, 4294967295U}), typed(R"({"1","4294967295"})", oid::unknown));
  EXPECT_EQ(sent(std::vector<const char*>{"a\"b\\", nullptr}), typed(R"({"a\"b\\",NULL})", oid::unknown));
  EXPECT_EQ(sent(std::vector<std::optional<std::string>>{"NULL", std::nullopt}),
            typed(R"({"NULL",NULL})", oid::unknown));
  EXPECT_EQ(sent(std::optional(std::vector<int>{1})), typed("{1}", int4_array));
  const int plain[] = {1, 2};
  EXPECT_EQ(sent(plain), typed(R"({"1","2"})", oid::unknown));
}

TEST_F(raw_query, types_that_can_not_be_sent_are_known_at_compile_time) {
  using bw::detail::is_argument;
  static_assert(!is_argument<owner_total> && !is_argument<std::vector<owner_total>>);
  static_assert(is_argument<std::vector<std::vector<int>>> && !is_argument<std::vector<void*>> && !is_argument<void*>);
  static_assert(!is_argument<wchar_t> && !is_argument<std::wstring> && !is_argument<int*>);
  static_assert(is_argument<char[4]> && is_argument<std::optional<std::string_view>>);
}

TEST_F(raw_query, shows_its_statement_with_and_without_values) {
  const auto made =
      query("select * from t where a = :a and b = :b and c = :a -- :c", bw::arg("a", "it's"), bw::arg("b", nullptr));
  EXPECT_EQ(made.to_sql(), "select * from t where a = $1 and b = $2 and c = $1 -- :c");
  EXPECT_EQ(made.to_sql(bw::with_values), "select * from t where a = 'it''s' and b = null and c = 'it''s' -- :c");
  EXPECT_EQ(query("select ?, '$1', data ?? 'k'", "?$1").to_sql(bw::with_values), "select '?$1', '$1', data ? 'k'");
}

TEST_F(raw_query, never_shows_a_sensitive_value) {
  const auto made = query("select :b, :a", bw::arg("a", "hidden", bw::sensitive), bw::arg("b", 1));
  EXPECT_EQ(made.to_sql(bw::with_values), "select '1', '***'");
  ASSERT_TRUE(made.rows());
  EXPECT_FALSE(on->sent.is_sensitive(0));
  EXPECT_TRUE(on->sent.is_sensitive(1));
  EXPECT_EQ(on->text(1), "hidden");
}

// ---- reading ------------------------------------------------------------------------------------

TEST_F(raw_query, reads_a_struct_by_its_field_names) {
  const auto all = query("select").as<owner_total>();
  ASSERT_TRUE(all) << all.error().message();
  ASSERT_EQ(all.value().size(), 2U);
  EXPECT_EQ(all.value()[1].owner, "bob");
  EXPECT_EQ(all.value()[1].total, 20);

  on->columns = {{"total", oid::int8}, {"owner", oid::varchar}};
  on->data = {{"1", "ada"}};
  EXPECT_EQ(query("select").as<owner_total>().value()[0].owner, "ada");
}

TEST_F(raw_query, reads_an_entity_by_its_column_names) {
  on->columns = {{"Display Name", oid::text}, {"id", oid::int8}};
  on->data = {{nullptr, "1"}, {"Ada", "2"}};
  const auto all = query("select").as<mapped_owner>();
  ASSERT_TRUE(all) << all.error().message();
  EXPECT_EQ(all.value()[0].key, 1);
  EXPECT_EQ(all.value()[0].label, std::nullopt);
  EXPECT_EQ(all.value()[1].label, "Ada");
}

TEST_F(raw_query, reads_a_tuple_by_position) {
  on->data = {{"ada", nullptr}};
  const auto all = query("select").as<std::tuple<std::string, std::optional<bw::numeric>>>();
  ASSERT_TRUE(all) << all.error().message();
  EXPECT_EQ(std::get<0>(all.value()[0]), "ada");
  EXPECT_EQ(std::get<1>(all.value()[0]), std::nullopt);
  const auto wide = query("select").as<std::tuple<std::string>>();
  ASSERT_FALSE(wide);
  EXPECT_EQ(wide.error().code(), errc::mapping_mismatch);
  EXPECT_NE(wide.error().message().find("has 2 columns, and 1 is asked for"), std::string::npos);
}

TEST_F(raw_query, reads_single_values) {
  on->columns = {{"count", oid::int8}};
  on->data = {{"7"}, {nullptr}};
  EXPECT_EQ(query("select").as<std::optional<std::int64_t>>().value(),
            (std::vector<std::optional<std::int64_t>>{7, std::nullopt}));
  on->columns = {{"yes", oid::boolean}};
  on->data = {{"t"}, {"f"}};
  EXPECT_EQ(query("select").as<bool>().value(), (std::vector<bool>{true, false}));
  on->columns.push_back({"more", oid::text});
  EXPECT_EQ(query("select").as<bool>().error().code(), errc::mapping_mismatch);
}

TEST_F(raw_query, hands_out_the_rows_themselves) {
  EXPECT_EQ(query("select").rows().value().at(1, 0).text, "bob");
  EXPECT_EQ(query("select").as<bw::rows>().value().size(), 2U);
}

TEST_F(raw_query, one_is_the_only_row) {
  EXPECT_EQ(query("select").one<owner_total>().error().code(), errc::too_many_rows);
  on->data.pop_back();
  EXPECT_EQ(query("select").one<owner_total>().value().owner, "ada");
  on->data.clear();
  const auto none = query("select").named("n").one<owner_total>();
  EXPECT_EQ(none.error().code(), errc::not_found);
  EXPECT_EQ(none.error().statement(), "n");
}

TEST_F(raw_query, maybe_is_the_only_row_or_nothing) {
  EXPECT_EQ(query("select").maybe<owner_total>().error().code(), errc::too_many_rows);
  on->data.pop_back();
  EXPECT_EQ(query("select").maybe<owner_total>().value()->total, 10);
  on->data.clear();
  EXPECT_FALSE(query("select").maybe<owner_total>().value().has_value());
}

TEST_F(raw_query, execute_counts_rows) {
  on->tag = "UPDATE";
  EXPECT_EQ(query("update").execute().value(), 2U);
}

TEST_F(raw_query, names_a_missing_column_and_those_there_are) {
  on->columns[1].name = "sum";
  const auto got = query("select").as<owner_total>();
  expect_mismatch(got, R"(no column "total" for the field of that name; its columns are "owner", "sum")");
  EXPECT_EQ(got.error().column(), "total");
}

TEST_F(raw_query, names_columns_that_no_field_takes) {
  on->columns.push_back({"spare", oid::text});
  on->columns.push_back({"spare2", oid::text});
  on->data = {{"ada", "1", "x", "y"}};
  expect_mismatch(query("select").as<owner_total>(), R"(columns "spare", "spare2";)");
  EXPECT_EQ(query("select").allow_extra_columns().as<owner_total>().value()[0].total, 1);
}

TEST_F(raw_query, refuses_two_columns_of_a_wanted_name) {
  on->columns.push_back({"owner", oid::text});
  on->data = {{"ada", "1", "eve"}};
  expect_mismatch(query("select").allow_extra_columns().as<owner_total>(), R"(two columns named "owner")");
}

TEST_F(raw_query, two_columns_of_an_unwanted_name_do_no_harm) {
  on->columns.push_back({"id", oid::int8});
  on->columns.push_back({"id", oid::int8});
  on->data = {{"ada", "1", "2", "3"}};
  EXPECT_TRUE(query("select").allow_extra_columns().as<owner_total>());
}

TEST_F(raw_query, checks_the_columns_even_when_there_is_no_row) {
  on->data.clear();
  on->columns[1].type = oid::text;
  expect_mismatch(query("select").as<owner_total>(), R"(column "total" has the PostgreSQL type number 25)");
}

TEST_F(raw_query, refuses_null_in_a_field_that_is_not_optional) {
  on->data = {{"ada", "1"}, {nullptr, "2"}};
  expect_mismatch(query("select").as<owner_total>(), R"(column "owner" is NULL)");
}

TEST_F(raw_query, refuses_a_value_that_the_field_can_not_hold) {
  on->data = {{"ada", "1.5"}};
  const auto got = query("select").as<owner_total>();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), errc::data_error);
  EXPECT_EQ(got.error().column(), "total");
  EXPECT_EQ(got.error().message().find("1.5"), std::string::npos);
}

TEST_F(raw_query, says_that_a_write_was_applied_although_its_answer_can_not_be_read) {
  on->data = {{nullptr, "1"}};
  EXPECT_EQ(query("w").as<owner_total>().error().applied(), bw::applied::yes);
  EXPECT_EQ(query("w").read_only().as<owner_total>().error().applied(), bw::applied::no);
  on->data = {{"ada", "1"}, {"bob", "2"}};
  EXPECT_EQ(query("w").one<owner_total>().error().applied(), bw::applied::yes);
  on->commits = false;  // inside a transaction
  EXPECT_EQ(query("w").one<owner_total>().error().applied(), bw::applied::no);
}

}  // namespace
