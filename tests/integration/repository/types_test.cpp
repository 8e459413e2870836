// Values survive the way to the server and back, exactly.

#include "support.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace tests {
namespace {

struct sample {
  std::int64_t id{};
  bool flag{};
  std::int16_t small{};
  std::int32_t medium{};
  std::int64_t large{};
  float real{};
  double precise{};
  bw::numeric exact{};
  std::string text{};
  std::vector<std::byte> bytes{};
  bw::uuid key{};
  bw::timestamptz moment{};
  bw::date day{};
  bw::json document{};
  std::optional<std::string> maybe_text{};
  std::optional<bw::numeric> maybe_exact{};
  std::optional<bw::timestamptz> maybe_moment{};
  std::string mood{};  // an enum of the database
};

}  // namespace
}  // namespace tests

template <>
inline constexpr auto breakwater::mapping<tests::sample> =
    bw::table("samples", bw::column<&tests::sample::id>("id", bw::primary_key, bw::generated),
              bw::column<&tests::sample::flag>("flag"), bw::column<&tests::sample::small>("small"),
              bw::column<&tests::sample::medium>("medium"), bw::column<&tests::sample::large>("large"),
              bw::column<&tests::sample::real>("real"), bw::column<&tests::sample::precise>("precise"),
              bw::column<&tests::sample::exact>("exact"), bw::column<&tests::sample::text>("text"),
              bw::column<&tests::sample::bytes>("bytes"), bw::column<&tests::sample::key>("key"),
              bw::column<&tests::sample::moment>("moment"), bw::column<&tests::sample::day>("day"),
              bw::column<&tests::sample::document>("document"), bw::column<&tests::sample::maybe_text>("maybe_text"),
              bw::column<&tests::sample::maybe_exact>("maybe_exact"),
              bw::column<&tests::sample::maybe_moment>("maybe_moment"), bw::column<&tests::sample::mood>("mood"));

namespace tests {
namespace {

class types : public repository_test {
 protected:
  bw::session session = on_primary();
  bw::repository<sample> samples = session.repository<sample>();

  void SetUp() override {
    repository_test::SetUp();
    ASSERT_OK(session.execute("drop table if exists samples"));
    // Made once: a prepared statement holds on to the number of its parameters' types.
    ASSERT_OK(
        session.execute("do $$ begin create type mood as enum ('calm', 'it''s \"fine\"'); "
                        "exception when duplicate_object then null; end $$"));
    ASSERT_OK(session.execute(
        "create table samples (id bigint generated always as identity primary key, flag boolean not null, "
        "small smallint not null, medium int not null, large bigint not null, \"real\" real not null, "
        "precise double precision not null, exact numeric not null, \"text\" text not null, bytes bytea not null, "
        "key uuid not null, moment timestamptz not null, day date not null, document jsonb not null, "
        "maybe_text text, maybe_exact numeric(20, 8), maybe_moment timestamptz, mood mood not null)"));
  }

  /// Stores it, reads it back and compares all but the key.
  void round_trip(const sample& given) {
    const auto stored = samples.insert(given);
    ASSERT_OK(stored);
    const auto read = samples.get(stored.value().id);
    ASSERT_OK(read);
    const sample& got = read.value();
    EXPECT_EQ(got.flag, given.flag);
    EXPECT_EQ(got.small, given.small);
    EXPECT_EQ(got.medium, given.medium);
    EXPECT_EQ(got.large, given.large);
    EXPECT_TRUE(got.real == given.real || (std::isnan(got.real) && std::isnan(given.real)));
    EXPECT_TRUE(got.precise == given.precise || (std::isnan(got.precise) && std::isnan(given.precise)));
    EXPECT_EQ(got.exact.to_string(), given.exact.to_string());
    EXPECT_EQ(got.text, given.text);
    EXPECT_EQ(got.bytes, given.bytes);
    EXPECT_EQ(got.key, given.key);
    EXPECT_EQ(got.moment, given.moment) << got.moment.to_string() << " " << given.moment.to_string();
    EXPECT_EQ(got.day, given.day);
    EXPECT_EQ(got.document, given.document);
    EXPECT_EQ(got.maybe_text, given.maybe_text);
    EXPECT_EQ(got.maybe_exact, given.maybe_exact);
    EXPECT_EQ(got.maybe_moment, given.maybe_moment);
    EXPECT_EQ(got.mood, given.mood);
  }
};

TEST_F(types, zeroes_empties_and_nulls_round_trip) { round_trip({.mood = "calm"}); }

TEST_F(types, extremes_round_trip) {
  round_trip({.flag = true,
              .small = std::numeric_limits<std::int16_t>::min(),
              .medium = std::numeric_limits<std::int32_t>::min(),
              .large = std::numeric_limits<std::int64_t>::min(),
              .real = std::numeric_limits<float>::denorm_min(),
              .precise = std::numeric_limits<double>::max(),
              .exact = bw::numeric{"-12345678901234567890.123456789012345678"},
              .text = "quotes ' \" \\ and {braces} $1 ? :name \n\t \xC3\xA4 \xF0\x9F\x98\x80",
              .bytes = {std::byte{0}, std::byte{255}, std::byte{'\\'}, std::byte{0}},
              .key = bw::uuid::random(),
              .moment = bw::timestamptz{"2026-11-20 10:00:00.000001+00"},
              .day = bw::date{"4713-01-01 BC"},
              .document = bw::json{R"({"a": [1, null, "it's \"quoted\""]})"},
              .maybe_text = "",
              .maybe_exact = bw::numeric{"123456789012.12345678"},
              .maybe_moment = bw::timestamptz{"1900-01-01 00:00:00+00"},
              .mood = "it's \"fine\""});
}

TEST_F(types, infinities_and_nan_round_trip) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  round_trip({.real = -std::numeric_limits<float>::infinity(),
              .precise = infinity,
              .exact = bw::numeric::parse("NaN").value(),
              .moment = bw::timestamptz::parse("infinity").value(),
              .day = bw::date::parse("-infinity").value(),
              .maybe_moment = bw::timestamptz::parse("-infinity").value(),
              .mood = "calm"});
  round_trip({.real = std::numeric_limits<float>::quiet_NaN(),
              .precise = std::numeric_limits<double>::quiet_NaN(),
              .exact = bw::numeric::parse("Infinity").value(),
              .mood = "calm"});
}

TEST_F(types, a_megabyte_of_text_and_of_bytes_round_trips) {
  sample large{.text = std::string(1 << 20, '\''), .mood = "calm"};
  for (std::size_t i = 0; i < (std::size_t{1} << 20); ++i) large.bytes.push_back(static_cast<std::byte>(i));
  round_trip(large);
}

TEST_F(types, random_values_round_trip) {
  std::mt19937_64 random(20261120);
  for (int i = 0; i < 200; ++i) {
    const auto bits = random();
    sample given{.flag = bits % 2 == 0,
                 .small = static_cast<std::int16_t>(bits),
                 .medium = static_cast<std::int32_t>(bits >> 7U),
                 .large = static_cast<std::int64_t>(bits),
                 .real = std::bit_cast<float>(static_cast<std::uint32_t>(bits)),
                 .precise = std::bit_cast<double>(bits),
                 .exact = bw::numeric(static_cast<std::int64_t>(bits)) * bw::numeric{"0.000001"},
                 .key = bw::uuid::random(),
                 .moment = bw::timestamptz::from_microseconds_since_2000(static_cast<std::int64_t>(bits >> 10U)),
                 .day = bw::date::from_days_since_2000(static_cast<std::int32_t>(bits % 1'000'000)),
                 .mood = "calm"};
    for (std::size_t k = 0; k < bits % 40; ++k) given.text.push_back(static_cast<char>(1 + random() % 127));
    for (std::size_t k = 0; k < bits % 40; ++k) given.bytes.push_back(static_cast<std::byte>(random()));
    round_trip(given);
  }
}

TEST_F(types, a_type_made_anew_is_told_once_and_then_works_again) {
  round_trip({.mood = "calm"});
  ASSERT_OK(session.execute("drop table samples"));
  ASSERT_OK(session.execute("drop type mood"));
  SetUp();
  // The prepared statement names a type that is gone. The server calls that an internal error, so the connection is
  // replaced, and on the new one the statement is prepared anew.
  EXPECT_ERROR(samples.insert({.mood = "calm"}), errc::internal);
  round_trip({.mood = "calm"});
}

TEST_F(types, times_are_read_right_whatever_the_sessions_time_zone) {
  const bw::timestamptz moment{"2026-07-01 12:00:00.5+00"};
  for (const char* zone : {"UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Pacific/Marquesas"}) {
    const auto read = session.transact([&](bw::transaction& tx) -> bw::result<bw::timestamptz> {
      BOOST_OUTCOME_TRY(tx.execute("set local time zone '" + std::string(zone) + "'"));
      return tx.query("select ?::timestamptz", moment).one<bw::timestamptz>();
    });
    ASSERT_OK(read);
    EXPECT_EQ(read.value(), moment) << zone;
  }
}

TEST_F(types, a_value_the_database_refuses_is_a_data_error_that_does_not_quote_it) {
  const auto refused = samples.insert({.mood = "no such label s3cr3t"});
  EXPECT_ERROR(refused, errc::data_error);
  EXPECT_EQ(refused.error().sqlstate(), "22P02");
  EXPECT_EQ(refused.error().message().find("s3cr3t"), std::string::npos) << refused.error().message();
  EXPECT_ERROR(samples.insert({.text = "\xC3\x28", .mood = "calm"}), errc::data_error) << "invalid UTF-8";
  EXPECT_ERROR(samples.insert({.maybe_exact = bw::numeric{"1234567890123"}, .mood = "calm"}), errc::data_error)
      << "beyond numeric(20, 8)";
  ASSERT_OK(samples.insert({.mood = "calm"}));
}

}  // namespace
}  // namespace tests
