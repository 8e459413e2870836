#include "type_entities.hpp"

namespace tests {

void make_things(const bw::session& session) {
  ASSERT_OK(session.execute(R"(do $$ begin
    create type thing_feeling as enum ('calm', 'it''s "fine", {ok}', '(angry\)');
    create type thing_spot as (x int, y numeric);
    create type thing_place as (street text, zip text, tags text[], feeling thing_feeling, door thing_spot, corners thing_spot[]);
    create domain thing_email as text check (value like '%@%');
  exception when duplicate_object then null; end $$)"));
  ASSERT_OK(session.execute("drop table if exists things"));
  ASSERT_OK(session.execute(
      "create table things (id bigint generated always as identity primary key, span interval not null, "
      "address inet not null, network cidr not null, at timestamp not null, opens time not null, "
      "numbers int[] not null, texts text[] not null, matrix double precision[] not null, "
      "blobs bytea[] not null, feeling thing_feeling not null, moods thing_feeling[] not null, home thing_place not "
      "null, "
      "work thing_place, visited thing_place[] not null, ages int4range not null, prices numrange not null, "
      "days daterange not null, booked tstzrange not null, planned tsrange not null, "
      "blocks int8range not null, holidays datemultirange not null, email thing_email not null, keys uuid[], "
      "maybe daterange, born date not null)"));
}

thing full_thing() {
  using namespace std::chrono_literals;
  const place somewhere{.street = "1, \"High\" (St)\\",
                        .zip = "",
                        .tags = {"a b", std::nullopt, "NULL", "", "{x,\"y\"}", "c:\\d"},
                        .feeling = mood::fine,
                        .door = spot{.x = -1, .y = bw::numeric{"1.50"}},
                        .corners = {spot{.x = 1}, spot{.x = 2, .y = bw::numeric{"NaN"}}}};
  return {
      .span = bw::interval{"-1 years -2 mons +3 days -04:05:06.000001"},
      .address = bw::inet{"2001:db8::1/64"},
      .network = bw::inet{"10.0.0.0/8"},
      .at = bw::timestamp{"2026-11-20 10:00:00.000001"},
      .opens = bw::time_of_day{"24:00:00"},
      .numbers = {1, -2, 2147483647},
      .texts = {"plain", std::nullopt, "NULL", "", "say \"hi\"", "back\\slash", "{br,ace}", " spaces "},
      .matrix = {{1.5, -0.0}, {1e300, 5e-324}},
      .blobs = {{}, {std::byte{0}, std::byte{255}, std::byte{'"'}}},
      .feeling = mood::angry,
      .moods = {mood::fine, mood::calm, mood::angry},
      .home = somewhere,
      .work = place{},
      .visited = {somewhere, place{.street = "x"}},
      .ages = bw::range<std::int32_t>(18, std::nullopt),
      .prices = bw::range<bw::numeric>(bw::numeric{"0.10"}, bw::numeric{"9.90"}, bw::range_bounds::open_closed),
      .days = bw::range<bw::date>(bw::date{"2026-01-01"}, bw::date{"2026-01-31"}, bw::range_bounds::closed),
      .booked = bw::range<bw::timestamptz>(bw::timestamptz{"2026-01-01 00:00:00.5+00"}, bw::timestamptz::infinity()),
      .planned = bw::range<bw::timestamp>::all(),
      .blocks = {},
      .holidays = {bw::range<bw::date>(bw::date{"2026-04-03"}, bw::date{"2026-04-07"})},
      .email = "ada@example.org",
      .keys = std::vector{bw::uuid{"c0ffee00-1234-4abc-8def-0123456789ab"}},
      .maybe = bw::range<bw::date>(),
      .born = std::chrono::sys_days{1815y / 12 / 10}};
}

}  // namespace tests
