// Results larger than memory: streams and batches.

#include "support.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <stdexcept>

namespace tests {
namespace {

struct pair_of {
  std::int64_t a{};
  std::string b{};
};

struct wide {
  std::int64_t id{};
  std::string text{};
};

constexpr auto breakwater_mapping(std::type_identity<wide>) {
  return bw::table("wide", bw::column<&wide::id>("id", bw::primary_key), bw::column<&wide::text>("text"));
}

/// Sanitizers keep freed memory for a while.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool frees_at_once = false;
#else
constexpr bool frees_at_once = true;
#endif

/// Bytes of memory that this process has in use.
std::size_t resident() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t pages = 0;
  statm >> total >> pages;
  return pages * 4096;
}

class stream : public repository_test {
 protected:
  bw::session session = on_primary();
  bw::repository<tag> tags = session.repository<tag>();

  void SetUp() override {
    repository_test::SetUp();
    ASSERT_OK(session.execute("insert into tags select to_char(i, 'FM000000') from generate_series(1, 1000) i"));
    ASSERT_OK(shared_cluster().wait_for_replay(shared_cluster().replica(0)));
    watcher().clear();
  }
  static bw::query<tag> in_order(const bw::repository<tag>& of) { return of.query().order_by(bw::asc<&tag::name>); }
  /// Sessions of the application that have a transaction open.
  static std::string open_transactions() {
    return truth(
        "select count(*) from pg_stat_activity where xact_start is not null and pid <> pg_backend_pid() and "
        "backend_type = 'client backend'");
  }
};

TEST_F(stream, gives_every_row_once_and_in_order) {
  std::vector<std::string> seen;
  const auto count = in_order(tags).stream([&seen](tag&& each) { seen.push_back(std::move(each.name)); });
  ASSERT_OK(count);
  EXPECT_EQ(count.value(), 1000U);
  ASSERT_EQ(seen.size(), 1000U);
  EXPECT_TRUE(std::ranges::is_sorted(seen));
  EXPECT_EQ(seen.front(), "000001");
  EXPECT_EQ(seen.back(), "001000");
}

TEST_F(stream, can_be_pulled) {
  auto rows = in_order(tags).stream();
  ASSERT_OK(rows);
  std::size_t seen = 0;
  for (;;) {
    const auto next = rows.value().next();
    ASSERT_OK(next);
    if (!next.value()) break;
    ++seen;
  }
  EXPECT_EQ(seen, 1000U);
  const auto after = rows.value().next();
  ASSERT_OK(after);
  EXPECT_FALSE(after.value()) << "the end stays the end";
}

TEST_F(stream, obeys_conditions_order_and_bounds) {
  std::vector<std::string> seen;
  ASSERT_OK(tags.where(bw::col<&tag::name> > "000500")
                .order_by(bw::desc<&tag::name>)
                .limit(3)
                .offset(1)
                .stream([&seen](tag&& each) { seen.push_back(each.name); }));
  EXPECT_EQ(seen, (std::vector<std::string>{"000999", "000998", "000997"}));
  EXPECT_EQ(tags.where(bw::col<&tag::name> == "absent").stream([](tag&&) { FAIL(); }).value(), 0U);
  EXPECT_ERROR(tags.query().limit(-1).stream([](tag&&) {}), errc::invalid_argument);
}

TEST_F(stream, leaves_the_trash_out_unless_asked) {
  const auto accounts = session.repository<account>();
  ASSERT_OK(accounts.copy_in({account{.owner = "ada"}, account{.owner = "bob"}}));
  ASSERT_OK(accounts.where(bw::col<&account::owner> == "bob").delete_all());
  EXPECT_EQ(accounts.query().stream([](account&&) {}).value(), 1U);
  EXPECT_EQ(accounts.with_trashed().stream([](account&&) {}).value(), 2U);
  EXPECT_EQ(accounts.only_trashed().stream([](account&& each) { EXPECT_EQ(each.owner, "bob"); }).value(), 1U);
}

TEST_F(stream, holds_one_fetch_of_rows) {
  auto by_seven = in_order(tags).stream({.fetch_rows = 7});
  ASSERT_OK(by_seven);
  std::size_t most = 0;
  for (auto next = by_seven.value().next(); next && next.value(); next = by_seven.value().next()) {
    most = std::max(most, by_seven.value().rows_held());
  }
  EXPECT_EQ(most, 6U) << "seven, one of which was given out";

  // Rows of 10 kB: after the first fetch no more than make a quarter of a mebibyte.
  ASSERT_OK(session.execute("drop table if exists wide"));
  ASSERT_OK(
      session.execute("create table wide as select i::bigint id, repeat('x', 10000) as text from "
                      "generate_series(1, 2000) i"));
  auto large = session.repository<wide>().query().stream();
  ASSERT_OK(large);
  std::vector<std::size_t> fetches;
  for (auto next = large.value().next(); next && next.value(); next = large.value().next()) {
    if (fetches.empty() || large.value().rows_held() > fetches.back()) {
      fetches.push_back(large.value().rows_held());
    } else {
      fetches.back() = large.value().rows_held();
    }
    EXPECT_LT(large.value().rows_held(), 64U);
  }
  ASSERT_OK(session.execute("drop table wide"));
}

TEST_F(stream, of_many_rows_needs_little_memory) {
  const bw::session patient = db().session({.operation_timeout = 60s});
  const auto all = patient.query("select i as a, repeat('x', 200) as b from generate_series(1, 100000) i").read_only();
  ASSERT_OK(all.stream<pair_of>([](pair_of&&) { return false; }));
  const std::size_t idle = resident();
  std::size_t most = idle;
  std::size_t seen = 0;
  ASSERT_OK(all.stream<pair_of>([&](pair_of&&) {
    if (++seen % 1000 == 0) most = std::max(most, resident());
  }));
  EXPECT_EQ(seen, 100'000U);
  if (frees_at_once) {
    EXPECT_LE(most - idle, std::size_t{16} << 20) << "of 30 MB of rows";
  }
}

TEST_F(stream, is_one_operation_for_the_observer) {
  ASSERT_OK(in_order(tags).stream([](tag&&) {}, {.fetch_rows = 10}));
  ASSERT_EQ(watcher().operations().size(), 1U);
  EXPECT_EQ(watcher().last().statement, "tags.stream");
  EXPECT_EQ(watcher().last().operation, "SELECT");
  EXPECT_EQ(watcher().last().rows, 1000U);
  EXPECT_FALSE(watcher().last().failed);
  {
    const auto dropped = in_order(tags).stream({.fetch_rows = 10});
    ASSERT_OK(dropped);
    EXPECT_EQ(watcher().operations().size(), 1U) << "it is not finished yet";
  }
  ASSERT_EQ(watcher().operations().size(), 2U);
  EXPECT_EQ(watcher().last().rows, 10U) << "those that were fetched";
  EXPECT_FALSE(session.query("select 1/0").stream<std::int32_t>());
  EXPECT_TRUE(watcher().last().failed);
}

TEST_F(stream, ends_early_and_leaves_everything_usable) {
  std::size_t seen = 0;
  EXPECT_EQ(in_order(tags).stream([&seen](tag&&) { return ++seen < 100; }).value(), 100U);
  EXPECT_EQ(seen, 100U);
  EXPECT_EQ(open_transactions(), "0") << "by a bool";
  EXPECT_ERROR(in_order(tags).stream([](tag&&) -> bw::result<void> { return errc::validation_failed; }),
               errc::validation_failed);
  EXPECT_EQ(open_transactions(), "0") << "by an error";
  EXPECT_THROW((void)in_order(tags).stream([](tag&&) { throw std::runtime_error("enough"); }), std::runtime_error);
  EXPECT_EQ(open_transactions(), "0") << "by an exception";
  {
    auto dropped = in_order(tags).stream();
    ASSERT_OK(dropped);
    ASSERT_OK(dropped.value().next());
    EXPECT_EQ(open_transactions(), "1");
  }
  EXPECT_EQ(open_transactions(), "0") << "by its end";
  for (int i = 0; i < 12; ++i) ASSERT_OK(tags.count());
}

TEST_F(stream, gives_its_connection_back_with_its_last_rows) {
  auto all = in_order(tags).stream({.fetch_rows = 2000});
  ASSERT_OK(all);
  EXPECT_EQ(open_transactions(), "0") << "although none of them was looked at";
  EXPECT_EQ(all.value().next().value()->name, "000001");
}

TEST_F(stream, lets_its_session_work_meanwhile) {
  std::size_t changed = 0;
  ASSERT_OK(in_order(tags).stream([&](tag&& each) -> bw::result<void> {
    if (each.name > "000010") return bw::success();
    ++changed;
    BOOST_OUTCOME_TRY(tags.remove(each.name));
    return session.transact([&](bw::transaction& tx) -> bw::result<void> {
      BOOST_OUTCOME_TRY(tx.repository<tag>().insert({.name = each.name + " again"}));
      return bw::success();
    });
  }));
  EXPECT_EQ(changed, 10U) << "it sees what was there when it began";
  EXPECT_EQ(truth("select count(*) from tags where name like '%again'"), "10");
}

TEST_F(stream, may_read_a_replica) {
  const bw::session anywhere = db().session();
  ASSERT_OK(anywhere.repository<tag>().query().stream([](tag&&) {}));
  EXPECT_EQ(watcher().last().role, bw::node_role::replica);
  EXPECT_TRUE(anywhere.query("select pg_is_in_recovery()").read_only().stream<bool>([](bool replica) {
    EXPECT_TRUE(replica);
  }));
  EXPECT_EQ(watcher().last().role, bw::node_role::replica);
  ASSERT_OK(anywhere.query("select 1").stream<std::int32_t>([](std::int32_t) {}));
  EXPECT_EQ(watcher().last().role, bw::node_role::primary) << "raw SQL may write whatever it looks like";
  const paused_replay replica_stands_still;
  ASSERT_OK(anywhere.execute("insert into tags values ('mine')"));
  ASSERT_OK(anywhere.repository<tag>().query().stream([](tag&&) {}));
  EXPECT_EQ(watcher().last().role, bw::node_role::primary) << "it reads what it wrote";
  ASSERT_OK(on_primary().repository<tag>().query().stream([](tag&&) {}));
  EXPECT_EQ(watcher().last().role, bw::node_role::primary);
}

TEST_F(stream, covers_all_of_it_with_its_deadline) {
  const auto started = std::chrono::steady_clock::now();
  auto rows = db().session({.timeout = 300ms, .consistency = bw::consistency::primary})
                  .query("select i from generate_series(1, 1000) i, pg_sleep(case when i < 100 then 0 else 0.01 end)")
                  .stream<std::int32_t>({.fetch_rows = 10});
  ASSERT_OK(rows);
  bw::result<std::optional<std::int32_t>> next = std::optional<std::int32_t>(0);
  std::size_t seen = 0;
  for (; next && next.value(); next = rows.value().next()) ++seen;
  EXPECT_ERROR(next, errc::deadline_exceeded);
  EXPECT_GE(seen, 100U);
  EXPECT_LT(std::chrono::steady_clock::now() - started, 3s);
  EXPECT_EQ(next.error().applied(), bw::applied::no);
  const auto after = rows.value().next();
  ASSERT_OK(after);
  EXPECT_FALSE(after.value()) << "after an error there are no more";
}

TEST_F(stream, ends_when_it_is_cancelled) {
  std::stop_source stop;
  const bw::session stopping = db().session({.cancel = stop.get_token()});
  const auto cancelled = stopping.query("select i, pg_sleep(0.001)::text from generate_series(1, 100000) i")
                             .read_only()
                             .stream<std::tuple<std::int32_t, std::string>>(
                                 [&](const auto& row) {
                                   if (std::get<0>(row) == 20) stop.request_stop();
                                 },
                                 {.fetch_rows = 10});
  EXPECT_ERROR(cancelled, errc::cancelled);
}

TEST_F(stream, of_joins_and_selections_gives_what_they_select) {
  const auto accounts = session.repository<account>();
  ASSERT_OK(accounts.copy_in({account{.owner = "000001", .balance = bw::numeric{"7"}}, account{.owner = "nobody"}}));
  std::vector<std::tuple<std::string, bw::numeric>> seen;
  ASSERT_OK(tags.query()
                .join<account>(bw::col<&tag::name> == bw::col<&account::owner>)
                .select(bw::col<&tag::name>, bw::col<&account::balance>)
                .stream([&seen](std::tuple<std::string, bw::numeric>&& row) { seen.push_back(std::move(row)); }));
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(std::get<1>(seen.front()), bw::numeric{"7"});
  EXPECT_EQ(tags.query().pluck<&tag::name>().stream([](const std::string&) {}).value(), 1000U);
}

TEST_F(stream, begins_behind_a_place_but_not_before_one) {
  std::vector<std::string> seen;
  ASSERT_OK(in_order(tags).after("000997").stream([&seen](tag&& each) { seen.push_back(each.name); }));
  EXPECT_EQ(seen, (std::vector<std::string>{"000998", "000999", "001000"}));
  EXPECT_ERROR(in_order(tags).before("000997").stream([](tag&&) {}), errc::invalid_argument);
  EXPECT_ERROR(bw::from<tag>().stream([](tag&&) {}), errc::invalid_argument);
  EXPECT_ERROR(bw::from<tag>().in_batches(10, [](std::span<tag>) {}), errc::invalid_argument);
}

TEST_F(stream, with_a_lock_goes_to_the_primary_and_holds_it_to_its_end) {
  auto locked =
      db().session().repository<tag>().query().order_by(bw::asc<&tag::name>).for_update().stream({.fetch_rows = 10});
  ASSERT_OK(locked);
  const auto taken = [&](const char* name) {
    return db().session()
               .transact([&](bw::transaction& tx) -> bw::result<void> {
                 BOOST_OUTCOME_TRY(tx.repository<tag>().where(bw::col<&tag::name> == name).for_update().nowait().one());
                 return bw::success();
               })
               .has_value() == false;
  };
  EXPECT_TRUE(taken("000001"));
  while (locked.value().next().value()) {
  }
  EXPECT_FALSE(taken("000001"));
  EXPECT_EQ(watcher().last().role, bw::node_role::primary);
}

// ---- raw SQL --------------------------------------------------------------------------------------------------------

TEST_F(stream, of_raw_sql_takes_values_and_any_row_type) {
  const auto numbers = session.query(
      "select i::bigint as a, :text || i as b from generate_series(:from, :to) i order "
      "by 1 -- a comment at the end",
      bw::arg("text", "'; --"), bw::arg("from", 1), bw::arg("to", 300));
  std::int64_t expected = 0;
  ASSERT_OK(numbers.stream<pair_of>([&](pair_of&& row) {
    EXPECT_EQ(row.a, ++expected);
    EXPECT_EQ(row.b, "'; --" + std::to_string(expected));
  }));
  EXPECT_EQ(expected, 300);
  EXPECT_EQ((numbers.stream<std::tuple<std::int64_t, std::string>>([](auto&&) {}).value()), 300U);
  EXPECT_ERROR(numbers.stream<std::int64_t>([](std::int64_t) {}), errc::mapping_mismatch);
  EXPECT_ERROR(session.query("select 1::bigint as a").stream<pair_of>(), errc::mapping_mismatch);
  EXPECT_ERROR(session.query("select ?::int", nullptr).stream<std::int32_t>([](std::int32_t) {}),
               errc::mapping_mismatch);
  EXPECT_EQ(open_transactions(), "0");
}

TEST_F(stream, of_raw_sql_that_is_no_select_says_what_to_do) {
  for (const char* sql :
       {"insert into tags values ('x') returning name", "delete from tags returning name", "show search_path"}) {
    const auto refused = session.query(sql).stream<std::string>();
    ASSERT_FALSE(refused) << sql;
    EXPECT_EQ(refused.error().code(), errc::invalid_argument);
    EXPECT_NE(refused.error().message().find("as<T>()"), std::string::npos) << refused.error().message();
  }
  const auto hidden = session.query("with x as (insert into tags values ('x') returning name) select name from x")
                          .stream<std::string>();
  EXPECT_ERROR(hidden, errc::invalid_statement);
  EXPECT_ERROR(session.query("select from where").stream<std::string>(), errc::invalid_statement);
  EXPECT_ERROR(session.query("select ?").stream<std::string>(), errc::invalid_argument);
  EXPECT_EQ(truth("select count(*) from tags"), "1000");
}

TEST_F(stream, of_a_function_that_writes_is_committed_at_its_end_only) {
  ASSERT_OK(
      session.execute("create or replace function tag_it(i int) returns int language sql as $$ insert into tags "
                      "values ('written ' || i); select i $$"));
  const auto writing = session.query("select tag_it(i) from generate_series(1, ?) i", 200);
  const auto written = [] { return truth("select count(*) from tags where name like 'written%'"); };
  ASSERT_OK(writing.stream<std::int32_t>([](std::int32_t i) { return i < 10; }));
  EXPECT_EQ(written(), "0");
  EXPECT_ERROR(writing.read_only().stream<std::int32_t>(), errc::read_only);
  // Also where the last fetch is a full one, or brings nothing.
  for (const int count : {0, 1, 63, 64, 65, 192, 200}) {
    const auto all = session.query("select tag_it(i) from generate_series(1, ?) i", count);
    EXPECT_EQ(all.stream<std::int32_t>([](std::int32_t) {}).value(), static_cast<std::size_t>(count));
    EXPECT_EQ(written(), std::to_string(count));
    ASSERT_OK(session.execute("delete from tags where name like 'written%'"));
    EXPECT_EQ(open_transactions(), "0");
  }
}

// ---- in transactions ------------------------------------------------------------------------------------------------

TEST_F(stream, in_a_transaction_sees_it_and_lets_other_statements_run_between) {
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    auto inside = tx.repository<tag>();
    BOOST_OUTCOME_TRY(inside.insert({.name = "000000"}));
    std::size_t seen = 0;
    BOOST_OUTCOME_TRY(in_order(inside).stream(
        [&](tag&& each) -> bw::result<void> {
          EXPECT_LT(each.name, "zzz") << "what comes after it began";
          if (seen++ % 100 == 0) {
            BOOST_OUTCOME_TRY(inside.insert({.name = "zzz " + std::to_string(seen)}));
          }
          return bw::success();
        },
        {.fetch_rows = 10}));
    EXPECT_EQ(seen, 1001U);
    // Two at once.
    BOOST_OUTCOME_TRY(auto up, in_order(inside).stream({.fetch_rows = 3}));
    BOOST_OUTCOME_TRY(auto down, inside.query().order_by(bw::desc<&tag::name>).stream({.fetch_rows = 3}));
    for (int i = 0; i < 10; ++i) {
      BOOST_OUTCOME_TRY(const auto first, up.next());
      BOOST_OUTCOME_TRY(const auto last, down.next());
      EXPECT_LT(first->name, last->name);
    }
    return bw::success();
  }));
  EXPECT_EQ(truth("select count(*) from tags"), "1012");
}

TEST_F(stream, in_a_transaction_frees_its_cursor_when_it_goes) {
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    const auto cursors = [&tx] {
      return tx.query("select count(*) from pg_cursors where name <> ''").one<std::int64_t>().value();
    };
    {
      BOOST_OUTCOME_TRY(auto some, in_order(tx.repository<tag>()).stream({.fetch_rows = 3}));
      BOOST_OUTCOME_TRY(some.next());
      EXPECT_EQ(cursors(), 1);
    }
    EXPECT_EQ(cursors(), 0);
    BOOST_OUTCOME_TRY(in_order(tx.repository<tag>()).stream([](tag&&) {}));
    EXPECT_EQ(cursors(), 0);
    return bw::success();
  }));
}

TEST_F(stream, goes_with_the_savepoint_that_it_was_begun_in) {
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(auto outer, in_order(tx.repository<tag>()).stream({.fetch_rows = 3}));
    std::optional<bw::row_stream<tag>> inner;
    std::optional<bw::row_stream<tag>> kept;
    (void)tx.transact([&](bw::transaction& nested) -> bw::result<void> {
      BOOST_OUTCOME_TRY(auto begun, in_order(nested.repository<tag>()).stream({.fetch_rows = 3}));
      inner.emplace(std::move(begun));
      return errc::validation_failed;
    });
    BOOST_OUTCOME_TRY(tx.transact([&](bw::transaction& nested) -> bw::result<void> {
      BOOST_OUTCOME_TRY(auto begun, in_order(nested.repository<tag>()).stream({.fetch_rows = 3}));
      kept.emplace(std::move(begun));
      return bw::success();
    }));
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(inner->next()) << "those it has";
    EXPECT_ERROR(inner->next(), errc::unsafe_operation);
    inner.reset();
    // Released is as if it had been begun outside.
    (void)tx.transact([](bw::transaction&) -> bw::result<void> { return errc::validation_failed; });
    for (int i = 0; i < 10; ++i) {
      EXPECT_TRUE(outer.next());
      EXPECT_TRUE(kept->next());
    }
    return bw::success();
  }));
}

TEST_F(stream, of_a_transaction_that_has_ended_is_refused) {
  std::optional<bw::row_stream<tag>> escaped;
  ASSERT_OK(session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(auto begun, in_order(tx.repository<tag>()).stream({.fetch_rows = 1}));
    escaped.emplace(std::move(begun));
    return bw::success();
  }));
  EXPECT_TRUE(escaped->next());
  EXPECT_ERROR(escaped->next(), errc::unsafe_operation);
}

TEST_F(stream, of_a_session_is_refused_while_a_transaction_of_it_runs) {
  auto begun = in_order(tags).stream({.fetch_rows = 1});
  ASSERT_OK(begun);
  ASSERT_OK(begun.value().next());
  ASSERT_OK(session.transact([&](bw::transaction&) -> bw::result<void> {
    EXPECT_ERROR(in_order(tags).stream(), errc::unsafe_operation);
    EXPECT_ERROR(begun.value().next(), errc::unsafe_operation);
    return bw::success();
  }));
}

// ---- batches --------------------------------------------------------------------------------------------------------

TEST_F(stream, in_batches_meets_every_row_once) {
  std::vector<std::size_t> sizes;
  std::vector<std::string> seen;
  const auto count = tags.where(bw::col<&tag::name> > "000100").in_batches(400, [&](std::span<tag> batch) {
    sizes.push_back(batch.size());
    for (tag& each : batch) seen.push_back(std::exchange(each.name, "changed"));
  });
  ASSERT_OK(count);
  EXPECT_EQ(count.value(), 900U);
  EXPECT_EQ(sizes, (std::vector<std::size_t>{400, 400, 100}));
  EXPECT_TRUE(std::ranges::is_sorted(seen));
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 900U);
  EXPECT_EQ(watcher().operations().size(), 3U) << "a statement each";
  EXPECT_EQ(watcher().last().statement, "tags.in_batches");
  EXPECT_EQ(open_transactions(), "0");
}

TEST_F(stream, in_batches_goes_on_while_rows_change) {
  std::size_t batches = 0;
  std::size_t seen = 0;
  ASSERT_OK(tags.query().in_batches(100, [&](std::span<tag> batch) -> bw::result<void> {
    seen += batch.size();
    ++batches;
    // All of it goes, as well as half of what comes next.
    for (const tag& each : batch) {
      BOOST_OUTCOME_TRY(tags.remove(each.name));
    }
    if (batches == 1) {
      BOOST_OUTCOME_TRY(session.execute("delete from tags where name between '000101' and '000150'"));
    }
    return bw::success();
  }));
  EXPECT_EQ(seen, 950U);
  EXPECT_EQ(truth("select count(*) from tags"), "0");
}

TEST_F(stream, in_batches_goes_by_a_composite_key) {
  const auto lines = session.repository<line>();
  std::vector<line> all;
  for (std::int64_t order = 0; order < 5; ++order) {
    for (std::int32_t number = -3; number < 4; ++number) {
      all.push_back({.order_id = order, .number = number, .product = "p"});
    }
  }
  ASSERT_OK(lines.copy_in(all));
  std::vector<std::pair<std::int64_t, std::int32_t>> seen;
  ASSERT_OK(lines.where(bw::col<&line::number> != 0 || bw::col<&line::order_id> == 0)
                .in_batches(4, [&seen](std::span<line> batch) {
                  for (const line& each : batch) seen.emplace_back(each.order_id, each.number);
                }));
  EXPECT_EQ(seen.size(), 31U);
  EXPECT_TRUE(std::ranges::is_sorted(seen));
}

TEST_F(stream, in_batches_ends_when_told_to) {
  std::size_t batches = 0;
  EXPECT_EQ(tags.query().in_batches(100, [&](std::span<tag>) { return ++batches < 3; }).value(), 300U);
  EXPECT_EQ(batches, 3U);
  EXPECT_ERROR(tags.query().in_batches(100, [](std::span<tag>) -> bw::result<void> { return errc::validation_failed; }),
               errc::validation_failed);
  EXPECT_EQ(tags.where(bw::col<&tag::name> == "absent").in_batches(10, [](std::span<tag>) { FAIL(); }).value(), 0U);
}

TEST_F(stream, in_batches_of_an_ordered_or_bounded_query_is_refused) {
  const auto nothing = [](std::span<tag>) {};
  EXPECT_ERROR(in_order(tags).in_batches(10, nothing), errc::invalid_argument);
  EXPECT_ERROR(tags.query().limit(5).in_batches(10, nothing), errc::invalid_argument);
  EXPECT_ERROR(tags.query().offset(5).in_batches(10, nothing), errc::invalid_argument);
  EXPECT_ERROR(tags.query().in_batches(0, nothing), errc::invalid_argument);
  EXPECT_TRUE(watcher().operations().empty());
}

TEST(stream_from_a_lost_replica, goes_on_at_the_primary) {
  auto started = bw::testing::cluster::start({.replicas = 1});
  ASSERT_OK(started);
  bw::testing::cluster& cluster = started.value();
  const auto watcher = std::make_shared<recorder>();
  bw::config config;
  const way_to way(cluster);
  way.lead(config);
  config.observer = watcher;
  const auto opened = bw::database::open(config);
  ASSERT_OK(opened);
  const bw::database& db = opened.value();
  ASSERT_OK(db.session().execute("create table tags (name text primary key)"));
  ASSERT_OK(db.session().repository<tag>().copy_in({tag{.name = "here"}}));
  ASSERT_OK(cluster.wait_for_replay(cluster.replica(0)));
  EXPECT_EQ(db.session().repository<tag>().query().stream([](tag&&) {}).value(), 1U);
  EXPECT_EQ(watcher->last().role, bw::node_role::replica);
  ASSERT_OK(cluster.kill(cluster.replica(0)));
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(db.session().repository<tag>().query().stream([](tag&&) {}).value(), 1U);
    EXPECT_EQ(watcher->last().role, bw::node_role::primary);
    EXPECT_EQ(db.session().repository<tag>().copy_out([](tag&&) {}).value(), 1U);
    EXPECT_EQ(watcher->last().role, bw::node_role::primary);
  }
}

}  // namespace
}  // namespace tests
