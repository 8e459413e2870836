// Columns of every type in repositories, queries and raw SQL.

#include "type_entities.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace tests {
namespace {

class mapped_types : public repository_test {
 protected:
  bw::session session = on_primary();
  bw::repository<thing> things = session.repository<thing>();

  void SetUp() override {
    repository_test::SetUp();
    make_things(session);
  }
};

/// One that fits the table, with as little in it as can be.
thing bare_thing() { return {.network = bw::inet{"0.0.0.0/0"}, .email = "@"}; }

TEST_F(mapped_types, arrays_enums_composites_ranges_inet_and_intervals_round_trip_exactly) {
  const thing given = full_thing();
  const auto stored = things.insert(given);
  ASSERT_OK(stored);
  thing expected = given;
  expected.id = stored.value().id;
  EXPECT_EQ(stored.value(), expected) << "as returned by the insert";
  const auto read = things.get(expected.id);
  ASSERT_OK(read);
  EXPECT_EQ(read.value(), expected);
}

TEST_F(mapped_types, empties_and_nulls_round_trip_exactly) {
  const auto stored = things.insert(bare_thing());
  ASSERT_OK(stored);
  const auto read = things.get(stored.value().id);
  ASSERT_OK(read);
  thing expected = bare_thing();
  expected.id = stored.value().id;
  EXPECT_EQ(read.value(), expected);
  EXPECT_EQ(truth("select concat(numbers = '{}', keys is null, work is null, ages, home) from things"),
            R"(tttempty("",,{},calm,,{}))");
}

TEST_F(mapped_types, update_stores_them) {
  auto stored = things.insert(bare_thing());
  ASSERT_OK(stored);
  thing changed = full_thing();
  changed.id = stored.value().id;
  const auto updated = things.update(changed);
  ASSERT_OK(updated);
  EXPECT_EQ(updated.value(), changed);
  EXPECT_EQ(truth("select (home).street from things"), R"(1, "High" (St)\)");
  EXPECT_EQ(truth("select home_corner.y from things, unnest((home).corners) home_corner where home_corner.x = 2"),
            "NaN");
}

TEST_F(mapped_types, insert_many_stores_them) {
  const std::vector<thing> given{full_thing(), bare_thing(), full_thing()};
  const auto stored = things.insert_many(given);
  ASSERT_OK(stored);
  ASSERT_EQ(stored.value().size(), given.size());
  for (std::size_t i = 0; i < given.size(); ++i) {
    thing expected = given[i];
    expected.id = stored.value()[i].id;
    EXPECT_EQ(stored.value()[i], expected);
  }
}

TEST_F(mapped_types, patch_and_update_all_store_them) {
  const thing full = full_thing();
  const auto stored = things.insert(bare_thing());
  ASSERT_OK(stored);
  const auto patched = things.patch(
      stored.value().id, bw::set<&thing::texts>(full.texts), bw::set<&thing::feeling>(mood::fine),
      bw::set<&thing::home>(full.home), bw::set<&thing::work>(full.home), bw::set<&thing::days>(full.days),
      bw::set<&thing::span>(full.span), bw::set<&thing::network>(full.network), bw::set<&thing::keys>(full.keys),
      bw::set<&thing::matrix>(full.matrix), bw::set<&thing::moods>(full.moods));
  ASSERT_OK(patched);
  EXPECT_EQ(patched.value().texts, full.texts);
  EXPECT_EQ(patched.value().home, full.home);
  EXPECT_EQ(patched.value().days, full.days);
  EXPECT_EQ(patched.value().matrix, full.matrix);
  ASSERT_OK(things.patch(stored.value().id, bw::set<&thing::work>(std::nullopt), bw::set<&thing::keys>(std::nullopt)));
  EXPECT_EQ(truth("select concat(work is null, keys is null) from things"), "tt");
  const auto all = things.where(bw::col<&thing::feeling> == mood::fine)
                       .update_all(bw::set<&thing::visited>(full.visited), bw::set<&thing::booked>(full.booked));
  ASSERT_OK(all);
  EXPECT_EQ(all.value(), 1U);
  EXPECT_EQ(things.get(stored.value().id).value().visited, full.visited);
}

TEST_F(mapped_types, conditions_compare_with_them) {
  const thing full = full_thing();
  ASSERT_OK(things.insert(full));
  ASSERT_OK(things.insert(bare_thing()));
  const auto expect_one = [&](const bw::condition<thing>& wanted, const char* what) {
    const auto found = things.where(wanted).all();
    ASSERT_TRUE(succeeds(found)) << what;
    ASSERT_EQ(found.value().size(), 1U) << what;
    EXPECT_EQ(found.value().front().email, full.email) << what;
  };
  expect_one(bw::col<&thing::span> == full.span, "interval");
  expect_one(bw::col<&thing::span> < bw::interval{"-1 years"}, "interval order, the server's");
  expect_one(bw::col<&thing::address> == full.address, "inet");
  expect_one(bw::col<&thing::network> == full.network, "cidr");
  expect_one(bw::col<&thing::at> >= full.at, "timestamp");
  expect_one(bw::col<&thing::opens> == full.opens, "time");
  expect_one(bw::col<&thing::opens>.between(bw::time_of_day{"12:00"}, bw::time_of_day::max()), "time between");
  expect_one(bw::col<&thing::numbers> == full.numbers, "int[]");
  expect_one(bw::col<&thing::texts> == full.texts, "text[]");
  expect_one(bw::col<&thing::matrix> == full.matrix, "double precision[][]");
  expect_one(bw::col<&thing::blobs> == full.blobs, "bytea[]");
  expect_one(bw::col<&thing::feeling> == mood::angry, "enum");
  expect_one(bw::col<&thing::feeling>.in(mood::angry, mood::fine), "enum in");
  expect_one(bw::col<&thing::feeling>.in(std::vector{mood::angry}), "enum in a list");
  expect_one(bw::col<&thing::feeling> > mood::calm, "enum order");
  expect_one(bw::col<&thing::moods> == full.moods, "enum[]");
  expect_one(bw::col<&thing::moods>.has(mood::angry), "enum[] has");
  expect_one(bw::col<&thing::home> == full.home, "composite");
  expect_one(bw::col<&thing::work> == full.work, "optional composite");
  expect_one(bw::col<&thing::home>.in(full.home, place{.street = "elsewhere"}), "composite in");
  expect_one(bw::col<&thing::home>.between(full.home, full.home), "composite between");
  expect_one(bw::col<&thing::visited>.has(full.home), "composite[] has");
  expect_one(bw::col<&thing::visited>.contains(full.visited), "composite[] contains");
  expect_one(bw::col<&thing::visited> == full.visited, "composite[]");
  expect_one(bw::col<&thing::ages> == full.ages, "int4range");
  expect_one(bw::col<&thing::prices> == full.prices, "numrange");
  expect_one(bw::col<&thing::days> == full.days, "daterange");
  expect_one(bw::col<&thing::booked> == full.booked, "tstzrange");
  expect_one(bw::col<&thing::holidays> == full.holidays, "datemultirange");
  expect_one(bw::col<&thing::email> == "ada@example.org", "domain");
  expect_one(bw::col<&thing::keys> == full.keys, "uuid[]");
  expect_one(bw::col<&thing::born> == full.born, "std::chrono day");
}

TEST_F(mapped_types, raw_sql_takes_them_as_arguments_and_reads_them) {
  const thing full = full_thing();
  ASSERT_OK(things.insert(full));
  const auto count = [&](std::string_view sql, const auto&... arguments) {
    const auto counted = session.query(sql, arguments...).template one<std::int64_t>();
    EXPECT_TRUE(succeeds(counted)) << sql;
    return counted ? counted.value() : -1;
  };
  EXPECT_EQ(count("select count(*) from things where home = ?::thing_place and feeling = ? and texts = ?", full.home,
                  full.feeling, full.texts),
            1);
  EXPECT_EQ(count("select count(*) from things where feeling = any(?)", full.moods), 1);
  EXPECT_EQ(count("select count(*) from things where ages @> ? and days && ?", 99, full.days), 1);
  EXPECT_EQ(count("select count(*) from things where address << ?", bw::inet{"2001:db8::/32"}), 1);
  EXPECT_EQ(count("select count(*) from unnest(?) n", std::vector<std::int32_t>{1, 2, 3}), 3);
  EXPECT_EQ(count("select count(*) from things where at + ? > ?", full.span, bw::timestamp{"2020-01-01 00:00:00"}), 1);
  const auto read = session.query("select home, moods, days, span, matrix, null::thing_place from things")
                        .one<std::tuple<place, std::vector<mood>, bw::range<bw::date>, bw::interval,
                                        std::vector<std::vector<double>>, std::optional<place>>>();
  ASSERT_OK(read);
  EXPECT_EQ(std::get<0>(read.value()), full.home);
  EXPECT_EQ(std::get<1>(read.value()), full.moods);
  EXPECT_EQ(std::get<2>(read.value()), full.days);
  EXPECT_EQ(std::get<3>(read.value()), full.span);
  EXPECT_EQ(std::get<4>(read.value()), full.matrix);
  EXPECT_EQ(std::get<5>(read.value()), std::nullopt);
}

TEST_F(mapped_types, arrays_with_other_lower_bounds_are_read) {
  const auto read = session.query("select '[2:4]={7,8,9}'::int[], '[0:1][5:6]={{1,2},{3,4}}'::int[]")
                        .one<std::tuple<std::vector<std::int32_t>, std::vector<std::vector<std::int32_t>>>>();
  ASSERT_OK(read);
  EXPECT_EQ(std::get<0>(read.value()), (std::vector{7, 8, 9}));
  EXPECT_EQ(std::get<1>(read.value()), (std::vector<std::vector<std::int32_t>>{{1, 2}, {3, 4}}));
}

TEST_F(mapped_types, domains_are_read_as_what_they_are_made_over_and_their_check_is_told) {
  thing given = bare_thing();
  given.email = "not an address";
  const auto refused = things.insert(given);
  EXPECT_ERROR(refused, errc::check_violation);
  EXPECT_EQ(refused.error().message().find("not an address"), std::string::npos);
}

TEST_F(mapped_types, verify_knows_enums_and_composites_by_their_names) {
  ASSERT_OK(db().verify<thing>());
  behind_the_back("alter table things alter feeling type text, alter moods type text[], alter home type text");
  const auto differs = db().verify<thing>();
  EXPECT_ERROR(differs, errc::mapping_mismatch);
  const std::string report = differs.error().message();
  EXPECT_NE(report.find("feeling: is text, but the member is a thing_feeling"), std::string::npos) << report;
  EXPECT_NE(report.find("moods: is text[], but the member is a thing_feeling[]"), std::string::npos) << report;
  EXPECT_NE(report.find("home: is text, but the member is a thing_place"), std::string::npos) << report;
  EXPECT_NE(report.find("3 difference"), std::string::npos) << report;
}

TEST_F(mapped_types, the_servers_type_numbers_are_those_that_the_codecs_name) {
  using answer = std::vector<std::tuple<std::string, std::int64_t, std::int64_t>>;
  const auto types = session
                         .query(
                             "select typname::text, oid::bigint, typarray::bigint from pg_type where typnamespace = "
                             "'pg_catalog'::regnamespace")
                         .as<std::tuple<std::string, std::int64_t, std::int64_t>>();
  ASSERT_OK(types);
  const auto expect = [&](std::string_view name, std::uint32_t number) {
    const answer& all = types.value();
    const auto found = std::ranges::find(all, name, [](const auto& type) { return std::get<0>(type); });
    ASSERT_NE(found, all.end()) << name;
    EXPECT_EQ(std::get<1>(*found), number) << name;
    EXPECT_EQ(std::get<2>(*found), bw::detail::array_type_of(number)) << name;
  };
  namespace oid = bw::oid;
  for (const auto& [name, number] : std::array<std::pair<std::string_view, std::uint32_t>, 23>{
           {{"bool", oid::boolean},
            {"bytea", oid::bytea},
            {"name", oid::name},
            {"int8", oid::int8},
            {"int2", oid::int2},
            {"int4", oid::int4},
            {"text", oid::text},
            {"json", oid::json},
            {"cidr", oid::cidr},
            {"float4", oid::float4},
            {"float8", oid::float8},
            {"inet", oid::inet},
            {"bpchar", oid::bpchar},
            {"varchar", oid::varchar},
            {"date", oid::date},
            {"time", oid::time},
            {"timestamp", oid::timestamp},
            {"timestamptz", oid::timestamptz},
            {"interval", oid::interval},
            {"numeric", oid::numeric},
            {"uuid", oid::uuid},
            {"jsonb", oid::jsonb},
            {"int4range", bw::codec<bw::range<std::int32_t>>::type}}}) {
    expect(name, number);
  }
  const auto expect_ranges = [&]<class T>(std::type_identity<T>) {
    using one = bw::codec<bw::range<T>>;
    using many = bw::codec<bw::multirange<T>>;
    expect(one::sql_type, one::type);
    expect(many::sql_type, many::type);
  };
  expect_ranges(std::type_identity<std::int32_t>{});
  expect_ranges(std::type_identity<std::int64_t>{});
  expect_ranges(std::type_identity<bw::numeric>{});
  expect_ranges(std::type_identity<bw::date>{});
  expect_ranges(std::type_identity<bw::timestamp>{});
  expect_ranges(std::type_identity<bw::timestamptz>{});
}

}  // namespace
}  // namespace tests
