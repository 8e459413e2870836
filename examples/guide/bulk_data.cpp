// Many rows: docs/guide/bulk_data.md.

#include "guide.hpp"

#include <ranges>
#include <span>
#include <vector>

using guide::expect;
using namespace std::chrono_literals;

// [entity]
struct Reading {
  std::int64_t id{};
  std::string sensor{};
  double value{};
  std::int32_t version{};
  std::optional<bw::timestamptz> created{};
};

template <>
inline constexpr auto breakwater::mapping<Reading> =
    bw::table("readings", bw::column<&Reading::id>("id", bw::primary_key), bw::column<&Reading::sensor>("sensor"),
              bw::column<&Reading::value>("value"), bw::column<&Reading::version>("version", bw::version),
              bw::column<&Reading::created>("created_at", bw::created_at));
// [/entity]

struct Peak {
  std::string sensor{};
  double highest{};
};

bw::result<void> topic(const bw::database& db) {
  BOOST_OUTCOME_TRY(guide::prepare(db.session(), {"drop table if exists readings",
                                                  "create table readings (id bigint primary key, sensor text not null,"
                                                  " value float8 not null, version int not null,"
                                                  " created_at timestamptz not null)"}));

  // [copy_in]
  bw::session session = db.session({.operation_timeout = 10min});  // the whole of a copy is one operation
  auto readings = session.repository<Reading>();

  auto measured = std::views::iota(1, 50'001) | std::views::transform([](int i) {
                    return Reading{.id = i, .sensor = "north " + std::to_string(i % 7), .value = i * 0.5};
                  });
  BOOST_OUTCOME_TRY(const std::size_t rows, readings.copy_in(measured));
  expect(rows == 50'000);
  // [/copy_in]

  // [all_or_nothing]
  const std::vector<Reading> more{{.id = 50'001, .sensor = "south"}, {.id = 7, .sensor = "south"}};
  const auto refused = readings.copy_in(more);
  expect(refused.error() == bw::errc::unique_violation);
  expect(refused.error().constraint() == "readings_pkey" && refused.error().row() == 2);
  expect(refused.error().applied() == bw::applied::no);  // the first row is not there either
  // [/all_or_nothing]

  // [progress]
  const auto ended = readings.copy_in(
      std::views::iota(60'000) | std::views::transform([](int i) { return Reading{.id = i, .sensor = "endless"}; }),
      {.progress = [](const bw::copy_progress& so_far) { return so_far.rows < 10'000; }});
  expect(ended.error() == bw::errc::cancelled);  // and nothing of it stays
  // [/progress]

  // [copy_out]
  double sum = 0;
  BOOST_OUTCOME_TRY(const std::size_t read, readings.copy_out([&sum](Reading&& each) { sum += each.value; }));
  expect(read == 50'000 && sum == 0.25 * 50'000 * 50'001);
  // [/copy_out]

  // [stream]
  const auto hot = readings.where(bw::col<&Reading::value> > 20'000.0).order_by(bw::asc<&Reading::id>);
  BOOST_OUTCOME_TRY(const std::size_t seen, hot.stream([](Reading&& each) -> bw::result<void> {
    if (each.sensor.empty()) return bw::errc::validation_failed;  // ends the stream, and is its result
    return bw::success();
  }));
  expect(seen == 10'000);
  BOOST_OUTCOME_TRY(hot.stream([](const Reading& each) { return each.id < 40'010; }));  // false: that was enough
  // [/stream]

  // [pull]
  BOOST_OUTCOME_TRY(auto rows_of_it, hot.stream({.fetch_rows = 500}));
  for (;;) {
    BOOST_OUTCOME_TRY(const std::optional<Reading> next, rows_of_it.next());
    if (!next || next->id == 40'100) break;
  }
  // [/pull]

  // [raw]
  BOOST_OUTCOME_TRY(
      session.query("select sensor, max(value) highest from readings group by sensor having max(value) > ?", 10)
          .read_only()
          .stream<Peak>([](Peak&& each) { expect(each.highest > 10); }));
  // [/raw]

  // [in_batches]
  BOOST_OUTCOME_TRY(readings.where(bw::col<&Reading::sensor> == "north 3")
                        .in_batches(1000, [&](std::span<Reading> batch) -> bw::result<void> {
                          for (const Reading& each : batch) {
                            BOOST_OUTCOME_TRY(readings.remove(each.id));
                          }
                          return bw::success();
                        }));
  BOOST_OUTCOME_TRY(const bool left, readings.where(bw::col<&Reading::sensor> == "north 3").exists());
  expect(!left);
  // [/in_batches]
  return bw::success();
}

int main() { return guide::run(topic); }
