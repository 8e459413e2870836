// Names and values that are easy to get wrong.

#include "support.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scenarios {

/// Reserved words, dots, quotes, letter case, and a name as long as a name can be.
struct Hostile {
  std::int64_t user_name{};
  std::int32_t quoted{};
  std::string select{};
  std::optional<std::string> injected{};
  std::string longest{};
  std::string order{};
};

inline constexpr std::string_view longest_name = "a_23456 b_23456 c_23456 d_23456 e_23456 f_23456 g_23456 h_23456";
static_assert(longest_name.size() == 63);

/// A table whose own name has 63 bytes.
struct Longest {
  std::string from{};
};

enum class grade_kind : std::uint8_t { plain, quoted, odd };

struct Place {
  std::string street{};
  std::optional<std::string> door{};
  std::vector<std::optional<std::string>> tags{};
  friend bool operator==(const Place&, const Place&) = default;
};

/// A column of each type.
struct Specimen {
  std::int64_t id{};
  bw::numeric price{};
  bw::timestamptz at{};
  bw::timestamptz until{};
  bw::timestamptz since{};
  bw::date day{};
  bw::interval span{};
  std::vector<std::byte> bytes{};
  bw::json document{};
  std::vector<std::optional<std::string>> texts{};
  std::vector<std::optional<std::int32_t>> numbers{};
  grade_kind grade{};
  std::vector<grade_kind> grades{};
  Place place{};
  std::vector<Place> places{};
  bw::range<std::int32_t> ages{};
  bw::range<bw::timestamptz> booked{};
  bw::range<bw::date> days{};
  bw::range<bw::numeric> prices{};
  bw::inet address{};
  bw::inet network{};
  std::optional<bw::numeric> nothing{};
  friend bool operator==(const Specimen&, const Specimen&) = default;
};

/// Of the same table, with a column that can be NULL in a member that can not.
struct Narrow {
  std::int64_t id{};
  bw::numeric nothing{};
};

}  // namespace scenarios

template <>
inline constexpr auto breakwater::mapping<scenarios::Hostile> = bw::table(
    bw::in_schema("the \"own\" schema", "order"),
    bw::column<&scenarios::Hostile::user_name>("user.name", bw::primary_key),
    bw::column<&scenarios::Hostile::quoted>("a \"quoted\" 'name'", bw::primary_key),
    bw::column<&scenarios::Hostile::select>("select"),
    bw::column<&scenarios::Hostile::injected>("x\"; drop table specimens; --"),
    bw::column<&scenarios::Hostile::longest>(scenarios::longest_name), bw::column<&scenarios::Hostile::order>("Order"));

template <>
inline constexpr auto breakwater::mapping<scenarios::Longest> =
    bw::table(scenarios::longest_name, bw::column<&scenarios::Longest::from>("from", bw::primary_key));

template <>
inline constexpr auto breakwater::enum_labels<scenarios::grade_kind> = bw::enum_type(
    "grade", bw::label(scenarios::grade_kind::plain, "plain"),
    bw::label(scenarios::grade_kind::quoted, "it's \"quoted\""), bw::label(scenarios::grade_kind::odd, "{odd,\\}"));

template <>
inline constexpr auto breakwater::composite<scenarios::Place> = bw::composite_type("place", &scenarios::Place::street,
                                                                                   &scenarios::Place::door,
                                                                                   &scenarios::Place::tags);

template <>
inline constexpr auto breakwater::mapping<scenarios::Specimen> = bw::table(
    "specimens", bw::column<&scenarios::Specimen::id>("id", bw::primary_key, bw::generated),
    bw::column<&scenarios::Specimen::price>("price", bw::type("numeric(20,8)")),
    bw::column<&scenarios::Specimen::at>("at"), bw::column<&scenarios::Specimen::until>("until"),
    bw::column<&scenarios::Specimen::since>("since"), bw::column<&scenarios::Specimen::day>("day"),
    bw::column<&scenarios::Specimen::span>("span"), bw::column<&scenarios::Specimen::bytes>("bytes"),
    bw::column<&scenarios::Specimen::document>("document"), bw::column<&scenarios::Specimen::texts>("texts"),
    bw::column<&scenarios::Specimen::numbers>("numbers"), bw::column<&scenarios::Specimen::grade>("grade"),
    bw::column<&scenarios::Specimen::grades>("grades"), bw::column<&scenarios::Specimen::place>("place"),
    bw::column<&scenarios::Specimen::places>("places"), bw::column<&scenarios::Specimen::ages>("ages"),
    bw::column<&scenarios::Specimen::booked>("booked"), bw::column<&scenarios::Specimen::days>("days"),
    bw::column<&scenarios::Specimen::prices>("prices"), bw::column<&scenarios::Specimen::address>("address"),
    bw::column<&scenarios::Specimen::network>("network"), bw::column<&scenarios::Specimen::nothing>("nothing"));

template <>
inline constexpr auto breakwater::mapping<scenarios::Narrow> =
    bw::table("specimens", bw::column<&scenarios::Narrow::id>("id", bw::primary_key, bw::generated),
              bw::column<&scenarios::Narrow::nothing>("nothing"));

namespace scenarios {
namespace {

class scenarios_types : public scenario {
 protected:
  static void SetUpTestSuite() {
    static const std::string table = "create table \"" + std::string(longest_name) + "\" (\"from\" text primary key)";
    static const std::string drop = "drop table if exists \"" + std::string(longest_name) + "\"";
    static const std::string hostile =
        "create table \"the \"\"own\"\" schema\".\"order\" (\"user.name\" bigint, \"a \"\"quoted\"\" 'name'\" int,"
        " \"select\" text not null, \"x\"\"; drop table specimens; --\" text, \"" +
        std::string(longest_name) +
        "\" text not null, \"Order\" text not null, primary key (\"user.name\", \"a \"\"quoted\"\" 'name'\"))";
    const std::string_view statements[] = {
        "drop schema if exists \"the \"\"own\"\" schema\" cascade",
        "create schema \"the \"\"own\"\" schema\"",
        hostile,
        drop,
        table,
        "drop table if exists specimens",
        "drop type if exists grade, place",
        "create type grade as enum ('plain', 'it''s \"quoted\"', '{odd,\\}')",
        "create type place as (street text, door text, tags text[])",
        "create table specimens (id bigint generated always as identity primary key, price numeric(20, 8) not null,"
        " at timestamptz not null, until timestamptz not null, since timestamptz not null, day date not null,"
        " span interval not null, bytes bytea not null, document jsonb not null, texts text[] not null,"
        " numbers int[] not null, grade grade not null, grades grade[] not null, place place not null,"
        " places place[] not null, ages int4range not null, booked tstzrange not null, days daterange not null,"
        " prices numrange not null, address inet not null, network cidr not null, nothing numeric)"};
    open(statements);
  }
  void SetUp() override { behind_the_back("truncate specimens restart identity"); }

  static Specimen specimen() {
    return {
        .price = bw::numeric{"-123456789012.00000001"},
        .at = bw::timestamptz{"2026-11-20 10:00:00.000001+00"},
        .until = bw::timestamptz::infinity(),
        .since = bw::timestamptz::negative_infinity(),
        .day = bw::date{"2024-02-29"},
        .span = bw::interval{"-1 years +3 days -04:05:06.000007"},
        .bytes = {std::byte{0}, std::byte{'\\'}, std::byte{0}, std::byte{255}},
        .document = bw::json{R"({"a": [1, null, "it's \"quoted\""]})"},
        .texts = {"plain", std::nullopt, "NULL", "", "say \"hi\"", "it's", "back\\slash", "{br,ace}"},
        .numbers = {1, std::nullopt, -2147483647},
        .grade = grade_kind::quoted,
        .grades = {grade_kind::odd, grade_kind::plain, grade_kind::quoted},
        .place = {.street = "1, \"High\" (St)\\", .door = "", .tags = {"a b", std::nullopt, "\"", "NULL"}},
        .places = {{.street = "x", .tags = {"{}"}}, {.street = "", .door = "()"}},
        .ages = bw::range<std::int32_t>(18, std::nullopt),
        .booked = bw::range<bw::timestamptz>(bw::timestamptz{"2026-01-01 00:00:00.5+00"}, bw::timestamptz::infinity()),
        .days = {},
        .prices = bw::range<bw::numeric>(bw::numeric{"0.10"}, bw::numeric{"9.90"}, bw::range_bounds::open_closed),
        .address = bw::inet{"2001:db8::1/64"},
        .network = bw::inet{"10.0.0.0/8"}};
  }
  /// The same values, as SQL has them.
  static constexpr std::string_view values =
      "(-123456789012.00000001::numeric(20, 8), timestamptz '2026-11-20 10:00:00.000001+00', timestamptz 'infinity',"
      " timestamptz '-infinity', date '2024-02-29', interval '-1 years +3 days -04:05:06.000007',"
      " '\\x005c00ff'::bytea, '{\"a\": [1, null, \"it''s \\\"quoted\\\"\"]}'::jsonb,"
      " array['plain', null, 'NULL', '', 'say \"hi\"', 'it''s', 'back\\slash', '{br,ace}'],"
      " array[1, null, -2147483647], 'it''s \"quoted\"'::grade, array['{odd,\\}', 'plain', 'it''s "
      "\"quoted\"']::grade[],"
      " row('1, \"High\" (St)\\', '', array['a b', null, '\"', 'NULL'])::place,"
      " array[row('x', null, array['{}'])::place, row('', '()', array[]::text[])::place], '[18,)'::int4range,"
      " tstzrange('2026-01-01 00:00:00.5+00', 'infinity'), 'empty'::daterange, '(0.10,9.90]'::numrange,"
      " '2001:db8::1/64'::inet, '10.0.0.0/8'::cidr, null::numeric)";
  static constexpr std::string_view columns =
      "price, at, until, since, day, span, bytes, document, texts, numbers, grade, grades, place, places, ages, booked,"
      " days, prices, address, network, nothing";

  bw::session session = on_primary();
};

// ---- 14: names ------------------------------------------------------------------------------------------------------

TEST_F(scenarios_types, s14_reserved_words_and_hostile_identifiers_map_insert_and_read) {
  const auto orders = session.repository<Hostile>();
  ASSERT_OK(orders.insert({.user_name = 7, .quoted = 1, .select = "tea", .longest = "l", .order = "o"}));
  ASSERT_OK(orders.insert_many({{.user_name = 7, .quoted = 2, .select = "jam", .injected = "i"}}));
  ASSERT_OK(orders.copy_in({Hostile{.user_name = 8, .quoted = 1, .select = "bun"}}));
  const auto read = orders.get(7, 1);
  ASSERT_OK(read);
  EXPECT_EQ(read.value().select, "tea");
  EXPECT_EQ(read.value().injected, std::nullopt);
  EXPECT_EQ(read.value().longest, "l");
  EXPECT_EQ(read.value().order, "o");
  ASSERT_OK(orders.update({.user_name = 7, .quoted = 1, .select = "green tea", .longest = "L", .order = "O"}));
  ASSERT_OK(orders.patch({7, 2}, bw::set<&Hostile::injected>("patched"), bw::set<&Hostile::longest>("p")));
  ASSERT_OK(orders.upsert({.user_name = 8, .quoted = 1, .select = "bun", .order = "again"}));
  EXPECT_EQ(orders.where(bw::col<&Hostile::order> == "O" && bw::col<&Hostile::longest>.like("L%"))
                .order_by(bw::asc<&Hostile::select>, bw::desc<&Hostile::injected>)
                .one()
                .value()
                .quoted,
            1);
  EXPECT_EQ(truth("select string_agg(concat_ws('/', \"user.name\", \"a \"\"quoted\"\" 'name'\", \"select\","
                  " \"x\"\"; drop table specimens; --\", \"" +
                  std::string(longest_name) +
                  "\", \"Order\"), ' ' order by \"user.name\", \"a \"\"quoted\"\" 'name'\")"
                  " from \"the \"\"own\"\" schema\".\"order\""),
            "7/1/green tea/L/O 7/2/jam/patched/p/ 8/1/bun//again");
  ASSERT_OK(orders.remove(7, 1));
  EXPECT_EQ(orders.count().value(), 2);
  EXPECT_EQ(truth("select to_regclass('specimens') is not null"), "t") << "a name is never SQL";
}

TEST_F(scenarios_types, s14_a_table_name_of_63_bytes_works_throughout) {
  const auto longest = session.repository<Longest>();
  ASSERT_OK(longest.insert({.from = "here"}));
  EXPECT_EQ(longest.get("here").value().from, "here");
  EXPECT_EQ(truth("select \"from\" from \"" + std::string(longest_name) + "\""), "here");
  EXPECT_EQ(longest.where(bw::col<&Longest::from> == "here").delete_all().value(), 1U);
  ASSERT_OK(db().verify<Longest>());
}

// ---- 15: values -----------------------------------------------------------------------------------------------------

TEST_F(scenarios_types, s15_values_of_every_type_are_stored_exactly) {
  const auto stored = session.repository<Specimen>().insert(specimen());
  ASSERT_OK(stored);
  const auto read = session.repository<Specimen>().get(stored.value().id);
  ASSERT_OK(read);
  Specimen given = specimen();
  given.id = stored.value().id;
  EXPECT_EQ(stored.value(), given);
  EXPECT_EQ(read.value(), given);
  EXPECT_EQ(read.value().price.to_string(), "-123456789012.00000001");
  // As the server sees them, column by column.
  EXPECT_EQ(truth("select coalesce(string_agg(a.key || ' is ' || a.value || ' instead of ' || b.value, '; '), '') from "
                  "(select s.* from specimens s) s, (values " +
                  std::string(values) + ") as v (" + std::string(columns) +
                  "), jsonb_each_text(to_jsonb(s) - 'id') a join jsonb_each_text(to_jsonb(v)) b using (key)"
                  " where a.value is distinct from b.value"),
            "");
  EXPECT_EQ(truth("select (s.span::text, s.bytes, s.place::text, s.texts) = (v.span::text, v.bytes, v.place::text, "
                  "v.texts) from specimens s, (values " +
                  std::string(values) + ") as v (" + std::string(columns) + ")"),
            "t");
}

TEST_F(scenarios_types, s15_values_of_every_type_that_others_stored_are_read_exactly) {
  behind_the_back("insert into specimens (" + std::string(columns) + ") values " + std::string(values));
  const auto read = session.repository<Specimen>().get(1);
  ASSERT_OK(read);
  Specimen expected = specimen();
  expected.id = 1;
  EXPECT_EQ(read.value(), expected);
}

TEST_F(scenarios_types, s15_null_into_a_non_optional_is_a_typed_error_naming_the_column) {
  behind_the_back("insert into specimens (" + std::string(columns) + ") values " + std::string(values));
  const auto read = session.repository<Narrow>().get(1);
  EXPECT_ERROR(read, errc::mapping_mismatch);
  EXPECT_EQ(read.error().column(), "nothing");
  EXPECT_EQ(session.repository<Narrow>().query().all().error().column(), "nothing");
  const auto raw = session.query("select id, nothing from specimens").one<Narrow>();
  EXPECT_ERROR(raw, errc::mapping_mismatch);
  EXPECT_EQ(raw.error().column(), "nothing");
}

}  // namespace
}  // namespace scenarios
