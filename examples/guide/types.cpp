// Types and their codecs: docs/guide/types.md.

#include "guide.hpp"

#include <charconv>
#include <chrono>
#include <cmath>
#include <tuple>

using guide::expect;
using namespace std::chrono_literals;

// [enum]
enum class mood { calm, fine, angry };  // create type mood as enum ('calm', 'fine', 'angry')

template <>
inline constexpr auto breakwater::enum_labels<mood> = bw::enum_type("mood", bw::label(mood::calm, "calm"),
                                                                    bw::label(mood::fine, "fine"),
                                                                    bw::label(mood::angry, "angry"));
// [/enum]

// [composite]
struct Address {  // create type address as (street text, zip text, floors int[])
  std::string street{};
  std::optional<std::string> zip{};
  std::vector<std::int32_t> floors{};
  friend bool operator==(const Address&, const Address&) = default;
};

template <>
inline constexpr auto breakwater::composite<Address> = bw::composite_type("address", &Address::street, &Address::zip,
                                                                          &Address::floors);
// [/composite]

// [entity]
struct Room {
  std::int64_t id{};
  mood atmosphere = mood::calm;
  Address address{};
  std::vector<std::optional<std::string>> tags{};  // text[]
  std::vector<std::vector<double>> plan{};         // double precision[], two dimensions
  bw::range<bw::timestamptz> booked{};             // tstzrange
  bw::interval notice{};
  bw::time_of_day opens{};
  bw::inet terminal{};
  bw::numeric price{};
};

template <>
inline constexpr auto breakwater::mapping<Room> = bw::table(
    "rooms", bw::column<&Room::id>("id", bw::primary_key, bw::generated), bw::column<&Room::atmosphere>("atmosphere"),
    bw::column<&Room::address>("address"), bw::column<&Room::tags>("tags"), bw::column<&Room::plan>("plan"),
    bw::column<&Room::booked>("booked"), bw::column<&Room::notice>("notice"), bw::column<&Room::opens>("opens"),
    bw::column<&Room::terminal>("terminal"), bw::column<&Room::price>("price", bw::type("numeric(8,2)")));
// [/entity]

// [codec]
struct Percent {  // stored as an integer, kept as a fraction
  double fraction{};
};

template <>
struct breakwater::codec<Percent> {
  static constexpr std::string_view sql_type = "integer";
  static constexpr std::uint32_t type = bw::oid::int4;
  static constexpr std::array reads{bw::oid::int4};
  static void encode(Percent value, bw::parameters& out) {
    if (!(value.fraction >= 0 && value.fraction <= 1)) return out.refuse("is a fraction below 0 or above 1");
    out.add_text(std::to_string(std::lround(value.fraction * 100)), type);
  }
  static bool decode(std::string_view text, Percent& out) noexcept {
    int percent = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), percent).ec != std::errc()) return false;
    out.fraction = percent / 100.0;
    return true;
  }
};
// [/codec]

static_assert(bw::has_codec<Percent>);

namespace {

bw::result<void> show(const bw::database& db) {
  const bw::session session = db.session();
  BOOST_OUTCOME_TRY(guide::prepare(
      session, {"create type mood as enum ('calm', 'fine', 'angry')",
                "create type address as (street text, zip text, floors int[])",
                "create table rooms (id bigint generated always as identity primary key, atmosphere mood not null, "
                "address address not null, tags text[] not null, plan double precision[] not null, "
                "booked tstzrange not null, notice interval not null, opens time not null, terminal inet not null, "
                "price numeric(8,2) not null)"}));
  BOOST_OUTCOME_TRY(db.verify<Room>());
  const auto rooms = session.repository<Room>();

  // [use]
  const bw::timestamptz from{"2026-06-01 10:00:00+00"};
  BOOST_OUTCOME_TRY(const auto room, rooms.insert({.atmosphere = mood::fine,
                                                   .address = {.street = "1, \"High\" Street", .floors = {1, 2}},
                                                   .tags = {"quiet", std::nullopt, "NULL", ""},
                                                   .plan = {{0.0, 1.5}, {2.0, 3.0}},
                                                   .booked = {from, from + 2h},
                                                   .notice = bw::interval{"1 mon 3 days"},
                                                   .opens = bw::time_of_day{"09:30"},
                                                   .terminal = bw::inet{"192.0.2.0/24"},
                                                   .price = bw::numeric{"99.50"}}));
  expect(room.booked.contains(from + 90min) && !room.booked.contains(from + 2h));

  BOOST_OUTCOME_TRY(const auto same,
                    rooms
                        .where(bw::col<&Room::atmosphere> == mood::fine && bw::col<&Room::address> == room.address &&
                               bw::col<&Room::tags> == room.tags)
                        .one());
  expect(same.terminal.contains(bw::inet{"192.0.2.77"}));
  // [/use]

  // [raw]
  BOOST_OUTCOME_TRY(const auto found,
                    session
                        .query("select id, booked from rooms where booked @> ? and atmosphere = any(?) "
                               "and address = ?::address",
                               from, std::vector{mood::calm, mood::fine}, room.address)
                        .one<std::tuple<std::int64_t, bw::range<bw::timestamptz>>>());
  expect(std::get<0>(found) == room.id);
  // [/raw]

  // [errors]
  auto refused = rooms.patch(room.id, bw::set<&Room::price>(bw::numeric{"1000000"}));  // numeric(8,2): never sent
  expect(refused.error() == bw::errc::data_error && refused.error().column() == "price");

  refused = rooms.patch(room.id, bw::set<&Room::atmosphere>(static_cast<mood>(7)));  // no label: never sent
  expect(refused.error() == bw::errc::data_error && refused.error().column() == "atmosphere");

  refused = rooms.patch(room.id, bw::set<&Room::address>(Address{.street = "\xC3\x28"}));  // no UTF-8: the server
  expect(refused.error() == bw::errc::data_error && refused.error().column() == "address");
  // [/errors]

  // [chrono]
  const bw::interval lease =
      bw::interval(std::chrono::months(3)) + bw::interval(std::chrono::days(1)) + bw::interval(90min);
  expect(lease.to_string() == "3 mons 1 day 01:30:00");
  expect(lease.months() == std::chrono::months(3) && lease.days() == std::chrono::days(1) && lease.time() == 90min);

  const bw::timestamp on_the_clock{std::chrono::local_days{2026y / 6 / 1} + 10h};  // without a time zone
  expect(on_the_clock == bw::timestamp{"2026-06-01 10:00:00"});
  // [/chrono]

  BOOST_OUTCOME_TRY(const auto percent, session.query("select ?", Percent{0.25}).one<Percent>());
  expect(percent.fraction == 0.25);
  expect(session.query("select ?", Percent{25}).execute().error() == bw::errc::data_error);
  return bw::success();
}

}  // namespace

int main() { return guide::run(&show); }
