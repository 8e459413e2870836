// Much data in either direction, and in both at once.

#include "support.hpp"
#include <breakwater/postgres/codec.hpp>

#include <numeric>

namespace breakwater::postgres::test {
namespace {

TEST(volume, an_array_of_a_hundred_thousand_values_is_one_parameter) {
  client app({.size = 1});
  std::vector<std::int64_t> keys(100'000);
  std::iota(keys.begin(), keys.end(), 1);
  parameters values;
  bind_array(values, keys);
  EXPECT_EQ(value_of(app.run(read("select sum(k) from unnest($1::bigint[]) k"), values)), "5000050000");
}

TEST(volume, a_value_of_a_megabyte_travels_both_ways) {
  client app({.size = 1});
  const std::string large(1'000'000, 'x');
  parameters values;
  values.add_text(large);
  EXPECT_EQ(value_of(app.run(read("select $1::text || 'end'"), values)), large + "end");
}

TEST(volume, a_large_result_arrives_whole) {
  client app({.size = 1});
  const auto answer = app.run(read("select i, repeat('x', 200) from generate_series(1, 100000) i"));
  ASSERT_TRUE(succeeds(answer));
  ASSERT_EQ(answer.value().size(), 100'000U);
  EXPECT_EQ(answer.value().at(99'999, 0).text, "100000");
  EXPECT_EQ(answer.value().at(99'999, 1).text.size(), 200U);
}

TEST(volume, both_directions_may_be_full_at_once) {
  // The server answers the first statements with more than the buffers hold while it is still being sent the last:
  // who only writes waits for ever.
  auto link = connect();
  const statement echo = read("select repeat($1, 20)");
  const std::string large(1'000'000, 'y');
  parameters values;
  values.add_text(large);
  std::vector<command> many(12, command{.what = &echo, .values = &values});
  statement unprepared = echo;
  unprepared.prepare = false;
  for (auto& each : many) each.what = &unprepared;
  const auto answer = link->run({.commands = many, .until = deadline::after(patience)});
  ASSERT_TRUE(succeeds(answer));
  EXPECT_EQ(answer.value().at(0, 0).text.size(), 20U * large.size());
}

TEST(volume, one_batch_may_hold_a_statement_twice_that_is_not_prepared_yet) {
  auto link = connect();
  const statement same = read("select 'same'");
  const parameters none;
  const std::vector<command> twice(3, command{.what = &same, .values = &none});
  EXPECT_EQ(value_of(link->run({.commands = twice, .until = deadline::after(patience)})), "same");
  EXPECT_EQ(value_of(run_on(*link, same)), "same");
}

TEST(volume, a_large_write_that_is_stopped_half_way_ends_in_time) {
  auto link = connect();
  const int backend = backend_of(*link);
  const std::string large(50'000'000, 'z');
  parameters values;
  values.add_text(large);
  const frozen peer(backend);
  const auto started = clock_type::now();
  const error overdue = error_of(run_on(*link, write("select length($1)"), values, deadline::after(200ms)));
  EXPECT_EQ(overdue.code(), errc::commit_unknown);
  EXPECT_LT(since(started), 2s);
}

}  // namespace
}  // namespace breakwater::postgres::test
