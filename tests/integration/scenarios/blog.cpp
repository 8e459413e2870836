#include "blog.hpp"

namespace scenarios {

void blog_scenario::SetUpTestSuite() {
  // Each statement is several literals.
  // NOLINTBEGIN(bugprone-suspicious-missing-comma)
  static constexpr std::string_view statements[] = {
      "drop table if exists authors, posts, biographies, tags, post_tags, comments",
      "create table authors (id bigint primary key, name text not null, email text not null, mentor_id bigint,"
      " deleted_at timestamptz)",
      "create table posts (id bigint primary key, author_id bigint not null, title text not null, score int not null,"
      " rank int, created_at timestamptz not null, deleted_at timestamptz)",
      "create table biographies (author_id bigint primary key, text text not null)",
      "create table tags (name text primary key)",
      "create table post_tags (post_id bigint, tag text, primary key (post_id, tag))",
      "create table comments (id bigint primary key, owner_type text not null, owner_id bigint not null,"
      " text text not null)"};
  // NOLINTEND(bugprone-suspicious-missing-comma)
  open(statements);
}

void blog_scenario::SetUp() {
  behind_the_back(
      "truncate authors, posts, biographies, tags, post_tags, comments;"
      "insert into authors values (1, 'ada', 'ada@secret', null, null), (2, 'bob', 'bob@secret', 1, null),"
      " (3, 'cid', 'cid@secret', 1, null), (4, 'dan', 'dan@secret', 1, now());"
      "insert into posts select id, author, 'p' || id, 10 * id, rank, at, gone from (values"
      " (1, 1, 1, timestamptz '2026-03-01 00:00+00', null::timestamptz), (2, 1, 1, '2026-03-01 23:59:59.999999+00', "
      "null),"
      " (3, 2, 1, '2026-03-02 00:00+00', null), (4, 2, 2, '2026-03-02 12:00+00', null),"
      " (5, 4, 2, '2026-03-03 00:00+00', null), (6, 77, null, '2026-04-01 00:00+00', null),"
      " (7, 77, null, '2026-04-01 00:00+00', null), (8, 77, 3, '2026-04-01 00:00+00', null),"
      " (9, 77, 3, '2026-04-01 00:00+00', null), (10, 77, 4, '2026-04-01 00:00+00', null),"
      " (11, 1, 1, '2026-03-01 12:00+00', now())) p (id, author, rank, at, gone);"
      "insert into biographies values (1, 'of ada');"
      "insert into tags values ('gift'), ('rush'), ('unused');"
      "insert into post_tags values (1, 'gift'), (1, 'rush'), (2, 'gift'), (11, 'rush');"
      "insert into comments values (1, 'post', 1, 'c1'), (2, 'post', 1, 'c2'), (3, 'author', 1, 'c3'),"
      " (4, 'post', 4, 'c4'), (5, 'author', 2, 'c5')");
  (void)sent();
}

}  // namespace scenarios
