// Many rows at once: COPY in and out.

#include "support.hpp"

#include <array>
#include <cstdlib>
#include <ranges>
#include <stdexcept>

namespace tests {
namespace {

/// One column of every kind that has a codec.
struct parcel {
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
  std::optional<std::int32_t> maybe_number{};

  friend bool operator==(const parcel&, const parcel&) = default;
};

constexpr auto breakwater_mapping(std::type_identity<parcel>) {
  return bw::table(
      "parcels", bw::column<&parcel::id>("id", bw::primary_key), bw::column<&parcel::flag>("flag"),
      bw::column<&parcel::small>("small"), bw::column<&parcel::medium>("medium"), bw::column<&parcel::large>("large"),
      bw::column<&parcel::real>("real"), bw::column<&parcel::precise>("precise"), bw::column<&parcel::exact>("exact"),
      bw::column<&parcel::text>("text"), bw::column<&parcel::bytes>("bytes"), bw::column<&parcel::key>("key"),
      bw::column<&parcel::moment>("moment"), bw::column<&parcel::day>("day"), bw::column<&parcel::document>("document"),
      bw::column<&parcel::maybe_text>("maybe_text"), bw::column<&parcel::maybe_number>("maybe_number"));
}

/// The table of tickets with a key that the program makes and a state that the database may make.
struct job {
  bw::uuid id{};
  std::string state{};
  std::int32_t priority{};
};

constexpr auto breakwater_mapping(std::type_identity<job>) {
  return bw::table("tickets", bw::column<&job::id>("id", bw::primary_key, bw::defaulted),
                   bw::column<&job::state>("state", bw::defaulted), bw::column<&job::priority>("priority"));
}

/// Has a column that the table has not.
struct misnamed {
  std::string name{};
  std::string colour{};
};

constexpr auto breakwater_mapping(std::type_identity<misnamed>) {
  return bw::table("tags", bw::column<&misnamed::name>("name", bw::primary_key),
                   bw::column<&misnamed::colour>("colour"));
}

std::vector<tag> some_tags(std::size_t count, const std::string& prefix = "tag ") {
  std::vector<tag> made;
  made.reserve(count);
  for (std::size_t i = 0; i < count; ++i) made.push_back({.name = prefix + std::to_string(i)});
  return made;
}

class copy : public repository_test {
 protected:
  bw::session session = on_primary();
  bw::repository<tag> tags = session.repository<tag>();
  bw::repository<account> accounts = session.repository<account>();

  void SetUp() override {
    repository_test::SetUp();
    ASSERT_OK(session.execute("drop table if exists parcels"));
    ASSERT_OK(session.execute(
        "create table parcels (id bigint primary key, flag boolean not null, small smallint not null, medium int not "
        "null, large bigint not null, \"real\" real not null, precise double precision not null, exact numeric not "
        "null, \"text\" text not null, bytes bytea not null, key uuid not null, moment timestamptz not null, day date "
        "not null, document jsonb not null, maybe_text text, maybe_number int)"));
    watcher().clear();
  }
  static std::string tag_count() { return truth("select count(*) from tags"); }
};

// ---- in -------------------------------------------------------------------------------------------------------------

TEST_F(copy, in_of_500_rows_is_all_or_nothing_and_counts_500) {
  auto all = some_tags(500);
  const auto copied = tags.copy_in(all);
  ASSERT_OK(copied);
  EXPECT_EQ(copied.value(), 500U);
  EXPECT_EQ(tag_count(), "500");

  all = some_tags(500, "other ");
  all[317].name = "tag 3";
  const auto refused = tags.copy_in(all);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), errc::unique_violation);
  EXPECT_EQ(refused.error().applied(), bw::applied::no);
  EXPECT_EQ(refused.error().constraint(), "tags_pkey");
  EXPECT_EQ(refused.error().table(), "tags");
  EXPECT_EQ(refused.error().statement(), "tags.copy_in");
  EXPECT_EQ(refused.error().row(), 318U);
  EXPECT_EQ(refused.error().sqlstate(), "23505");
  EXPECT_EQ(refused.error().message().find("tag 3"), std::string::npos) << refused.error().message();
  EXPECT_EQ(tag_count(), "500") << "one duplicate leaves nothing";
}

TEST_F(copy, in_of_nothing_is_a_success_that_sends_nothing) {
  const auto copied = tags.copy_in(std::vector<tag>());
  ASSERT_OK(copied);
  EXPECT_EQ(copied.value(), 0U);
  EXPECT_TRUE(watcher().operations().empty());
}

TEST_F(copy, in_takes_any_range_and_looks_at_each_element_once) {
  ASSERT_OK(tags.copy_in({tag{.name = "listed"}, tag{.name = "too"}}));
  const std::array<tag, 2> constant{tag{.name = "a"}, tag{.name = "b"}};
  ASSERT_OK(tags.copy_in(constant));
  int made = 0;
  ASSERT_OK(tags.copy_in(std::views::iota(0, 1000) | std::views::transform([&made](int i) {
                           ++made;
                           return tag{.name = "made " + std::to_string(i)};
                         })));
  EXPECT_EQ(made, 1000) << "by value, each made once";
  std::istringstream words("one pass only");
  auto single_pass = std::views::istream<std::string>(words) |
                     std::views::transform([](const std::string& word) { return tag{.name = word}; });
  EXPECT_EQ(tags.copy_in(single_pass).value(), 3U);
  EXPECT_EQ(tag_count(), "1007");
}

TEST_F(copy, in_gives_every_value_exactly_as_it_is) {
  std::vector<parcel> all;
  all.push_back({.id = 1});
  all.push_back(
      {.id = 2,
       .flag = true,
       .small = std::numeric_limits<std::int16_t>::min(),
       .medium = std::numeric_limits<std::int32_t>::max(),
       .large = std::numeric_limits<std::int64_t>::min(),
       .real = -0.1F,
       .precise = std::numeric_limits<double>::infinity(),
       .exact = bw::numeric{"-12345678901234567890.000000000000000001"},
       .text = "\\. \\N \\ \t tab \n line \r\n 'quoted' \"twice\" {a,b} $1 ? :x \v\f\b \xC3\xA4\xF0\x9F\x98\x80",
       .bytes = {std::byte{0}, std::byte{'\\'}, std::byte{255}, std::byte{'\n'}},
       .key = bw::uuid::random(),
       .moment = bw::timestamptz{"1999-12-31 23:59:59.999999+00"},
       .day = bw::date{"0044-03-15 BC"},
       .document = bw::json{R"({"a": "\\ \t \n '); drop table tags; --"})"},
       .maybe_text = "",
       .maybe_number = 0});
  const std::array hostile{"\\.",  "\\N",  "\\\\.", "\\",     "\t",    "\n",
                           "\r",   "\r\n", "\\t",   "\\x41",  "\\101", "'; drop table parcels; --",
                           "NULL", "",     "a\\",   "\n\\.\n"};
  for (std::size_t i = 0; i < hostile.size(); ++i) {
    all.push_back({.id = static_cast<std::int64_t>(10 + i), .text = hostile[i], .maybe_text = hostile[i]});
  }
  all.push_back({.id = 100, .text = std::string(1 << 20, 'x') + "\n", .bytes = std::vector<std::byte>(300000)});
  const auto parcels = session.repository<parcel>();
  ASSERT_OK(parcels.copy_in(all));
  const auto stored = parcels.query().order_by(bw::asc<&parcel::id>).all();
  ASSERT_OK(stored);
  ASSERT_EQ(stored.value().size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(stored.value()[i], all[i]) << "row " << i;

  std::vector<parcel> out;
  ASSERT_OK(parcels.copy_out([&out](parcel&& each) { out.push_back(std::move(each)); }));
  std::ranges::sort(out, {}, &parcel::id);
  EXPECT_EQ(out, all);
}

TEST_F(copy, in_sets_versions_and_times_by_the_database) {
  const std::string before = truth("select statement_timestamp()");
  ASSERT_OK(accounts.copy_in({account{.owner = "ada", .version = 77}, account{.owner = "bob"}}));
  const auto ada = accounts.where(bw::col<&account::owner> == "ada").one();
  ASSERT_OK(ada);
  EXPECT_EQ(ada.value().version, 1);
  EXPECT_GT(ada.value().id, 0) << "made by the database";
  EXPECT_EQ(ada.value().created_at, ada.value().updated_at);
  EXPECT_GE(*ada.value().created_at, bw::timestamptz::parse(before).value());
  EXPECT_LE(*ada.value().created_at, bw::timestamptz::parse(truth("select statement_timestamp()")).value());
  EXPECT_FALSE(ada.value().deleted_at);
  ASSERT_OK(accounts.update(ada.value())) << "the version is the one that an update expects";
}

TEST_F(copy, in_uses_a_default_for_all_rows_or_for_none) {
  const auto jobs = session.repository<job>();
  ASSERT_OK(jobs.copy_in({job{.priority = 1}, job{.priority = 2}}));
  EXPECT_EQ(truth("select count(distinct id) || ' ' || min(state) from tickets"), "2 new");
  const auto key = bw::uuid::random();
  ASSERT_OK(jobs.copy_in({job{.id = key, .state = "old"}}));
  EXPECT_EQ(truth("select state from tickets where id = '" + key.to_string() + "'"), "old");

  const auto mixed = jobs.copy_in({job{.state = "a"}, job{.state = "b"}, job{}});
  ASSERT_FALSE(mixed);
  EXPECT_EQ(mixed.error().code(), errc::invalid_argument);
  EXPECT_EQ(mixed.error().column(), "state");
  EXPECT_EQ(mixed.error().row(), 3U);
  EXPECT_EQ(truth("select count(*) from tickets"), "3");

  const auto tickets = session.repository<ticket>();
  const auto nothing_left = tickets.copy_in({ticket{}, ticket{}});
  EXPECT_ERROR(nothing_left, errc::invalid_argument);
}

TEST_F(copy, in_refuses_a_nul_byte_and_names_row_and_column) {
  auto all = some_tags(3);
  all[1].name = std::string("nul\0byte", 8);
  const auto refused = tags.copy_in(all);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), errc::invalid_argument);
  EXPECT_EQ(refused.error().column(), "name");
  EXPECT_EQ(refused.error().table(), "tags");
  EXPECT_EQ(refused.error().row(), 2U);
  EXPECT_EQ(refused.error().statement(), "tags.copy_in");
  EXPECT_FALSE(refused.error().poisons_connection());
  EXPECT_EQ(tag_count(), "0");
  ASSERT_OK(tags.copy_in(some_tags(3))) << "the connection is as good as before";
}

TEST_F(copy, in_names_row_and_column_of_a_value_that_does_not_fit_but_not_the_value) {
  ASSERT_OK(session.execute("alter table tickets add constraint few check (priority < 10)"));
  const auto jobs = session.repository<job>();
  const auto broke = jobs.copy_in({job{.state = "secret a", .priority = 1}, job{.state = "secret b", .priority = 11}});
  ASSERT_FALSE(broke);
  EXPECT_EQ(broke.error().code(), errc::check_violation);
  EXPECT_EQ(broke.error().constraint(), "few");
  EXPECT_EQ(broke.error().row(), 2U);
  EXPECT_EQ(broke.error().message().find("secret"), std::string::npos) << broke.error().message();

  ASSERT_OK(
      session.execute("alter table tickets alter column state drop default, alter column state type int using 0"));
  const auto misfit = jobs.copy_in({job{.state = "1"}, job{.state = "secret, line 7, column priority: x"}});
  ASSERT_FALSE(misfit);
  EXPECT_EQ(misfit.error().code(), errc::data_error);
  EXPECT_EQ(misfit.error().row(), 2U);
  EXPECT_EQ(misfit.error().column(), "state");
  EXPECT_EQ(misfit.error().message().find("secret"), std::string::npos) << misfit.error().message();
  EXPECT_EQ(truth("select count(*) from tickets"), "0");
}

TEST_F(copy, in_ends_soon_after_the_server_refused_a_row) {
  int made = 0;
  const auto refused = tags.copy_in(std::views::iota(0, 100'000'000) | std::views::transform([&made](int i) {
                                      ++made;
                                      return tag{.name = i == 10 ? "0" : std::to_string(i)};
                                    }));
  EXPECT_ERROR(refused, errc::unique_violation);
  EXPECT_EQ(refused.error().row(), 11U);
  EXPECT_LT(made, 50'000'000) << "what the server has refused already need not be made";
  ASSERT_OK(tags.copy_in(some_tags(3)));
}

TEST_F(copy, in_is_undone_when_the_range_throws) {
  const auto throws_at = [&](int last) {
    return std::views::iota(0, 100'000) | std::views::transform([last](int i) {
             if (i == last) throw std::runtime_error("the source is gone");
             return tag{.name = std::to_string(i)};
           });
  };
  for (const int last : {0, 1, 50'000}) {
    EXPECT_THROW((void)tags.copy_in(throws_at(last)), std::runtime_error) << last;
    EXPECT_EQ(tag_count(), "0");
    ASSERT_OK(tags.copy_in({tag{.name = "after"}})) << "the connection is as good as before";
    ASSERT_OK(session.execute("truncate tags"));
  }
}

TEST_F(copy, in_reports_its_progress_and_ends_when_told_to) {
  std::vector<bw::copy_progress> seen;
  ASSERT_OK(tags.copy_in(some_tags(20'000), {.progress = [&seen](const bw::copy_progress& p) { seen.push_back(p); }}));
  ASSERT_GE(seen.size(), 3U);
  EXPECT_LT(seen.front().rows, 20'000U);
  EXPECT_EQ(seen.back().rows, 20'000U);
  EXPECT_GE(seen.back().bytes, 20'000U * 6);
  for (std::size_t i = 1; i < seen.size(); ++i) EXPECT_GT(seen[i].bytes, seen[i - 1].bytes);

  ASSERT_OK(session.execute("truncate tags"));
  const auto ended =
      tags.copy_in(some_tags(20'000), {.progress = [](const bw::copy_progress& p) { return p.rows < 10'000; }});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code(), errc::cancelled);
  EXPECT_EQ(ended.error().applied(), bw::applied::no);
  EXPECT_FALSE(ended.error().poisons_connection());
  EXPECT_EQ(tag_count(), "0");
  // To the last moment.
  EXPECT_ERROR(tags.copy_in(some_tags(1), {.progress = [](const bw::copy_progress&) { return false; }}),
               errc::cancelled);
  EXPECT_EQ(tag_count(), "0");
}

TEST_F(copy, in_says_that_a_mapping_does_not_fit) {
  const auto refused = session.repository<misnamed>().copy_in({misnamed{.name = "x", .colour = "red"}});
  EXPECT_ERROR(refused, errc::mapping_mismatch);
  const auto unread = session.repository<misnamed>().copy_out([](misnamed&&) {});
  EXPECT_ERROR(unread, errc::mapping_mismatch);
}

TEST_F(copy, is_seen_by_the_observer_as_one_operation) {
  ASSERT_OK(tags.copy_in(some_tags(500)));
  ASSERT_EQ(watcher().operations().size(), 1U);
  EXPECT_EQ(watcher().last().statement, "tags.copy_in");
  EXPECT_EQ(watcher().last().operation, "COPY");
  EXPECT_EQ(watcher().last().rows, 500U);
  EXPECT_EQ(watcher().last().role, bw::node_role::primary);
  EXPECT_EQ(watcher().last().attempts, 1U);
  ASSERT_OK(tags.copy_out([](tag&&) {}));
  ASSERT_EQ(watcher().operations().size(), 2U);
  EXPECT_EQ(watcher().last().statement, "tags.copy_out");
  EXPECT_EQ(watcher().last().operation, "COPY");
  EXPECT_EQ(watcher().last().rows, 500U);
  EXPECT_FALSE(tags.copy_in(some_tags(1)));
  EXPECT_TRUE(watcher().last().failed);
}

// ---- in transactions ------------------------------------------------------------------------------------------------

TEST_F(copy, in_a_transaction_stays_inside_it) {
  const auto rolled_back = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    auto inside = tx.repository<tag>();
    BOOST_OUTCOME_TRY(const auto copied, inside.copy_in(some_tags(500)));
    EXPECT_EQ(copied, 500U);
    EXPECT_EQ(inside.count().value(), 500);
    EXPECT_EQ(tag_count(), "0") << "nobody else sees it";
    return errc::validation_failed;
  });
  EXPECT_ERROR(rolled_back, errc::validation_failed);
  EXPECT_EQ(tag_count(), "0");

  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.repository<tag>().insert({.name = "first"}));
    BOOST_OUTCOME_TRY(tx.repository<tag>().copy_in(some_tags(500)));
    BOOST_OUTCOME_TRY(tx.repository<tag>().insert({.name = "last"}));
    std::size_t seen = 0;
    BOOST_OUTCOME_TRY(tx.repository<tag>().copy_out([&seen](tag&&) { ++seen; }));
    EXPECT_EQ(seen, 502U);
    return bw::success();
  }));
  EXPECT_EQ(tag_count(), "502");
}

TEST_F(copy, that_fails_fails_its_transaction_but_not_the_one_around_a_savepoint) {
  const auto failed = session.transact([&](bw::transaction& tx) -> bw::result<void> {
    EXPECT_ERROR(tx.repository<tag>().copy_in({tag{.name = "a"}, tag{.name = "a"}}), errc::unique_violation);
    EXPECT_ERROR(tx.repository<tag>().count(), errc::unique_violation) << "what aborted it";
    return bw::success();
  });
  EXPECT_ERROR(failed, errc::rolled_back);
  EXPECT_EQ(tag_count(), "0");

  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.repository<tag>().insert({.name = "kept"}));
    const auto inner = tx.transact([](bw::transaction& nested) -> bw::result<std::size_t> {
      return nested.repository<tag>().copy_in({tag{.name = "a"}, tag{.name = "a"}});
    });
    EXPECT_ERROR(inner, errc::unique_violation);
    EXPECT_THROW((void)tx.transact([](bw::transaction& nested) -> bw::result<std::size_t> {
      return nested.repository<tag>().copy_in(std::views::iota(0, 10) | std::views::transform([](int i) -> tag {
                                                if (i == 5) throw std::runtime_error("enough");
                                                return {.name = std::to_string(i)};
                                              }));
    }),
                 std::runtime_error);
    const auto stopped = tx.transact([](bw::transaction& nested) -> bw::result<std::size_t> {
      return nested.repository<tag>().copy_in(some_tags(10),
                                              {.progress = [](const bw::copy_progress&) { return false; }});
    });
    EXPECT_ERROR(stopped, errc::cancelled);
    BOOST_OUTCOME_TRY(tx.repository<tag>().copy_in(some_tags(10)));
    return bw::success();
  }));
  EXPECT_EQ(tag_count(), "11");
}

TEST_F(copy, whose_range_throws_rolls_its_transaction_back) {
  EXPECT_THROW((void)session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.repository<tag>().copy_in(std::views::iota(0, 10) | std::views::transform([](int i) -> tag {
                                                     if (i == 5) throw std::runtime_error("enough");
                                                     return {.name = std::to_string(i)};
                                                   })));
    return bw::success();
  }),
               std::runtime_error);
  EXPECT_EQ(tag_count(), "0");
  ASSERT_OK(tags.copy_in(some_tags(3)));
}

TEST_F(copy, lets_nothing_else_run_on_its_transactions_connection) {
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    auto inside = tx.repository<tag>();
    BOOST_OUTCOME_TRY(inside.copy_in(std::views::iota(0, 3) | std::views::transform([&](int i) {
                                       EXPECT_TRUE(i == 0 || inside.count().error() == errc::unsafe_operation);
                                       return tag{.name = std::to_string(i)};
                                     })));
    BOOST_OUTCOME_TRY(inside.copy_out([&](tag&&) { EXPECT_ERROR(inside.count(), errc::unsafe_operation); }));
    EXPECT_EQ(inside.count().value(), 3) << "refused statements hurt nobody";
    return bw::success();
  }));
  EXPECT_EQ(tag_count(), "3");
}

TEST_F(copy, of_a_session_is_refused_while_a_transaction_of_it_runs) {
  ASSERT_OK(session.transact([&](bw::transaction&) -> bw::result<void> {
    EXPECT_ERROR(tags.copy_in(some_tags(1)), errc::unsafe_operation);
    EXPECT_ERROR(tags.copy_out([](tag&&) {}), errc::unsafe_operation);
    return bw::success();
  }));
}

TEST_F(copy, of_a_transaction_that_has_ended_is_refused) {
  std::optional<bw::repository<tag>> escaped;
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    escaped = tx.repository<tag>();
    return bw::success();
  }));
  EXPECT_ERROR(escaped->copy_in(some_tags(1)), errc::unsafe_operation);
  EXPECT_ERROR(escaped->copy_out([](tag&&) {}), errc::unsafe_operation);
}

// ---- limits ---------------------------------------------------------------------------------------------------------

TEST_F(copy, in_ends_at_its_deadline_while_a_lock_blocks_it) {
  const auto locker = db().session();
  ASSERT_OK(db().session().transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(tx.execute("lock table tags in access exclusive mode"));
    const auto started = std::chrono::steady_clock::now();
    const auto late = db().session({.timeout = 200ms}).repository<tag>().copy_in(some_tags(100));
    EXPECT_ERROR(late, errc::deadline_exceeded);
    EXPECT_EQ(late.error().applied(), bw::applied::no);
    EXPECT_LT(std::chrono::steady_clock::now() - started, 2s);
    return bw::success();
  }));
  EXPECT_EQ(tag_count(), "0");
  EXPECT_EQ(truth("select count(*) from pg_locks l join pg_class c on c.oid = l.relation where c.relname = 'tags'"),
            "0")
      << "the server has given up too";
}

TEST_F(copy, in_ends_at_its_deadline_although_its_range_goes_on) {
  const auto endless =
      std::views::iota(0) | std::views::transform([](int i) { return tag{.name = std::to_string(i)}; });
  const auto late = db().session({.timeout = 200ms}).repository<tag>().copy_in(endless);
  EXPECT_ERROR(late, errc::deadline_exceeded);
  EXPECT_EQ(late.error().applied(), bw::applied::no);
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (truth("select count(*) from pg_stat_activity where query like '%copy \"tags\"%' and state = 'active' and pid "
               "<> pg_backend_pid()") != "0") {
    ASSERT_LT(std::chrono::steady_clock::now(), until) << "the server works on";
  }
  EXPECT_EQ(tag_count(), "0");
}

TEST_F(copy, in_ends_when_it_is_cancelled) {
  std::stop_source stop;
  auto stopping = db().session({.cancel = stop.get_token()});
  const auto cancelled = stopping.repository<tag>().copy_in(std::views::iota(0) | std::views::transform([&](int i) {
                                                              if (i == 100'000) stop.request_stop();
                                                              return tag{.name = std::to_string(i)};
                                                            }));
  EXPECT_ERROR(cancelled, errc::cancelled);
  EXPECT_EQ(cancelled.error().applied(), bw::applied::no);
  EXPECT_EQ(tag_count(), "0");
}

TEST_F(copy, in_may_take_longer_than_the_connections_own_timeout) {
  ASSERT_OK(
      session.execute("create or replace function slow_tag() returns trigger language plpgsql as $$ begin perform "
                      "pg_sleep(0.4); return new; end $$"));
  ASSERT_OK(session.execute("create trigger slow before insert on tags for each row execute function slow_tag()"));
  bw::config config;
  way_to_shared_cluster().lead(config);
  config.nodes.resize(1);
  config.operation_timeout = 200ms;
  auto impatient = bw::database::open(config);
  ASSERT_OK(impatient);
  EXPECT_ERROR(impatient.value().session().repository<tag>().copy_in(some_tags(1)), errc::deadline_exceeded);
  ASSERT_OK(impatient.value().session({.operation_timeout = 20s}).repository<tag>().copy_in(some_tags(1)));
  const auto patient = impatient.value().session({.operation_timeout = 20s});
  ASSERT_OK(patient.repository<tag>().copy_out([](tag&&) {}));
}

TEST_F(copy, counts_what_the_server_kept) {
  ASSERT_OK(
      session.execute("create or replace function skip_tag() returns trigger language plpgsql as $$ begin raise "
                      "warning 'looked at %', new.name; if new.name like '%7' then return null; end if; return "
                      "new; end $$"));
  ASSERT_OK(session.execute("create trigger skip before insert on tags for each row execute function skip_tag()"));
  const auto copied = tags.copy_in(some_tags(20'000));
  ASSERT_OK(copied) << "warnings on the way are not errors";
  EXPECT_EQ(copied.value(), 18'000U);
}

// ---- out ------------------------------------------------------------------------------------------------------------

TEST_F(copy, out_leaves_the_trash_out_unless_asked) {
  ASSERT_OK(accounts.copy_in({account{.owner = "ada", .balance = bw::numeric{"1.50"}}, account{.owner = "bob"}}));
  ASSERT_OK(accounts.remove(accounts.where(bw::col<&account::owner> == "bob").one().value().id));
  std::vector<std::string> owners;
  const auto note = [&owners](account&& each) { owners.push_back(each.owner); };
  EXPECT_EQ(accounts.copy_out(note).value(), 1U);
  EXPECT_EQ(owners, (std::vector<std::string>{"ada"}));
  owners.clear();
  EXPECT_EQ(accounts.copy_out(note, {.with_trashed = true}).value(), 2U);
  EXPECT_EQ(owners.size(), 2U);
}

TEST_F(copy, out_of_names_and_values_that_look_like_syntax) {
  const auto lines = session.repository<line>();
  const std::vector<line> all{{.order_id = 1, .number = 1, .product = "\\.\n\t\\N", .note = std::nullopt},
                              {.order_id = 1, .number = 2, .product = "'; --", .note = "\\N"}};
  ASSERT_OK(lines.copy_in(all));
  std::vector<line> out;
  ASSERT_OK(lines.copy_out([&out](line&& each) { out.push_back(std::move(each)); }));
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out[0].product, all[0].product);
  EXPECT_EQ(out[0].note, std::nullopt);
  EXPECT_EQ(out[1].note, "\\N");
}

TEST_F(copy, out_ends_early_and_leaves_everything_usable) {
  ASSERT_OK(tags.copy_in(some_tags(100'000)));
  std::size_t seen = 0;
  const auto stopped = tags.copy_out([&seen](tag&&) { return ++seen < 10; });
  ASSERT_OK(stopped);
  EXPECT_EQ(stopped.value(), 10U);
  EXPECT_EQ(seen, 10U);
  const auto failed = tags.copy_out([](tag&&) -> bw::result<void> { return errc::validation_failed; });
  EXPECT_ERROR(failed, errc::validation_failed);
  EXPECT_THROW((void)tags.copy_out([](tag&&) { throw std::runtime_error("no more"); }), std::runtime_error);
  for (int i = 0; i < 12; ++i) ASSERT_OK(tags.count()) << "whatever connection it is";

  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    auto inside = tx.repository<tag>();
    BOOST_OUTCOME_TRY(inside.insert({.name = "before"}));
    EXPECT_EQ(inside.copy_out([](tag&&) { return false; }).value(), 1U);
    EXPECT_ERROR(inside.copy_out([](tag&&) -> bw::result<void> { return errc::validation_failed; }),
                 errc::validation_failed);
    EXPECT_THROW((void)inside.copy_out([](tag&&) { throw std::runtime_error("no more"); }), std::runtime_error);
    EXPECT_EQ(inside.count().value(), 100'001) << "the transaction is as it was";
    return bw::success();
  }));
  EXPECT_EQ(tag_count(), "100001");
}

TEST_F(copy, out_ends_at_its_deadline_although_rows_keep_coming) {
  ASSERT_OK(tags.copy_in(some_tags(200'000)));
  const auto late = db().session({.timeout = 50ms, .consistency = bw::consistency::primary})
                        .repository<tag>()
                        .copy_out([](tag&& each) {
                          volatile std::size_t work = 0;
                          for (std::size_t i = 0; i < 2'000; ++i) work = work + each.name.size();
                        });
  EXPECT_ERROR(late, errc::deadline_exceeded);
  for (int i = 0; i < 12; ++i) ASSERT_OK(tags.count());
}

TEST_F(copy, out_may_read_a_replica_and_in_may_not) {
  ASSERT_OK(tags.copy_in(some_tags(5)));
  ASSERT_OK(shared_cluster().wait_for_replay(shared_cluster().replica(0)));
  const auto elsewhere = db().session();
  EXPECT_EQ(elsewhere.repository<tag>().copy_out([](tag&&) {}).value(), 5U);
  EXPECT_EQ(watcher().last().role, bw::node_role::replica);
  const paused_replay replica_stands_still;
  ASSERT_OK(elsewhere.repository<tag>().copy_in({tag{.name = "new"}}));
  EXPECT_EQ(watcher().last().role, bw::node_role::primary);
  EXPECT_EQ(elsewhere.repository<tag>().copy_out([](tag&&) {}).value(), 6U) << "it reads what it wrote";
  EXPECT_EQ(watcher().last().role, bw::node_role::primary);
}

TEST_F(copy, a_value_out_that_does_not_fit_names_its_column) {
  ASSERT_OK(session.execute("alter table tickets alter column priority drop not null"));
  ASSERT_OK(session.execute("insert into tickets (priority) values (1), (null)"));
  const auto unread = session.repository<ticket>().copy_out([](ticket&&) {});
  ASSERT_FALSE(unread);
  EXPECT_EQ(unread.error().code(), errc::mapping_mismatch);
  EXPECT_EQ(unread.error().column(), "priority");
  EXPECT_EQ(unread.error().row(), 2U);
}

}  // namespace
}  // namespace tests
