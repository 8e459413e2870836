// database.verify: every difference between mappings and schema, in one report.

#include "support.hpp"

#include <optional>
#include <string>

namespace tests {
namespace {

struct firm {
  std::int64_t id{};
  std::string name{};
};

struct employee {
  std::int64_t id{};
  std::int64_t firm_id{};
  std::string email{};
  std::string nick{};
  std::int32_t version{};
  std::optional<bw::timestamptz> created_at{};
  std::optional<std::string> updated_at{};
  std::optional<bw::timestamptz> deleted_at{};
};

/// Found by two columns.
struct membership {
  std::int64_t firm_id{};
  std::int64_t employee_id{};
};

}  // namespace
}  // namespace tests

template <>
inline constexpr auto breakwater::mapping<tests::firm> = bw::table("firms",
                                                                   bw::column<&tests::firm::id>("id", bw::primary_key,
                                                                                                bw::generated),
                                                                   bw::column<&tests::firm::name>("name"));

template <>
inline constexpr auto breakwater::mapping<tests::employee> =
    bw::table("employees", bw::column<&tests::employee::id>("id", bw::primary_key, bw::generated),
              bw::column<&tests::employee::firm_id>("firm_id", bw::index,
                                                    bw::references<&tests::firm::id>(bw::on_delete::cascade)),
              bw::column<&tests::employee::email>("email", bw::unique, bw::sensitive),
              bw::column<&tests::employee::nick>("nick", bw::defaulted),
              bw::column<&tests::employee::version>("version", bw::version),
              bw::column<&tests::employee::created_at>("created_at", bw::created_at),
              bw::column<&tests::employee::updated_at>("updated_at", bw::updated_at),
              bw::column<&tests::employee::deleted_at>("deleted_at", bw::soft_delete));

template <>
inline constexpr auto breakwater::mapping<tests::membership> =
    bw::table("memberships", bw::column<&tests::membership::firm_id>("firm_id", bw::primary_key),
              bw::column<&tests::membership::employee_id>("employee_id", bw::primary_key));

namespace tests {
namespace {

class verify : public repository_test {
 protected:
  static constexpr const char* good_firms =
      "create table firms (id bigint generated always as identity primary key, name text not null)";
  static constexpr const char* good_employees =
      "create table employees (id bigserial primary key, firm_id bigint not null references firms (id) on delete "
      "cascade, email text not null, nick text not null default 'none', version int not null, created_at timestamptz, "
      "updated_at timestamp, deleted_at timestamptz, note text, grade int not null default 1);"
      "create index on employees (firm_id, email);"
      "create unique index on employees (email) where deleted_at is null";
  static constexpr const char* good_memberships =
      "create table memberships (employee_id bigint, firm_id bigint, primary key (employee_id, firm_id))";

  void TearDown() override { drop(); }
  static void drop() { behind_the_back("drop table if exists memberships, employees, firms cascade"); }
  /// The schema, made anew.
  static void schema(std::string_view firms, std::string_view employees, std::string_view memberships) {
    drop();
    behind_the_back(firms);
    behind_the_back(employees);
    behind_the_back(memberships);
  }
  template <class... Entities>
  static std::string report() {
    const auto verified = db().verify<Entities...>();
    if (verified) return "all is well";
    EXPECT_EQ(verified.error().code(), errc::mapping_mismatch);
    return verified.error().text();
  }
};

TEST_F(verify, a_schema_as_it_is_mapped_has_no_difference) {
  schema(good_firms, good_employees, good_memberships);
  EXPECT_EQ((report<firm, employee, membership>()), "all is well");
}

TEST_F(verify, all_differences_of_all_tables_stand_in_one_report) {
  schema("create table firms (id int unique, name text not null, country text not null)",
         "create table employees (id bigint primary key, firm_id bigint not null references firms (id), "
         "email text not null, nick text, version numeric not null, created_at timestamptz, updated_at text, "
         "deleted_at timestamptz not null);"
         "create index on employees (email, firm_id);"
         "create unique index on employees (email, lower(nick))",
         "create table memberships (employee_id bigint primary key, firm_id text not null)");
  EXPECT_EQ((report<firm, employee, membership, account>()),
            R"(14 differences between the mappings and the schema
  "firms": 3 differences
    id: can be NULL, but the member is not a std::optional
    id: mapped as generated, but the column has no identity, default or stored expression
    country: not mapped, can not be NULL and has no default: an insert would fail
  "employees": 9 differences
    id: mapped as generated, but the column has no identity, default or stored expression
    firm_id: mapped as index, but no index begins with it
    firm_id: mapped with on delete cascade, but its foreign key says no action
    email: mapped as unique, but has no unique index of its own
    nick: can be NULL, but the member is not a std::optional
    nick: mapped as defaulted, but the column has no default
    version: is numeric, but the member is a integer
    updated_at: mapped as updated_at, but is text, and no time
    deleted_at: mapped as soft_delete, but can not be NULL: no row could be live
  "memberships": 2 differences
    firm_id: is text, but the member is a bigint
    firm_id: mapped as primary_key, but not part of the table's primary key)");
}

TEST_F(verify, references_are_to_the_table_and_column_that_is_mapped) {
  schema(
      "create table firms (id bigserial primary key, name text not null); create table sites (id bigint primary key)",
      good_employees, good_memberships);
  behind_the_back("alter table employees drop constraint employees_firm_id_fkey");
  EXPECT_EQ(report<employee>(),
            "1 difference between the mappings and the schema\n  \"employees\": 1 difference\n    firm_id: mapped as a "
            "reference to firms.id, but has no foreign key");
  behind_the_back("alter table employees add foreign key (firm_id) references sites");
  EXPECT_EQ(report<employee>(),
            "1 difference between the mappings and the schema\n  \"employees\": 1 difference\n    firm_id: mapped as a "
            "reference to firms.id, but its foreign key leads to sites.id");
  behind_the_back("alter table employees add foreign key (firm_id) references firms on delete cascade");
  EXPECT_EQ(report<employee>(), "all is well");
  behind_the_back("drop table sites cascade");
}

TEST_F(verify, a_key_is_one_if_its_columns_are_unique) {
  schema(good_firms, good_employees, "create table memberships (employee_id bigint not null, firm_id bigint not null)");
  EXPECT_EQ(report<membership>(),
            "1 difference between the mappings and the schema\n  \"memberships\": 1 difference\n    (firm_id, "
            "employee_id): mapped as primary_key, but the table has no primary key or unique index over it");
  behind_the_back("alter table memberships add unique (employee_id, firm_id)");
  EXPECT_EQ(report<membership>(), "all is well");
  schema(good_firms, good_employees,
         "create table memberships (employee_id bigint, firm_id bigint, since date, primary key (since, firm_id, "
         "employee_id))");
  EXPECT_EQ(report<membership>(),
            "2 differences between the mappings and the schema\n  \"memberships\": 2 differences\n    since: part of "
            "the table's primary key, but not mapped as primary_key\n    since: not mapped, can not be NULL and has no "
            "default: an insert would fail");
}

TEST_F(verify, what_the_server_always_generates_can_not_be_sent) {
  schema(good_firms, good_employees,
         "create table memberships (employee_id bigint generated always as identity, firm_id bigint not null, primary "
         "key (employee_id, firm_id))");
  EXPECT_EQ(report<membership>(),
            "1 difference between the mappings and the schema\n  \"memberships\": 1 difference\n    employee_id: is "
            "always generated by the server, but not mapped as generated: an insert would fail");
}

TEST_F(verify, a_trigger_may_fill_what_has_no_default) {
  schema("create table firms (id bigint primary key, name text not null, country text not null)", good_employees,
         good_memberships);
  EXPECT_NE(report<firm>(), "all is well");
  behind_the_back(
      "create or replace function fill() returns trigger language plpgsql as $$ begin new.id := 1; new.country := "
      "'SE'; return new; end $$; create trigger fill before insert on firms for each row execute function fill()");
  EXPECT_EQ(report<firm>(), "all is well");
}

TEST_F(verify, of_a_view_only_the_columns_are_compared) {
  drop();
  behind_the_back("create view firms as select 1::bigint as id, 'x'::text as name");
  EXPECT_EQ(report<firm>(), "all is well");
  behind_the_back("drop view firms; create view firms as select 1::text as id");
  EXPECT_EQ(report<firm>(),
            "2 differences between the mappings and the schema\n  \"firms\": 2 differences\n    id: is text, but the "
            "member is a bigint\n    name: mapped, but the table has no such column");
  behind_the_back("drop view firms");
}

TEST_F(verify, a_missing_table_is_one_difference) {
  drop();
  EXPECT_EQ((report<firm, account>()),
            "1 difference between the mappings and the schema\n  \"firms\": 1 difference\n    mapped, but there is no "
            "such table in the search_path");
}

TEST_F(verify, any_number_of_entities_is_one_round_trip) {
  schema(good_firms, good_employees, good_memberships);
  watcher().clear();
  EXPECT_EQ((report<firm, employee, membership, account, line, ticket, tag>()), "all is well");
  ASSERT_EQ(watcher().operations().size(), 1U);
  EXPECT_EQ(watcher().last().role, bw::node_role::primary);
}

}  // namespace
}  // namespace tests
