// Values that do not fit: the error names the column and never the value, and what can be known before is refused before.

#include "type_entities.hpp"

namespace tests {
namespace {

/// Texts for columns of many types, so that the server has something to refuse; and columns with limits.
struct note {
  std::int64_t id{};
  std::string text{};
  std::string feeling{};
  std::string day{};
  std::string small{};
  std::string document{};
  bw::numeric price{};
  std::optional<bw::numeric> discount{};
  std::string code{};
  std::optional<std::string> country{};
};

}  // namespace
}  // namespace tests

template <>
inline constexpr auto breakwater::mapping<tests::note> = bw::table(
    "notes", bw::column<&tests::note::id>("id", bw::primary_key, bw::generated),
    bw::column<&tests::note::text>("text", bw::sensitive), bw::column<&tests::note::feeling>("feeling"),
    bw::column<&tests::note::day>("day"), bw::column<&tests::note::small>("small"),
    bw::column<&tests::note::document>("document"), bw::column<&tests::note::price>("price", bw::type("numeric(20,8)")),
    bw::column<&tests::note::discount>("discount", bw::type("numeric(3, 2)")),
    bw::column<&tests::note::code>("code", bw::type("varchar(5)")),
    bw::column<&tests::note::country>("country", bw::type("char(2)")));

namespace tests {
namespace {

class refused_values : public repository_test {
 protected:
  bw::session session = on_primary();
  bw::repository<note> notes = session.repository<note>();

  void SetUp() override {
    repository_test::SetUp();
    make_things(session);
    ASSERT_OK(session.execute("drop table if exists notes"));
    ASSERT_OK(session.execute(
        "create table notes (id bigint generated always as identity primary key, text text not null, "
        "feeling thing_feeling not null, day date not null, small smallint not null, document jsonb not null, "
        "price numeric(20,8) not null, discount numeric(3,2), code varchar(5) not null, country char(2))"));
    watcher().clear();
  }

  static note good() { return {.feeling = "calm", .day = "2026-01-01", .small = "1", .document = "{}"}; }

  /// The server refused it: the error names column and table, and shows no value.
  template <class R>
  static void expect_named(const R& outcome, std::string_view column, std::string_view sqlstate) {
    ASSERT_TRUE(fails_with(outcome, errc::data_error));
    const bw::error& told = outcome.error();
    EXPECT_EQ(told.column(), column) << told.message();
    EXPECT_EQ(told.table(), "notes") << told.message();
    EXPECT_EQ(told.sqlstate(), sqlstate) << told.message();
    EXPECT_EQ(told.applied(), bw::applied::no);
    EXPECT_NE(told.message().find("\"" + std::string(column) + "\""), std::string::npos) << told.message();
    EXPECT_EQ(told.message().find("s3cr3t"), std::string::npos) << told.message();
  }
  /// It was not sent at all.
  template <class R>
  void expect_unsent(const R& outcome, std::string_view column, std::string_view why) const {
    expect_named(outcome, column, "");
    if (!outcome) {
      EXPECT_NE(outcome.error().message().find(why), std::string::npos) << outcome.error().message();
    }
    EXPECT_TRUE(watcher().operations().empty()) << "nothing was sent";
  }
};

TEST_F(refused_values, at_an_insert_name_their_column) {
  note given = good();
  given.text = "s3cr3t \xC3\x28";
  expect_named(notes.insert(given), "text", "22021");
  given = good();
  given.feeling = "s3cr3t";
  expect_named(notes.insert(given), "feeling", "22P02");
  given = good();
  given.day = "2026-02-30";
  expect_named(notes.insert(given), "day", "22008");
  given = good();
  given.small = "70000";
  expect_named(notes.insert(given), "small", "22003");
  given = good();
  given.document = R"({"s3cr3t": $1)";
  expect_named(notes.insert(given), "document", "22P02");
  ASSERT_OK(notes.insert(good()));
}

TEST_F(refused_values, at_an_update_a_patch_and_in_bulk_name_their_column) {
  auto stored = notes.insert(good());
  ASSERT_OK(stored);
  note changed = stored.value();
  changed.day = "s3cr3t";
  expect_named(notes.update(changed), "day", "22007");
  expect_named(notes.patch(stored.value().id, bw::set<&note::small>("1"), bw::set<&note::feeling>("s3cr3t")), "feeling",
               "22P02");
  expect_named(notes.query().every_row().update_all(bw::set<&note::day>("2026-13-01")), "day", "22008");
}

TEST_F(refused_values, in_one_of_many_rows_name_their_column) {
  std::vector<note> given{good(), good(), good()};
  given[1].feeling = "s3cr3t";
  expect_named(notes.insert_many(given), "feeling", "22P02");
  given[1] = good();
  given[2].price = bw::numeric{"1234567890123"};
  watcher().clear();
  expect_unsent(notes.insert_many(given), "price", "precision");
}

TEST_F(refused_values, in_a_condition_name_their_column) {
  expect_named(notes.where(bw::col<&note::small> == "1" && bw::col<&note::feeling> == "s3cr3t").all(), "feeling",
               "22P02");
  expect_named(notes.where(bw::col<&note::day>.between("2026-01-01", "s3cr3t")).count(), "day", "22007");
  expect_named(notes.where(bw::col<&note::feeling>.in("calm", "s3cr3t")).exists(), "feeling", "22P02");
}

TEST_F(refused_values, in_a_transaction_name_their_column) {
  const auto outcome = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    note given = good();
    given.feeling = "s3cr3t";
    BOOST_OUTCOME_TRY(tx.repository<note>().insert(given));
    return bw::success();
  });
  expect_named(outcome, "feeling", "22P02");
}

TEST_F(refused_values, of_raw_sql_are_told_by_their_number) {
  const auto refused = session.query("select ?::text, ?::int", "x", "s3cr3t").execute();
  EXPECT_ERROR(refused, errc::data_error);
  EXPECT_EQ(refused.error().column(), "");
  EXPECT_NE(refused.error().message().find("bound to $2"), std::string::npos) << refused.error().message();
  EXPECT_EQ(refused.error().message().find("s3cr3t"), std::string::npos) << refused.error().message();
}

TEST_F(refused_values, are_named_where_the_server_adds_the_value_to_its_context_too) {
  behind_the_back("alter role app set log_parameter_max_length_on_error = -1");
  {
    bw::config config;
    way_to_shared_cluster().lead(config);
    const auto fresh = bw::database::open(config);
    ASSERT_OK(fresh);
    note given = good();
    given.feeling = "s3cr3t";
    expect_named(fresh.value().session().repository<note>().insert(given), "feeling", "22P02");
  }
  behind_the_back("alter role app reset log_parameter_max_length_on_error");
}

TEST_F(refused_values, that_fail_only_when_run_name_no_column_of_ours) {
  // A CONTEXT that ends in "$1" and is not Bind's.
  const auto refused = session.query("select (?::text)::json", "{\"a\": \"$1").execute();
  EXPECT_ERROR(refused, errc::data_error);
  EXPECT_EQ(refused.error().message().find("bound to"), std::string::npos) << refused.error().message();
}

TEST_F(refused_values, beyond_numeric_20_8_are_not_sent) {
  note given = good();
  given.price = bw::numeric{"1234567890123"};
  expect_unsent(notes.insert(given), "price", "precision");
  given.price = bw::numeric{"999999999999.999999995"};
  expect_unsent(notes.insert(given), "price", "precision");
  expect_unsent(notes.patch(1, bw::set<&note::price>(bw::numeric::infinity())), "price", "precision");
  expect_unsent(notes.patch(1, bw::set<&note::price>(1'000'000'000'000)), "price", "precision");
  expect_unsent(notes.query().every_row().update_all(bw::set<&note::discount>(bw::numeric{"10"})), "discount",
                "precision");
  given.price = bw::numeric{"-999999999999.99999999"};
  given.discount = bw::numeric{"9.994"};
  const auto stored = notes.insert(given);
  ASSERT_OK(stored);
  EXPECT_EQ(stored.value().price, given.price);
  EXPECT_EQ(stored.value().discount, bw::numeric{"9.99"}) << "rounded to the scale, as PostgreSQL does";
}

TEST_F(refused_values, longer_than_their_column_are_not_sent) {
  note given = good();
  given.code = "123456";
  expect_unsent(notes.insert(given), "code", "longer");
  given.code = "12345";
  given.country = "DEU";
  expect_unsent(notes.insert(given), "country", "longer");
  expect_unsent(notes.patch(1, bw::set<&note::code>("s3cr3t")), "code", "longer");
  given.code = "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x9F!";
  given.country = "DE";
  const auto stored = notes.insert(given);
  ASSERT_OK(stored);
  EXPECT_EQ(stored.value().code, given.code);
  EXPECT_EQ(notes.where(bw::col<&note::code> == "longer than the column").count().value(), 0)
      << "to look for such a value is no mistake";
}

TEST_F(refused_values, our_limits_are_those_of_the_server) {
  // Where we send a value, the server takes it; where we do not, it would have refused it.
  for (const char* text :
       {"99.99", "9.994", "9.995", "-9.995", "10", "NaN", "Infinity", "0.001", "-9.99", "9.9949999"}) {
    const bw::numeric value = bw::numeric::parse(text).value();
    bw::parameters ours;
    bw::bind(ours, value);
    bw::detail::check_limit(ours, bw::detail::limit_of("numeric(3,2)"));
    const auto servers = session.query("select (?::text)::numeric(3,2)", text).execute();
    EXPECT_EQ(ours.first_invalid().has_value(), !servers) << text;
    if (!servers) {
      EXPECT_EQ(servers.error().sqlstate(), "22003") << text;
    }
  }
}

TEST_F(refused_values, enumerators_without_a_label_are_not_sent) {
  auto things = session.repository<thing>();
  thing given = full_thing();
  given.feeling = mood::unlabelled;
  const auto refused = things.insert(given);
  EXPECT_ERROR(refused, errc::data_error);
  EXPECT_EQ(refused.error().column(), "feeling");
  EXPECT_NE(refused.error().message().find("without a label"), std::string::npos) << refused.error().message();
  given = full_thing();
  given.home.feeling = mood::unlabelled;
  EXPECT_EQ(things.insert(given).error().column(), "home") << "inside a composite";
  EXPECT_EQ(things.patch(1, bw::set<&thing::moods>(std::vector{mood::unlabelled})).error().column(), "moods");
  EXPECT_EQ(things.where(bw::col<&thing::feeling> == mood::unlabelled).all().error().column(), "feeling");
  const auto raw = session.query("select ?::thing_feeling", mood::unlabelled).execute();
  EXPECT_ERROR(raw, errc::data_error);
  EXPECT_NE(raw.error().message().find("argument number 1"), std::string::npos) << raw.error().message();
  EXPECT_TRUE(watcher().operations().empty()) << "nothing was sent";
}

TEST_F(refused_values, ragged_arrays_and_inverted_ranges_are_not_sent) {
  auto things = session.repository<thing>();
  thing given = full_thing();
  given.matrix = {{1.0}, {2.0, 3.0}};
  const auto ragged = things.insert(given);
  EXPECT_ERROR(ragged, errc::data_error);
  EXPECT_EQ(ragged.error().column(), "matrix");
  given = full_thing();
  given.days = bw::range<bw::date>(bw::date{"2026-02-01"}, bw::date{"2026-01-01"});
  EXPECT_EQ(things.insert(given).error().column(), "days");
  EXPECT_TRUE(watcher().operations().empty()) << "nothing was sent";
}

TEST_F(refused_values, unknown_labels_that_are_read_name_the_column) {
  auto things = session.repository<thing>();
  ASSERT_OK(things.insert(full_thing()));
  behind_the_back("alter table things alter feeling type text, alter home type text");
  behind_the_back("update things set feeling = 'jealous'");
  const auto read = session.repository<thing>().query().all();
  EXPECT_ERROR(read, errc::data_error);
  EXPECT_EQ(read.error().column(), "feeling");
  EXPECT_EQ(read.error().message().find("jealous"), std::string::npos) << read.error().message();
}

TEST_F(refused_values, null_into_what_holds_none_names_the_column) {
  const auto value = session.query("select null::interval as span").one<bw::interval>();
  EXPECT_ERROR(value, errc::mapping_mismatch);
  EXPECT_EQ(value.error().column(), "span");
  const auto element = session.query("select '{1,NULL}'::int[] as numbers").one<std::vector<std::int32_t>>();
  EXPECT_ERROR(element, errc::data_error);
  EXPECT_EQ(element.error().column(), "numbers");
  const auto attribute = session.query("select row(null, 1)::thing_spot as door").one<spot>();
  EXPECT_ERROR(attribute, errc::data_error);
  EXPECT_EQ(attribute.error().column(), "door");
  behind_the_back("alter table things alter numbers drop not null");
  auto things = session.repository<thing>();
  ASSERT_OK(things.insert(full_thing()));
  behind_the_back("update things set numbers = null");
  const auto entity = things.query().all();
  EXPECT_ERROR(entity, errc::mapping_mismatch);
  EXPECT_EQ(entity.error().column(), "numbers");
}

TEST_F(refused_values, types_that_do_not_read_a_column_name_it) {
  const auto read = session.query("select '{1.5}'::numeric[] as numbers").one<std::vector<std::int32_t>>();
  EXPECT_ERROR(read, errc::mapping_mismatch);
  EXPECT_EQ(read.error().column(), "numbers");
  EXPECT_ERROR(session.query("select now() as at").one<bw::timestamp>(), errc::mapping_mismatch)
      << "another kind of time";
  EXPECT_ERROR(session.query("select '[1,2)'::int8range").one<bw::range<std::int32_t>>(), errc::mapping_mismatch);
}

}  // namespace
}  // namespace tests
