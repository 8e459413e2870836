// Many rows at once, rows that may be there already, rows by other columns: docs/guide/writing.md.

#include "guide.hpp"

#include <vector>

using guide::expect;

// [entity]
struct Member {
  std::int64_t id{};
  std::string email{};
  std::string name{};
  std::int32_t visits{};
  std::int32_t version{};
  std::optional<bw::timestamptz> deleted_at{};
};

template <>
inline constexpr auto breakwater::mapping<Member> = bw::table(
    "members", bw::column<&Member::id>("id", bw::primary_key, bw::generated), bw::column<&Member::email>("email"),
    bw::column<&Member::name>("name"), bw::column<&Member::visits>("visits"),
    bw::column<&Member::version>("version", bw::version),
    bw::column<&Member::deleted_at>("deleted_at", bw::soft_delete), bw::unique_on<&Member::email>("one_member_each"),
    bw::index_on<&Member::name, &Member::visits>("by_name"));
// [/entity]

bw::result<void> topic(const bw::database& db) {
  const bw::session session = db.session();
  BOOST_OUTCOME_TRY(
      guide::prepare(session, {"drop table if exists members",
                               "create table members (id bigint generated always as identity primary key,"
                               " email text not null, name text not null, visits int not null, version int not null,"
                               " deleted_at timestamptz)",
                               "create unique index one_member_each on members (email) where deleted_at is null"}));
  const auto members = session.repository<Member>();

  // [insert_many]
  const std::vector<Member> joined{{.email = "ada@example.org", .name = "Ada"},
                                   {.email = "grace@example.org", .name = "Grace"}};
  BOOST_OUTCOME_TRY(const auto stored, members.insert_many(joined));  // a vector, a span, or a list in braces
  expect(stored.size() == 2 && stored[0].name == "Ada" && stored[0].id > 0);

  const auto twice = members.insert_many({{.email = "eve@example.org", .name = "Eve"}, stored[0]});
  expect(twice.error() == bw::errc::unique_violation);
  BOOST_OUTCOME_TRY(const auto count, members.count());
  expect(count == 2);  // Eve is not there either
  // [/insert_many]

  // [upsert]
  constexpr auto by_email = bw::conflict<&Member::email>;
  BOOST_OUTCOME_TRY(const auto ada, members.upsert({.email = "ada@example.org", .name = "Ada L."}, by_email));
  expect(!ada.inserted && ada.row.name == "Ada L." && ada.row.version == 2);

  // Of a row that is there, only these columns:
  BOOST_OUTCOME_TRY(const auto grace, members.upsert({.email = "grace@example.org", .name = "?", .visits = 7}, by_email,
                                                     bw::update<&Member::visits>));
  expect(grace.row.name == "Grace" && grace.row.visits == 7);

  // Or what the server makes of the row as it is:
  BOOST_OUTCOME_TRY(const auto again, members.upsert({.email = "grace@example.org", .name = "?", .visits = 1}, by_email,
                                                     bw::set<&Member::visits>(bw::col<&Member::visits> + 1)));
  expect(again.row.visits == 8);

  // Or nothing; the answer is empty when there was one:
  BOOST_OUTCOME_TRY(const std::optional<Member> fresh,
                    members.upsert({.email = "ada@example.org", .name = "?"}, by_email, bw::do_nothing));
  expect(!fresh);
  // [/upsert]

  // [find_or_insert]
  BOOST_OUTCOME_TRY(const auto eve, members.find_or_insert({.email = "eve@example.org", .name = "Eve"}, by_email));
  expect(eve.inserted);
  BOOST_OUTCOME_TRY(const auto same, members.find_or_insert({.email = "eve@example.org", .name = "?"}, by_email));
  expect(!same.inserted && same.row.name == "Eve");
  // [/find_or_insert]

  // [finders]
  BOOST_OUTCOME_TRY(const std::optional<Member> found, members.find_by<&Member::email>("ada@example.org"));
  expect(found && found->name == "Ada L.");
  BOOST_OUTCOME_TRY(const Member got, (members.get_by<&Member::name, &Member::visits>("Eve", 0)));
  BOOST_OUTCOME_TRY(const std::vector<Member> idle, members.find_all_by<&Member::visits>(0));
  expect(idle.size() == 2);
  expect(members.find_by<&Member::visits>(0).error() == bw::errc::too_many_rows);

  const std::vector<std::int64_t> keys{got.id, -1, found->id};
  BOOST_OUTCOME_TRY(const auto some, members.get_many(keys));  // in this order; what is not there is left out
  expect(some.size() == 2 && some[0].name == "Eve" && some[1].name == "Ada L.");
  // [/finders]

  // [as_read]
  BOOST_OUTCOME_TRY(members.remove(*found));  // only in the version that was read
  BOOST_OUTCOME_TRY(const Member trashed, members.only_trashed().one());
  expect(members.restore(*found).error() == bw::errc::stale_version);  // removing it raised the version
  BOOST_OUTCOME_TRY(members.restore(trashed));
  // [/as_read]

  // [bulk]
  expect(members.query().delete_all().error() == bw::errc::unsafe_operation);  // every row? say every_row()
  const auto idle_ones = members.where(bw::col<&Member::visits> == 0);
  BOOST_OUTCOME_TRY(const auto greeted,
                    idle_ones.update_all_returning(bw::set<&Member::name>("dear " + std::string("guest"))));
  expect(greeted.size() == 2 && greeted[0].name == "dear guest");
  BOOST_OUTCOME_TRY(const auto removed, idle_ones.delete_all());
  BOOST_OUTCOME_TRY(const auto purged, members.only_trashed().every_row().purge_all());
  expect(removed == 2 && purged == 2);
  // [/bulk]
  return bw::success();
}

int main() { return guide::run(topic); }
