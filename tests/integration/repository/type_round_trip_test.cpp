// Every type, by the hundred: C++ -> server -> C++, and the server's text -> C++ -> server, exactly. The values are random
// from fixed seeds; each type takes a handful of round trips.

#include "type_entities.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <tuple>

namespace tests {
namespace {

constexpr std::size_t batch_size = 400;

using engine = std::mt19937_64;

std::int64_t between(engine& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}
bool one_in(engine& random, std::int64_t n) { return between(random, 1, n) == 1; }

/// Mostly of what is special to one syntax or another.
std::string random_text(engine& random, std::int64_t longest = 12) {
  static constexpr std::string_view special = "\"\\{}(),[]' \t\n\r;$?:=NULnul\x01\x7f";
  std::string text;
  for (std::int64_t i = between(random, 0, longest); i > 0; --i) {
    if (one_in(random, 8)) {
      text.append("\xC3\xA4\xF0\x9F\x98\x80");
    } else {
      text.push_back(special[static_cast<std::size_t>(between(random, 0, special.size() - 1))]);
    }
  }
  return one_in(random, 12) ? "NULL" : text;
}

bw::numeric random_numeric(engine& random) {
  std::string text(one_in(random, 2) ? "-" : "");
  for (std::int64_t i = between(random, 1, one_in(random, 10) ? 200 : 12); i > 0; --i) {
    text.push_back(static_cast<char>('0' + between(random, 0, 9)));
  }
  text.push_back('.');
  for (std::int64_t i = between(random, 1, 12); i > 0; --i)
    text.push_back(static_cast<char>('0' + between(random, 0, 9)));
  return bw::numeric::parse(text).value();
}
bw::numeric random_price(engine& random) {  // numeric(20,8)
  return bw::numeric(between(random, -99'999'999'999'999'999, 99'999'999'999'999'999)) * bw::numeric{"0.00000001"};
}
bw::timestamptz random_moment(engine& random) {
  const auto first = bw::timestamptz::min().microseconds_since_2000();
  const auto last = bw::timestamptz::max().microseconds_since_2000();
  return bw::timestamptz::from_microseconds_since_2000(one_in(random, 2) ? between(random, first, last)
                                                                         : between(random, -1e15, 1e15));
}
bw::timestamp random_timestamp(engine& random) {
  return bw::timestamp::from_microseconds_since_2000(random_moment(random).microseconds_since_2000());
}
bw::date random_date(engine& random) {
  return bw::date::from_days_since_2000(
      one_in(random, 2) ? between(random, bw::date::min().days_since_2000(), bw::date::max().days_since_2000())
                        : between(random, -100'000, 100'000));
}
bw::interval random_interval(engine& random) {
  const auto part = [&](std::int64_t most) { return one_in(random, 3) ? 0 : between(random, -most, most); };
  const std::int64_t most32 = one_in(random, 2) ? std::numeric_limits<std::int32_t>::max() : 40;
  const std::int64_t most64 = one_in(random, 2) ? std::numeric_limits<std::int64_t>::max() : 100'000'000'000;
  return bw::interval::from_parts(static_cast<std::int32_t>(part(most32)), static_cast<std::int32_t>(part(most32)),
                                  part(most64));
}
bw::inet random_inet(engine& random) {
  if (one_in(random, 2)) {
    bw::inet::v4_bytes bytes{};
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    return bw::inet(bytes).with_prefix(static_cast<unsigned>(between(random, 0, 32))).value();
  }
  bw::inet::v6_bytes bytes{};
  for (std::size_t i = 0; i < bytes.size(); i += 2) {  // half of the groups zero, so that "::" has its many places
    if (one_in(random, 2)) continue;
    bytes[i] = static_cast<std::uint8_t>(one_in(random, 3) ? 0 : random());
    bytes[i + 1] = static_cast<std::uint8_t>(random());
  }
  return bw::inet(bytes).with_prefix(static_cast<unsigned>(between(random, 0, 128))).value();
}
std::vector<std::byte> random_bytes(engine& random) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(between(random, 0, 40)));
  for (auto& byte : bytes) byte = static_cast<std::byte>(one_in(random, 4) ? 0 : random());
  return bytes;
}
spot random_spot(engine& random) {
  spot made{.x = static_cast<std::int32_t>(random())};
  if (one_in(random, 2)) made.y = random_numeric(random);
  return made;
}
std::vector<std::optional<std::string>> random_tags(engine& random) {
  std::vector<std::optional<std::string>> tags(static_cast<std::size_t>(between(random, 0, 4)));
  for (auto& tag : tags) {
    if (!one_in(random, 4)) tag = random_text(random);
  }
  return tags;
}
mood random_mood(engine& random) { return static_cast<mood>(between(random, 0, 2)); }
place random_place(engine& random) {
  place made{.street = random_text(random), .tags = random_tags(random), .feeling = random_mood(random)};
  if (one_in(random, 2)) made.zip = random_text(random);
  if (one_in(random, 2)) made.door = random_spot(random);
  for (std::int64_t i = between(random, 0, 3); i > 0; --i) made.corners.push_back(random_spot(random));
  return made;
}
template <class T, class Make>
bw::range<T> random_range(engine& random, Make make) {
  std::optional<T> lower;
  std::optional<T> upper;
  if (!one_in(random, 5)) lower = make(random);
  if (!one_in(random, 5)) upper = make(random);
  if (lower && upper && *upper < *lower) std::swap(lower, upper);
  return {lower, upper, static_cast<bw::range_bounds>(between(random, 0, 3))};
}

template <class T, class Make>
std::vector<std::optional<T>> many(std::uint64_t seed, std::vector<T> special, Make make) {
  engine random(seed);
  std::vector<std::optional<T>> values{std::nullopt};
  for (auto&& value : special) values.emplace_back(T(value));
  while (values.size() < batch_size) values.emplace_back(make(random));
  return values;
}

class round_trip : public repository_test {
 protected:
  bw::session session = on_primary();

  void SetUp() override {
    repository_test::SetUp();
    make_things(session);
  }

  /// Stores the values in a column of the type, all in one array, and reads them one by one and in one array; then reads
  /// the server's texts of them, and has the server compare what becomes of these.
  template <class T>
  void check(const std::string& type, const std::vector<std::optional<T>>& given) {
    ASSERT_OK(session.execute("drop table if exists scratch"));
    ASSERT_OK(session.query("create table scratch (i bigint primary key, v " + type + ")").unprepared().execute());
    const auto stored = session
                            .query("insert into scratch select i, given.v[i] from (select ?::" + type +
                                       "[] as v) given, generate_subscripts(given.v, 1) i",
                                   given)
                            .execute();
    ASSERT_OK(stored);
    ASSERT_EQ(stored.value(), given.size());

    const auto read = session.query("select v, v::text from scratch order by i")
                          .as<std::tuple<std::optional<T>, std::optional<std::string>>>();
    ASSERT_OK(read);
    std::vector<std::optional<std::string>> texts;
    for (std::size_t i = 0; i < given.size(); ++i) {
      const auto& [value, text] = read.value()[i];
      EXPECT_EQ(value, given[i]) << type << ' ' << i << ": " << text.value_or("NULL");
      // The server's text, as we read and write it.
      bw::parameters again;
      bw::bind(again, value);
      texts.push_back(again.is_null(0) ? std::nullopt : std::optional(std::string(again.text(0))));
    }
    const auto in_one =
        session.query("select array_agg(v order by i) from scratch").one<std::vector<std::optional<T>>>();
    ASSERT_OK(in_one);
    EXPECT_EQ(in_one.value(), given);

    const auto different =
        session
            .query(
                "select count(*) from scratch join unnest(?::text[]) with ordinality as again(t, n) on n = i "
                "where v::text is distinct from (t::" +
                    type + ")::text",
                texts)
            .template one<std::int64_t>();
    ASSERT_OK(different);
    EXPECT_EQ(different.value(), 0);

    for (std::size_t i = 0; i < given.size(); i += 19) {  // as a value of its own, too
      const auto alone = session.query("select ?::" + type, given[i]).template one<std::optional<T>>();
      ASSERT_OK(alone);
      EXPECT_EQ(alone.value(), given[i]);
    }
  }
};

TEST_F(round_trip, numeric_20_8_exactly) {
  check("numeric(20,8)", many<bw::numeric>(1,
                                           {bw::numeric{"999999999999.99999999"}, bw::numeric{"-0.00000001"},
                                            bw::numeric{"0.00000000"}, bw::numeric::nan()},
                                           random_price));
}

TEST_F(round_trip, numeric_of_any_size_nan_and_infinity_exactly) {
  check("numeric",
        many<bw::numeric>(2,
                          {bw::numeric::nan(), bw::numeric::infinity(), bw::numeric::negative_infinity(),
                           bw::numeric(0), bw::numeric::parse("1e1000").value(), bw::numeric::parse("1e-1000").value()},
                          random_numeric));
}

TEST_F(round_trip, timestamptz_at_microseconds_and_infinity_exactly) {
  check("timestamptz", many<bw::timestamptz>(
                           3,
                           {bw::timestamptz::infinity(), bw::timestamptz::negative_infinity(), bw::timestamptz::min(),
                            bw::timestamptz::max(), bw::timestamptz{"2026-11-20 10:00:00.000001+00"}},
                           random_moment));
}

TEST_F(round_trip, timestamp_at_microseconds_and_infinity_exactly) {
  check("timestamp", many<bw::timestamp>(4,
                                         {bw::timestamp::infinity(), bw::timestamp::negative_infinity(),
                                          bw::timestamp::min(), bw::timestamp::max()},
                                         random_timestamp));
}

TEST_F(round_trip, date_and_its_infinities_exactly) {
  check("date", many<bw::date>(5,
                               {bw::date::infinity(), bw::date::negative_infinity(), bw::date::min(), bw::date::max(),
                                bw::date{"0001-12-31 BC"}, bw::date{"0001-01-01"}},
                               random_date));
}

TEST_F(round_trip, time_of_day_exactly) {
  check("time",
        many<bw::time_of_day>(
            6, {bw::time_of_day(), bw::time_of_day::max(), bw::time_of_day{"23:59:59.999999"}}, [](engine& random) {
              return bw::time_of_day::from(std::chrono::microseconds(between(random, 0, 86'400'000'000))).value();
            }));
}

TEST_F(round_trip, interval_exactly) {
  check("interval", many<bw::interval>(7,
                                       {bw::interval(), bw::interval{"1 mon -1 days"}, bw::interval{"-00:00:00.000001"},
                                        bw::interval::from_parts(std::numeric_limits<std::int32_t>::min(),
                                                                 std::numeric_limits<std::int32_t>::min(),
                                                                 std::numeric_limits<std::int64_t>::max())},
                                       random_interval));
}

TEST_F(round_trip, inet_and_cidr_exactly) {
  check("inet",
        many<bw::inet>(8, {bw::inet(), bw::inet{"::"}, bw::inet{"::1"}, bw::inet{"::ffff:1.2.3.4/96"}}, random_inet));
  check("cidr", many<bw::inet>(9, {bw::inet{"0.0.0.0/0"}, bw::inet{"10.0.0.1"}},
                               [](engine& random) { return random_inet(random).network(); }));
}

TEST_F(round_trip, bytea_with_zero_bytes_exactly) {
  check("bytea", many<std::vector<std::byte>>(10, {{}, {std::byte{0}}, {std::byte{0}, std::byte{'\\'}, std::byte{0}}},
                                              random_bytes));
}

TEST_F(round_trip, jsonb_exactly) {
  // As the server writes it; other spellings of the same document are read as that.
  check("jsonb",
        many<bw::json>(11, {bw::json{"null"}, bw::json{"{}"}, bw::json{R"({"a": [1, null, "it's \"quoted\""]})"}},
                       [](engine& random) {
                         std::string text = "[" + std::to_string(between(random, -1000, 1000)) + ", \"";
                         for (const char c : random_text(random)) {
                           if (c == '"' || c == '\\') text.push_back('\\');
                           if (static_cast<unsigned char>(c) >= ' ' && c != '\x7f') text.push_back(c);
                         }
                         return bw::json::parse(text + "\"]").value();
                       }));
}

TEST_F(round_trip, text_exactly) {
  check("text", many<std::string>(12, {"", "NULL", "null", "\\", "\"", "{}", "()"},
                                  [](engine& random) { return random_text(random, 30); }));
}

TEST_F(round_trip, integers_floats_and_booleans_exactly) {
  check("bigint",
        many<std::int64_t>(13, {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()},
                           [](engine& random) { return static_cast<std::int64_t>(random()); }));
  check("smallint",
        many<std::int16_t>(14, {std::numeric_limits<std::int16_t>::min(), std::numeric_limits<std::int16_t>::max()},
                           [](engine& random) { return static_cast<std::int16_t>(random()); }));
  check("double precision",
        many<double>(15,
                     {0.0, -0.0, std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
                      std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::max()},
                     [](engine& random) {
                       return std::ldexp(static_cast<double>(random()), static_cast<int>(between(random, -900, 900)));
                     }));
  check("boolean", many<bool>(16, {}, [](engine& random) { return one_in(random, 2); }));
  check("uuid", many<bw::uuid>(17, {bw::uuid()}, [](engine& random) {
          bw::uuid::bytes_type bytes{};
          for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
          return bw::uuid(bytes);
        }));
}

TEST_F(round_trip, ranges_exactly) {
  const auto small = [](engine& random) { return static_cast<std::int32_t>(between(random, -9, 9)); };
  check("int4range", many<bw::range<std::int32_t>>(
                         18, {{}, bw::range<std::int32_t>::all(), {std::numeric_limits<std::int32_t>::min(), 0}},
                         [&](engine& random) { return random_range<std::int32_t>(random, small); }));
  check("int8range", many<bw::range<std::int64_t>>(19, {{}}, [](engine& random) {
          return random_range<std::int64_t>(random, [](engine& r) { return between(r, -1e15, 1e15); });
        }));
  check("numrange",
        many<bw::range<bw::numeric>>(20, {{}, {bw::numeric(1), bw::numeric::infinity()}},
                                     [](engine& random) { return random_range<bw::numeric>(random, random_numeric); }));
  check("daterange", many<bw::range<bw::date>>(
                         21, {{}, {bw::date::negative_infinity(), bw::date::infinity(), bw::range_bounds::closed}},
                         [](engine& random) {
                           return random_range<bw::date>(random, [](engine& r) {
                             return bw::date::from_days_since_2000(between(r, -800'000, 800'000));
                           });
                         }));
  check("tsrange", many<bw::range<bw::timestamp>>(
                       22, {{}}, [](engine& random) { return random_range<bw::timestamp>(random, random_timestamp); }));
  check("tstzrange",
        many<bw::range<bw::timestamptz>>(
            23, {{}, {bw::timestamptz::negative_infinity(), bw::timestamptz::infinity(), bw::range_bounds::closed}},
            [](engine& random) { return random_range<bw::timestamptz>(random, random_moment); }));
}

TEST_F(round_trip, multiranges_exactly) {
  check("int4multirange",
        many<bw::multirange<std::int32_t>>(24, {{}, {bw::range<std::int32_t>::all()}}, [](engine& random) {
          std::vector<bw::range<std::int32_t>> ranges;  // in order and apart, as the server keeps them
          std::int32_t at = static_cast<std::int32_t>(between(random, -100, 100));
          for (std::int64_t i = between(random, 0, 4); i > 0; --i) {
            const auto from = at + static_cast<std::int32_t>(between(random, 1, 9));
            at = from + static_cast<std::int32_t>(between(random, 1, 9));
            ranges.emplace_back(from, at);
          }
          return bw::multirange<std::int32_t>(ranges);
        }));
}

TEST_F(round_trip, enums_exactly) { check("thing_feeling", many<mood>(25, {}, random_mood)); }

TEST_F(round_trip, composites_with_nulls_arrays_and_composites_in_them_exactly) {
  check("thing_spot", many<spot>(26, {spot{}}, random_spot));
  check("thing_place", many<place>(27, {place{}, full_thing().home}, random_place));
}

/// An array as the only attribute of a composite: arrays of arrays that differ in length.
template <class T>
struct holder {
  std::optional<T> v{};
  friend bool operator==(const holder&, const holder&) = default;
};

}  // namespace
}  // namespace tests

template <class T>
inline constexpr auto breakwater::composite<tests::holder<T>> = bw::composite_type("holder", &tests::holder<T>::v);

namespace tests {
namespace {

TEST_F(round_trip, arrays_with_nulls_and_quotes_exactly) {
  ASSERT_OK(session.execute("drop table if exists scratch"));
  ASSERT_OK(session.execute("drop type if exists holder cascade"));
  ASSERT_OK(session.execute("create type holder as (v text[])"));
  using tags = std::vector<std::optional<std::string>>;
  check("holder",
        many<holder<tags>>(28, {{}, {tags{}}, {tags{std::nullopt}}, {tags{"NULL"}}, {tags{""}}, {tags{"\"", "\\"}}},
                           [](engine& random) { return holder<tags>{random_tags(random)}; }));
}

TEST_F(round_trip, arrays_of_more_dimensions_exactly) {
  engine random(29);
  using matrix = std::vector<std::vector<std::optional<std::string>>>;
  for (int i = 0; i < 40; ++i) {
    matrix given(static_cast<std::size_t>(between(random, 0, 4)));
    const auto width = static_cast<std::size_t>(between(random, 1, 4));
    for (auto& row : given) {
      row.resize(width);
      for (auto& cell : row) {
        if (!one_in(random, 4)) cell = random_text(random);
      }
    }
    const auto back = session.query("select ?::text[]", given).one<matrix>();
    ASSERT_OK(back);
    EXPECT_EQ(back.value(), given);
  }
}

TEST_F(round_trip, values_of_a_megabyte_exactly) {
  engine random(30);
  std::vector<std::int32_t> numbers(150'000);
  for (auto& number : numbers) number = static_cast<std::int32_t>(random());
  const auto array = session.query("select ?::int[]", numbers).one<std::vector<std::int32_t>>();
  ASSERT_OK(array);
  EXPECT_EQ(array.value(), numbers);

  const std::vector<std::optional<std::string>> texts{std::string(1 << 20, '"'), std::nullopt,
                                                      std::string(1 << 20, '\\')};
  const auto strings = session.query("select ?::text[]", texts).one<std::vector<std::optional<std::string>>>();
  ASSERT_OK(strings);
  EXPECT_EQ(strings.value(), texts);

  std::vector<std::byte> bytes(1 << 20);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i % 3 == 0 ? 0 : random());
  const auto blob = session.query("select ?::bytea", bytes).one<std::vector<std::byte>>();
  ASSERT_OK(blob);
  EXPECT_EQ(blob.value(), bytes);

  place large{.street = std::string(1 << 20, '"'), .zip = std::string(1 << 20, '\\')};
  const auto composite = session.query("select ?::thing_place", large).one<place>();
  ASSERT_OK(composite);
  EXPECT_EQ(composite.value(), large);

  const bw::json document = bw::json::parse("[\"" + std::string(1 << 20, 'x') + "\"]").value();
  const auto json = session.query("select ?::jsonb", document).one<bw::json>();
  ASSERT_OK(json);
  EXPECT_EQ(json.value(), document);

  const auto number = bw::numeric::parse(std::string(100'000, '7') + "." + std::string(16'000, '3')).value();
  const auto exact = session.query("select ?::numeric", number).one<bw::numeric>();
  ASSERT_OK(exact);
  EXPECT_EQ(exact.value(), number);
}

TEST_F(round_trip, what_the_server_makes_up_is_read_and_sent_back_unchanged) {
  ASSERT_OK(session.query("select setseed(0.42)").execute());
  const auto same = [&]<class T>(std::type_identity<T>, const std::string& type, const std::string& made_by) {
    const auto made = session
                          .query("select array_agg(v) from (select (" + made_by + ")::" + type +
                                 " as v from generate_series(1, 300) n) made")
                          .template one<std::vector<T>>();
    ASSERT_OK(made);
    ASSERT_EQ(made.value().size(), 300U);
    const auto texts = session.query("select array_agg(format('%s', v)) from unnest(?::" + type + "[]) v", made.value())
                           .template one<std::vector<std::string>>();
    ASSERT_OK(texts);
    for (std::size_t i = 0; i < 300; ++i) {
      T again{};
      EXPECT_TRUE(bw::codec<T>::decode(texts.value()[i], again)) << type << ": " << texts.value()[i];
      EXPECT_EQ(again, made.value()[i]) << type << ": " << texts.value()[i];
      if constexpr (requires { again.to_string(); }) {
        EXPECT_EQ(again.to_string(), texts.value()[i]) << "our text is the server's";
      }
    }
  };
  same(std::type_identity<bw::interval>{}, "interval",
       "make_interval((random() * 20 - 10)::int, (random() * 20 - 10)::int, 0, (random() * 20 - 10)::int, "
       "(random() * 50 - 25)::int, 0, (random() * 100 - 50)::numeric(10, 6))");
  same(std::type_identity<bw::timestamp>{}, "timestamp",
       "timestamp '2000-01-01' + (random() * 1e9 - 5e8) * interval '1 s'");
  same(std::type_identity<bw::time_of_day>{}, "time", "time '00:00' + random() * interval '24 h'");
  same(std::type_identity<bw::inet>{}, "inet",
       "set_masklen('10.0.0.0'::inet + (random() * 1e6)::int, (random() * 32)::int)");
  same(std::type_identity<bw::inet>{}, "inet",
       "set_masklen('2001:db8::'::inet + (random() * 1e18)::bigint, (random() * 128)::int)");
  same(std::type_identity<bw::inet>{}, "inet",
       "array_to_string(array(select case when random() < 0.6 then '0' else to_hex((random() * 65535)::int) end "
       "from generate_series(1, 8) where n > 0), ':')");
  same(std::type_identity<bw::range<std::int32_t>>{}, "int4range",
       "int4range((random() * 10)::int, 10 + (random() * 10)::int, (array['[)', '[]', '()', '(]'])[1 + (n % 4)])");
  same(std::type_identity<bw::range<bw::timestamptz>>{}, "tstzrange",
       "tstzrange(now() - random() * interval '9 y', case when n % 3 > 0 then now() end)");
  same(std::type_identity<bw::numeric>{}, "numeric", "(random() * 1e15 - 5e14)::numeric(30, 10)");
}

}  // namespace
}  // namespace tests
