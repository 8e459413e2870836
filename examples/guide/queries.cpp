// Queries over one entity: docs/guide/queries.md.

#include "guide.hpp"

#include <vector>

using guide::expect;

struct Book {
  std::int64_t id{};
  std::string title{};
  std::string author{};
  std::optional<std::int32_t> year{};
  std::int32_t copies{};
};

template <>
inline constexpr auto breakwater::mapping<Book> = bw::table("books", bw::column<&Book::id>("id", bw::primary_key),
                                                            bw::column<&Book::title>("title"),
                                                            bw::column<&Book::author>("author", bw::sensitive),
                                                            bw::column<&Book::year>("year"),
                                                            bw::column<&Book::copies>("copies"));

// [search]
struct SearchForm {
  std::optional<std::string> words{};
  std::vector<std::string> authors{};
  std::optional<int> newer_than{};
};

bw::condition<Book> matching(const SearchForm& form) {
  bw::condition<Book> wanted;  // matches all
  if (form.words) wanted = wanted && bw::col<&Book::title>.ilike("%" + *form.words + "%");
  if (!form.authors.empty()) wanted = wanted && bw::col<&Book::author>.in(form.authors);
  if (form.newer_than) wanted = wanted && bw::col<&Book::year> > *form.newer_than;
  return wanted;
}
// [/search]

bw::result<void> topic(const bw::database& db) {
  bw::session session = db.session();
  BOOST_OUTCOME_TRY(guide::prepare(session, {"drop table if exists books",
                                             "create table books (id bigint primary key, title text not null,"
                                             " author text not null, year int, copies int not null)"}));
  auto books = session.repository<Book>();
  for (const Book& each : {Book{1, "Emma", "austen", 1815, 2}, Book{2, "Persuasion", "austen", 1817, 0},
                           Book{3, "Beowulf", "unknown", std::nullopt, 1}}) {
    BOOST_OUTCOME_TRY(books.insert(each));
  }

  // [query]
  BOOST_OUTCOME_TRY(const std::vector<Book> found,
                    books.where(bw::col<&Book::author> == "austen" && bw::col<&Book::copies> >= 0)
                        .order_by(bw::desc<&Book::year>, bw::asc<&Book::id>)
                        .limit(20)
                        .all());
  expect(found.size() == 2 && found[0].title == "Persuasion");

  BOOST_OUTCOME_TRY(const auto oldest, books.query().order_by(bw::asc<&Book::year>).first());
  expect(oldest && oldest->title == "Emma");
  BOOST_OUTCOME_TRY(const Book emma, books.where(bw::col<&Book::title> == "Emma").one());
  expect(emma.id == 1);  // no such row: not_found; two of them: too_many_rows
  BOOST_OUTCOME_TRY(const auto lent_out, books.where(bw::col<&Book::copies> == 0).count());
  expect(lent_out == 1);
  // [/query]

  // [null]
  BOOST_OUTCOME_TRY(const auto not_1815, books.where(bw::col<&Book::year> != 1815).count());
  expect(not_1815 == 1);  // SQL: NULL is neither equal nor unequal, so "Beowulf" is not counted
  BOOST_OUTCOME_TRY(const auto undated, books.where(bw::col<&Book::year> == std::nullopt).count());
  expect(undated == 1);  // becomes IS NULL
  const std::vector<std::int64_t> none;
  BOOST_OUTCOME_TRY(const auto in_none, books.where(bw::col<&Book::id>.in(none)).count());
  expect(in_none == 0);  // an empty list matches nothing
  // [/null]

  // [to_sql]
  const auto query = books.where(matching({.words = "ers", .authors = {"austen"}}));
  const std::string sql = query.to_sql();
  expect(sql.find(R"("books"."title" ilike $1 and "books"."author" = any($2))") != std::string::npos);
  // With the values, for people to read; those of sensitive columns show as '***'.
  const std::string shown = query.to_sql(bw::with_values);
  expect(shown.find(R"("books"."title" ilike '%ers%' and "books"."author" = any('***'))") != std::string::npos);
  BOOST_OUTCOME_TRY(const auto hits, query.all());
  expect(hits.size() == 1);
  // [/to_sql]

  // [bulk]
  BOOST_OUTCOME_TRY(const std::size_t changed,
                    books.where(bw::col<&Book::author> == "austen").update_all(bw::set<&Book::copies>(5)));
  expect(changed == 2);
  const auto everything = books.where(matching({})).delete_all();
  // No condition, and nobody said that it is meant:
  expect(everything.error() == bw::errc::unsafe_operation);
  BOOST_OUTCOME_TRY(const std::size_t gone, books.query().every_row().delete_all());
  expect(gone == 3);
  // [/bulk]
  return bw::success();
}

int main() { return guide::run(topic); }
