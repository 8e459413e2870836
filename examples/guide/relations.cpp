// Relations between mapped entities: docs/guide/relations.md.

#include "guide.hpp"

#include <vector>

using guide::expect;

// [entities]
struct Entry;
struct Profile;

struct Account {
  std::int64_t id{};
  std::string owner{};
  bw::many<Entry> entries{};
  bw::one<Profile> profile{};
};

struct Tag {
  std::string name{};
};

struct Entry {
  std::int64_t id{};
  std::int64_t account_id{};
  std::string text{};
  std::optional<bw::timestamptz> deleted_at{};
  bw::one<Account> account{};
  bw::many<Tag> tags{};
};

struct EntryTag {
  std::int64_t entry_id{};
  std::string tag{};
};

struct Profile {
  std::int64_t account_id{};
  std::string city{};
};
// [/entities]

// [mappings]
template <>
inline constexpr auto breakwater::mapping<Account> = bw::table(
    "accounts", bw::column<&Account::id>("id", bw::primary_key, bw::generated), bw::column<&Account::owner>("owner"),
    // the entries whose account_id is this account's key, the newest first
    bw::has_many<&Account::entries, &Entry::account_id>(bw::order_by_desc<&Entry::id>()),
    // the profile whose account_id is this account's key
    bw::has_one<&Account::profile, &Profile::account_id>());

template <>
inline constexpr auto breakwater::mapping<Entry> =
    bw::table("entries", bw::column<&Entry::id>("id", bw::primary_key, bw::generated),
              bw::column<&Entry::account_id>("account_id"), bw::column<&Entry::text>("text"),
              bw::column<&Entry::deleted_at>("deleted_at", bw::soft_delete),
              // the account whose key is this entry's account_id
              bw::belongs_to<&Entry::account, &Entry::account_id>(),
              // the tags that entry_tags links to this entry
              bw::many_to_many<&Entry::tags, &EntryTag::entry_id, &EntryTag::tag>());

template <>
inline constexpr auto breakwater::mapping<Tag> = bw::table("tags", bw::column<&Tag::name>("name", bw::primary_key));

template <>
inline constexpr auto breakwater::mapping<EntryTag> = bw::table("entry_tags",
                                                                bw::column<&EntryTag::entry_id>("entry_id",
                                                                                                bw::primary_key),
                                                                bw::column<&EntryTag::tag>("tag", bw::primary_key));

template <>
inline constexpr auto breakwater::mapping<Profile> = bw::table(
    "profiles", bw::column<&Profile::account_id>("account_id", bw::primary_key), bw::column<&Profile::city>("city"));
// [/mappings]

// [polymorphic]
struct Comment;

struct Post {
  std::int64_t id{};
  bw::many<Comment> comments{};
};

struct Photo {
  std::int64_t id{};
  bw::many<Comment> comments{};
};

struct Comment {
  std::int64_t id{};
  std::string owner_type{};  // "post" or "photo"
  std::int64_t owner_id{};   // the key of one of them
  bw::one<Post> post{};
  bw::one<Photo> photo{};
};

template <>
inline constexpr auto breakwater::mapping<Post> =
    bw::table("posts", bw::column<&Post::id>("id", bw::primary_key),
              bw::has_many<&Post::comments, &Comment::owner_id>(bw::polymorphic<&Comment::owner_type>("post")));

template <>
inline constexpr auto breakwater::mapping<Photo> =
    bw::table("photos", bw::column<&Photo::id>("id", bw::primary_key),
              bw::has_many<&Photo::comments, &Comment::owner_id>(bw::polymorphic<&Comment::owner_type>("photo")));

template <>
inline constexpr auto breakwater::mapping<Comment> =
    bw::table("comments", bw::column<&Comment::id>("id", bw::primary_key, bw::generated),
              bw::column<&Comment::owner_type>("owner_type"), bw::column<&Comment::owner_id>("owner_id"),
              bw::belongs_to<&Comment::post, &Comment::owner_id>(bw::polymorphic<&Comment::owner_type>("post")),
              bw::belongs_to<&Comment::photo, &Comment::owner_id>(bw::polymorphic<&Comment::owner_type>("photo")));
// [/polymorphic]

bw::result<void> make_tables(const bw::session& session) {
  return guide::prepare(
      session, {"drop table if exists accounts, entries, tags, entry_tags, profiles, posts, photos, comments",
                "create table accounts (id bigint generated always as identity primary key, owner text not null)",
                ("create table entries (id bigint generated always as identity primary key,"
                 " account_id bigint not null references accounts, text text not null, deleted_at timestamptz)"),
                "create index on entries (account_id)", "create table tags (name text primary key)",
                ("create table entry_tags (entry_id bigint references entries, tag text references tags,"
                 " primary key (entry_id, tag))"),
                "create table profiles (account_id bigint primary key references accounts, city text not null)",
                "create table posts (id bigint primary key)", "create table photos (id bigint primary key)",
                ("create table comments (id bigint generated always as identity primary key,"
                 " owner_type text not null, owner_id bigint not null)"),
                "insert into accounts (owner) values ('ada'), ('bob')", "insert into profiles values (1, 'London')",
                "insert into entries (account_id, text) values (1, 'tea'), (1, 'jam'), (2, 'oil')",
                "insert into tags values ('food'), ('gift')", "insert into entry_tags values (1, 'food'), (2, 'food')",
                "insert into posts values (1)", "insert into photos values (1)",
                "insert into comments (owner_type, owner_id) values ('post', 1), ('photo', 1), ('post', 1)"});
}

bw::result<void> eager(const bw::session& session) {
  auto accounts = session.repository<Account>();
  // [include]
  BOOST_OUTCOME_TRY(const std::vector<Account> found, accounts.query()
                                                          .order_by(bw::asc<&Account::id>)
                                                          .include<&Account::profile>()
                                                          .include<&Account::entries, &Entry::tags>()
                                                          .all());
  // Four statements, whether there are two accounts or two thousand:
  // accounts.select, accounts.profile, accounts.entries, entries.tags
  const Account& ada = found[0];
  expect(ada.profile && ada.profile->city == "London");
  for (const Entry& entry : ada.entries) expect(entry.tags[0].name == "food");

  const Account& bob = found[1];
  expect(bob.profile.loaded() && !bob.profile);  // looked for, and there is none
  expect(bob.entries.size() == 1 && bob.entries[0].tags.empty());
  expect(!bob.entries[0].account.loaded());  // not asked for
  // [/include]
  return bw::success();
}

bw::result<void> lazy(bw::session& session) {
  auto accounts = session.repository<Account>();
  auto entries = session.repository<Entry>();
  // [load]
  BOOST_OUTCOME_TRY(Account ada, accounts.get(1));
  expect(!ada.entries.loaded() && ada.entries.empty());
  BOOST_OUTCOME_TRY(accounts.load<&Account::entries>(ada));  // of one row,
  expect(ada.entries.size() == 2 && ada.entries[0].text == "jam");
  BOOST_OUTCOME_TRY(entries.load<&Entry::tags>(ada.entries));  // of many with one statement,
  BOOST_OUTCOME_TRY(std::vector<Account> all, accounts.query().all());
  BOOST_OUTCOME_TRYV(accounts.load<&Account::entries, &Entry::account>(all));  // and along a path
  expect(all[0].entries[0].account->owner == "ada");
  // [/load]

  // [transaction]
  BOOST_OUTCOME_TRY(session.transact(
      [](bw::transaction& tx) -> bw::result<void> {
        BOOST_OUTCOME_TRY(const auto seen, tx.repository<Account>().query().include<&Account::entries>().all());
        expect(seen.size() == 2);
        return bw::success();
      },
      {.isolation = bw::isolation::repeatable_read}));  // rows and related rows of one moment
  // [/transaction]
  return bw::success();
}

bw::result<void> trash(const bw::session& session) {
  auto accounts = session.repository<Account>();
  // [trash]
  BOOST_OUTCOME_TRY(session.repository<Entry>().remove(2));  // into the trash
  BOOST_OUTCOME_TRY(Account ada, accounts.get(1));
  BOOST_OUTCOME_TRY(accounts.load<&Account::entries>(ada));
  expect(ada.entries.size() == 1);
  BOOST_OUTCOME_TRYV(accounts.load<&Account::entries>(ada, bw::with_trashed));
  expect(ada.entries.size() == 2);
  BOOST_OUTCOME_TRY(ada, accounts.where(bw::col<&Account::id> == 1).include<&Account::entries>(bw::with_trashed).one());
  expect(ada.entries.size() == 2);
  // [/trash]
  return bw::success();
}

bw::result<void> change(const bw::session& session) {
  auto accounts = session.repository<Account>();
  // [change]
  BOOST_OUTCOME_TRY(Account ada,
                    accounts.where(bw::col<&Account::id> == 1).include<&Account::entries, &Entry::account>().one());
  ada.entries[0].text = "green tea";  // many owns its rows
  BOOST_OUTCOME_TRY(session.repository<Entry>().update(ada.entries[0]));

  Account owner = *ada.entries[0].account;  // one shares its row: copy it out
  owner.owner = "ada l.";
  BOOST_OUTCOME_TRY(owner, accounts.update(owner));
  expect(!owner.entries.loaded());  // a write returns the row as it is stored
  // [/change]
  return bw::success();
}

bw::result<void> polymorphic(const bw::session& session) {
  // [polymorphic_load]
  BOOST_OUTCOME_TRY(const Post post, session.repository<Post>().query().include<&Post::comments>().one());
  expect(post.comments.size() == 2);

  BOOST_OUTCOME_TRY(const std::vector<Comment> comments, session.repository<Comment>()
                                                             .query()
                                                             .order_by(bw::asc<&Comment::id>)
                                                             .include<&Comment::post>()
                                                             .include<&Comment::photo>()
                                                             .all());
  expect(comments[0].post && !comments[0].photo);
  expect(!comments[1].post && comments[1].photo);
  // [/polymorphic_load]
  return bw::success();
}

bw::result<void> topic(const bw::database& db) {
  bw::session session = db.session({.consistency = bw::consistency::primary});
  BOOST_OUTCOME_TRY(make_tables(session));
  BOOST_OUTCOME_TRY(eager(session));
  BOOST_OUTCOME_TRY(lazy(session));
  BOOST_OUTCOME_TRY(trash(session));
  BOOST_OUTCOME_TRY(change(session));
  return polymorphic(session);
}

int main() { return guide::run(topic); }
