// Queries over several tables, groups, pages and locks: docs/guide/queries.md.

#include "guide.hpp"

#include <tuple>
#include <vector>

using guide::expect;

// [entities]
struct Author {
  std::int64_t id{};
  std::string name{};
  std::optional<std::int64_t> mentor_id{};
  std::optional<bw::timestamptz> deleted_at{};
};

struct Novel {
  std::int64_t id{};
  std::int64_t author_id{};
  std::string title{};
  std::int32_t sold{};
  bw::json labels{};
  bw::timestamptz created_at{};
};
// [/entities]

template <>
inline constexpr auto breakwater::mapping<Author> = bw::table(
    "authors", bw::column<&Author::id>("id", bw::primary_key), bw::column<&Author::name>("name"),
    bw::column<&Author::mentor_id>("mentor_id"), bw::column<&Author::deleted_at>("deleted_at", bw::soft_delete));

template <>
inline constexpr auto breakwater::mapping<Novel> =
    bw::table("novels", bw::column<&Novel::id>("id", bw::primary_key), bw::column<&Novel::author_id>("author_id"),
              bw::column<&Novel::title>("title"), bw::column<&Novel::sold>("sold"),
              bw::column<&Novel::labels>("labels"), bw::column<&Novel::created_at>("created_at", bw::created_at));

// [report]
struct Sales {
  std::string author{};
  std::int64_t novels{};
  std::int64_t sold{};
};

bw::result<std::vector<Sales>> best_sellers(const bw::session& session, std::int64_t at_least) {
  return session.repository<Author>()
      .query()
      .join<Novel>(bw::col<&Novel::author_id> == bw::col<&Author::id>)
      .select<Sales>(bw::col<&Author::name>, bw::count(), bw::sum(bw::col<&Novel::sold>))
      .group_by(bw::col<&Author::id>, bw::col<&Author::name>)
      .having(bw::sum(bw::col<&Novel::sold>) >= at_least)
      .order_by(bw::descending(bw::sum(bw::col<&Novel::sold>)))
      .all();
}
// [/report]

// [scope]
// Any function from a query to a query.
constexpr auto popular = [](auto query, int least) { return query.where(bw::col<&Novel::sold> >= least); };
// [/scope]

bw::result<void> topic(const bw::database& db) {
  bw::session session = db.session({.consistency = bw::consistency::primary});
  BOOST_OUTCOME_TRY(guide::prepare(
      session, {"drop table if exists authors, novels",
                "create table authors (id bigint primary key, name text not null, mentor_id bigint,"
                " deleted_at timestamptz)",
                "create table novels (id bigint primary key, author_id bigint not null, title text not null,"
                " sold int not null, labels jsonb not null, created_at timestamptz not null)",
                "insert into authors values (1, 'austen', null, null), (2, 'bronte', 1, null), (3, 'eliot', 1, null)",
                "insert into novels values (1, 1, 'Emma', 30, '{\"lang\": \"en\"}', '2026-01-01 10:00+00'),"
                " (2, 1, 'Persuasion', 20, '{}', '2026-01-01 20:00+00'),"
                " (3, 2, 'Villette', 10, '{}', '2026-01-02 00:00+00'),"
                " (4, 2, 'Shirley', 10, '{}', '2026-01-03 00:00+00')"}));
  auto authors = session.repository<Author>();
  auto novels = session.repository<Novel>();

  BOOST_OUTCOME_TRY(const auto sales, best_sellers(session, 15));
  expect(sales.size() == 2 && sales[0].author == "austen" && sales[0].sold == 50);

  // [outer_join]
  BOOST_OUTCOME_TRY(const auto pairs, authors.query()
                                          .left_join<Novel>(bw::col<&Novel::author_id> == bw::col<&Author::id>)
                                          .order_by(bw::asc<&Author::id>, bw::asc<&Novel::id>)
                                          .select(bw::row_of<Author>, bw::row_of<Novel>)
                                          .all());
  const std::tuple<Author, std::optional<Novel>>& last = pairs.back();
  expect(std::get<0>(last).name == "eliot" && !std::get<1>(last));  // she is kept, without a novel
  // [/outer_join]

  // [alias]
  BOOST_OUTCOME_TRY(const auto taught,
                    authors.query()
                        .join<Author, "mentor">(bw::col<&Author::mentor_id> == bw::col<&Author::id, "mentor">)
                        .where(bw::col<&Author::name, "mentor"> == "austen")
                        .order_by(bw::asc<&Author::name>)
                        .all());  // entities of the first table
  expect(taught.size() == 2 && taught[0].name == "bronte");
  // [/alias]

  // [projection]
  BOOST_OUTCOME_TRY(const std::vector<std::string> titles,
                    novels.query().order_by(bw::asc<&Novel::title>).pluck<&Novel::title>().all());
  expect(titles.front() == "Emma");
  BOOST_OUTCOME_TRY(const std::optional<std::int64_t> sold, novels.query().sum<&Novel::sold>());
  expect(sold == 70);  // of no rows it were NULL, hence the optional
  BOOST_OUTCOME_TRY(const auto doubled,
                    novels.where(bw::col<&Novel::id> == 1)
                        .select(bw::upper(bw::col<&Novel::title>), bw::col<&Novel::sold> * 2,
                                bw::sql<bw::date>("(? at time zone 'utc')::date", bw::col<&Novel::created_at>))
                        .one());
  expect(doubled == std::tuple{std::string("EMMA"), 60, bw::date{"2026-01-01"}});
  // [/projection]

  // [sub_query]
  const auto writers = novels.where(bw::col<&Novel::sold> > 15).select(bw::col<&Novel::author_id>);
  BOOST_OUTCOME_TRY(const auto wrote, authors.where(bw::col<&Author::id>.in(writers)).count());
  expect(wrote == 1);
  // One that looks at the row around it:
  const auto own = bw::from<Novel>().outer<Author>().where(bw::col<&Novel::author_id> == bw::col<&Author::id>);
  BOOST_OUTCOME_TRY(const auto idle, authors.where(!bw::exists(own)).one());
  expect(idle.name == "eliot");
  // [/sub_query]

  // [json]
  BOOST_OUTCOME_TRY(const auto in_english,
                    novels.where(bw::json_text(bw::col<&Novel::labels>, "lang") == "en").pluck<&Novel::title>().all());
  expect(in_english == std::vector<std::string>{"Emma"});
  // [/json]

  // [days]
  BOOST_OUTCOME_TRY(const auto first_day, novels.query().on_date(bw::date{"2026-01-01"}).count());
  expect(first_day == 2);
  BOOST_OUTCOME_TRY(const auto two_days,
                    novels.query().created_between(bw::date{"2026-01-01"}, bw::date{"2026-01-03"}).count());
  expect(two_days == 3);  // up to that day's midnight, and without it
  BOOST_OUTCOME_TRY(const auto top, novels.query().scope(popular, 20).count());
  expect(top == 2);
  // [/days]

  // [keyset]
  const auto by_sales = novels.query().order_by(bw::desc<&Novel::sold>);
  BOOST_OUTCOME_TRY(const bw::page<Novel> first, by_sales.page(3));
  expect(first.items.size() == 3 && first.items[2].title == "Villette");
  // The cursor goes to the client as it is, and comes back with its next request.
  BOOST_OUTCOME_TRY(const bw::page<Novel> second, by_sales.after(first.next_cursor).page(3));
  expect(second.items[0].title == "Shirley" && second.next_cursor.empty());
  BOOST_OUTCOME_TRY(const bw::page<Novel> back, by_sales.before(second.previous_cursor).page(3));
  expect(back.items[0].title == "Emma");
  // Or by values: those of the order, then the key's.
  BOOST_OUTCOME_TRY(const auto behind, by_sales.after(10, 3).all());
  expect(behind.size() == 1 && behind[0].title == "Shirley");
  // [/keyset]

  // [numbered]
  BOOST_OUTCOME_TRY(const bw::page<Novel> page, by_sales.page(2, 3));  // the second one of three rows each
  expect(page.items.size() == 1 && page.total == 4 && page.page_count() == 2);
  // [/numbered]

  // [increment]
  BOOST_OUTCOME_TRY(
      const std::size_t raised,
      novels.where(bw::col<&Novel::author_id> == 2).update_all(bw::set<&Novel::sold>(bw::col<&Novel::sold> + 1)));
  expect(raised == 2);
  // [/increment]

  // [queue]
  BOOST_OUTCOME_TRY(session.transact([](bw::transaction& tx) -> bw::result<void> {
    auto jobs = tx.repository<Novel>();
    // What other workers have taken is passed over; these are ours until the transaction ends.
    BOOST_OUTCOME_TRY(const auto mine,
                      jobs.query().order_by(bw::asc<&Novel::id>).limit(2).for_update().skip_locked().all());
    expect(mine.size() == 2);
    return bw::success();
  }));
  // [/queue]

  // [explain]
  BOOST_OUTCOME_TRY(const std::string plan, by_sales.explain());
  expect(plan.find("novels") != std::string::npos);
  // [/explain]
  return bw::success();
}

int main() { return guide::run(topic); }
