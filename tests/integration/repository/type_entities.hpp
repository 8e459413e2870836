#pragma once

#include "support.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What the tests of types map: an enum, composites, and a table with a column of every kind.
namespace tests {

enum class mood : std::uint8_t { calm, fine, angry, unlabelled };

struct spot {
  std::int32_t x{};
  std::optional<bw::numeric> y{};
  friend bool operator==(const spot&, const spot&) = default;
};
struct place {
  std::string street{};
  std::optional<std::string> zip{};
  std::vector<std::optional<std::string>> tags{};
  mood feeling = mood::calm;
  std::optional<spot> door{};
  std::vector<spot> corners{};
  friend bool operator==(const place&, const place&) = default;
};

struct thing {
  std::int64_t id{};
  bw::interval span{};
  bw::inet address{};
  bw::inet network{};
  bw::timestamp at{};
  bw::time_of_day opens{};
  std::vector<std::int32_t> numbers{};
  std::vector<std::optional<std::string>> texts{};
  std::vector<std::vector<double>> matrix{};
  std::vector<std::vector<std::byte>> blobs{};
  mood feeling = mood::calm;
  std::vector<mood> moods{};
  place home{};
  std::optional<place> work{};
  std::vector<place> visited{};
  bw::range<std::int32_t> ages{};
  bw::range<bw::numeric> prices{};
  bw::range<bw::date> days{};
  bw::range<bw::timestamptz> booked{};
  bw::range<bw::timestamp> planned{};
  bw::range<std::int64_t> blocks{};
  bw::multirange<bw::date> holidays{};
  std::string email{};  // a domain
  std::optional<std::vector<bw::uuid>> keys{};
  std::optional<bw::range<bw::date>> maybe{};
  std::chrono::sys_days born{};
  friend bool operator==(const thing&, const thing&) = default;
};

/// Makes the types and the table anew. (The types are made once: a prepared statement holds on to their numbers.)
void make_things(const bw::session& session);

/// One with something in every column.
[[nodiscard]] thing full_thing();

}  // namespace tests

template <>
inline constexpr auto breakwater::enum_labels<tests::mood> =
    bw::enum_type("thing_feeling", bw::label(tests::mood::calm, "calm"),
                  bw::label(tests::mood::fine, "it's \"fine\", {ok}"), bw::label(tests::mood::angry, "(angry\\)"));
template <>
inline constexpr auto breakwater::composite<tests::spot> = bw::composite_type("thing_spot", &tests::spot::x,
                                                                              &tests::spot::y);
template <>
inline constexpr auto breakwater::composite<tests::place> = bw::composite_type("thing_place", &tests::place::street,
                                                                               &tests::place::zip, &tests::place::tags,
                                                                               &tests::place::feeling,
                                                                               &tests::place::door,
                                                                               &tests::place::corners);

template <>
inline constexpr auto breakwater::mapping<tests::thing> =
    bw::table("things", bw::column<&tests::thing::id>("id", bw::primary_key, bw::generated),
              bw::column<&tests::thing::span>("span"), bw::column<&tests::thing::address>("address"),
              bw::column<&tests::thing::network>("network"), bw::column<&tests::thing::at>("at"),
              bw::column<&tests::thing::opens>("opens"), bw::column<&tests::thing::numbers>("numbers"),
              bw::column<&tests::thing::texts>("texts"), bw::column<&tests::thing::matrix>("matrix"),
              bw::column<&tests::thing::blobs>("blobs"), bw::column<&tests::thing::feeling>("feeling"),
              bw::column<&tests::thing::moods>("moods"), bw::column<&tests::thing::home>("home"),
              bw::column<&tests::thing::work>("work"), bw::column<&tests::thing::visited>("visited"),
              bw::column<&tests::thing::ages>("ages"), bw::column<&tests::thing::prices>("prices"),
              bw::column<&tests::thing::days>("days"), bw::column<&tests::thing::booked>("booked"),
              bw::column<&tests::thing::planned>("planned"), bw::column<&tests::thing::blocks>("blocks"),
              bw::column<&tests::thing::holidays>("holidays"), bw::column<&tests::thing::email>("email"),
              bw::column<&tests::thing::keys>("keys"), bw::column<&tests::thing::maybe>("maybe"),
              bw::column<&tests::thing::born>("born"));
