// SQL written by hand: lists, names, and answers read into structs.

#include "support.hpp"

#include <tuple>
#include <vector>

namespace chinook {
namespace {

/// What no mapping says: windows, percentiles, filters, arrays.
struct GenreStatistics {
  std::string genre{};
  std::int64_t tracks{};
  std::int64_t sold{};
  bw::numeric revenue{};
  bw::numeric share_in_percent{};
  std::int64_t place{};
  double median_seconds{};
  std::optional<bw::timestamp> last_sold{};
  std::vector<std::string> longest{};
  std::vector<std::optional<std::string>> composers{};
};

constexpr const char* statistics_sql = R"(
  with sales as (
    select track_id, sum(quantity) sold, sum(unit_price * quantity) revenue, max(invoice_date) last_sold
    from invoice_line join invoice using (invoice_id) group by track_id)
  select g.name genre, count(*) tracks, coalesce(sum(sold), 0)::bigint sold, coalesce(sum(revenue), 0.00) revenue,
         round(100 * coalesce(sum(revenue), 0) / sum(sum(revenue)) over (), 3) share_in_percent,
         rank() over (order by sum(revenue) desc nulls last) place,
         percentile_cont(0.5) within group (order by milliseconds) / 1000 median_seconds, max(last_sold) last_sold,
         (array_agg(t.name order by milliseconds desc, track_id))[1:3] longest,
         (array_agg(composer order by milliseconds, track_id))[1:3] composers
  from genre g join track t using (genre_id) left join sales using (track_id)
  )";

class chinook_raw_sql : public chinook_test {};

TEST_F(chinook_raw_sql, statistics_fill_a_struct) {
  const std::vector<std::string> left_out{"Opera", "TV Shows"};
  const auto found = session
                         .query(std::string(statistics_sql) +
                                    "where g.name <> all(:left_out) group by genre_id"
                                    " having count(*) >= :least order by place, genre",
                                bw::arg("least", 10), bw::arg("left_out", left_out))
                         .read_only()
                         .named("report.genres")
                         .as<GenreStatistics>();
  EXPECT_EQ(statements(), "report.genres");
  const auto joined = [](const auto& names) {
    std::string all;
    for (const auto& name : names) all.append(all.empty() ? "" : ";").append(shown(name));
    return all;
  };
  EXPECT_TRUE(same(
      listed(found,
             [&](const GenreStatistics& row) {
               return line(row.genre, row.tracks, row.sold, row.revenue, row.share_in_percent, row.place,
                           static_cast<std::int64_t>(row.median_seconds * 1000), row.last_sold, joined(row.longest),
                           joined(row.composers));
             }),
      plain_sql("select genre, tracks, sold, revenue, share_in_percent, place, trunc(median_seconds * 1000), last_sold,"
                " array_to_string(longest, ';'), array_to_string(composers, ';', 'NULL') from (" +
                std::string(statistics_sql) +
                "where g.name <> all('{Opera,TV Shows}') group by genre_id having count(*) >= 10) s"
                " order by place, genre")));
}

TEST_F(chinook_raw_sql, lists_are_arrays_of_any_length) {
  const std::vector<std::int32_t> ids{3, 1, 3503, 4000};
  EXPECT_TRUE(same(listed(session.query("select name from track where track_id = any(?) order by name", ids)
                              .read_only()
                              .as<std::string>()),
                   plain_sql("select name from track where track_id in (3, 1, 3503, 4000) order by name")));
  const std::vector<std::string> countries{"Germany", "São", "Czech Republic"};
  EXPECT_TRUE(same(
      listed(session
                 .query("select billing_country, count(*) from invoice where billing_country = any(?) and total > ?"
                        " group by 1 order by 1",
                        countries, bw::numeric{"5.94"})
                 .as<std::tuple<std::string, std::int64_t>>()),
      plain_sql("select billing_country, count(*) from invoice where billing_country in ('Germany', 'Czech Republic')"
                " and total > 5.94 group by 1 order by 1")));
  EXPECT_EQ(session.query("select count(*) from track where track_id = any(?)", std::vector<std::int32_t>{})
                .one<std::int64_t>()
                .value(),
            0);
}

TEST_F(chinook_raw_sql, the_employees_tree_by_recursion) {
  constexpr const char* tree = R"(
    with recursive below as (
      select employee_id, last_name, 0 depth, last_name::text path from employee where reports_to is null
      union all
      select e.employee_id, e.last_name, depth + 1, path || '/' || e.last_name
      from employee e join below b on e.reports_to = b.employee_id)
    select depth, path from below where depth <= )";
  EXPECT_TRUE(same(listed(session.query(std::string(tree) + "? order by path", 2)
                              .read_only()
                              .as<std::tuple<std::int32_t, std::string>>()),
                   plain_sql(std::string(tree) + "2 order by path")));
}

TEST_F(chinook_raw_sql, rows_of_a_mapped_table_are_entities) {
  const auto found =
      session
          .query("select t.* from track t where composer is null and milliseconds > :ms order by track_id",
                 bw::arg("ms", 2'900'000))
          .read_only()
          .as<Track>();
  EXPECT_TRUE(same(listed(found,
                          [](const Track& track) {
                            return line(track.id, track.name, track.composer, track.milliseconds, track.unit_price);
                          }),
                   plain_sql("select track_id, name, composer, milliseconds, unit_price from track"
                             " where composer is null and milliseconds > 2900000 order by track_id")));
  // Related rows can be loaded for them too.
  ASSERT_TRUE(succeeds(found));
  std::vector<Track> tracks = found.value();
  (void)statements();
  ASSERT_TRUE(succeeds(all_of<Track>().load<&Track::media_type>(tracks)));
  EXPECT_EQ(statements(), "track.media_type");
  EXPECT_EQ(tracks.front().media_type->name, "Protected MPEG-4 video file");
}

TEST_F(chinook_raw_sql, values_that_look_like_sql_are_values) {
  const std::string hostile = "x'; drop table track; --";
  EXPECT_EQ(session.query("select count(*) from track where name = ? or composer = ?", hostile, hostile)
                .one<std::int64_t>()
                .value(),
            0);
  EXPECT_EQ(
      session.query("select count(*) from track where name = 'what? :this $1' or track_id = :id::int", bw::arg("id", 7))
          .one<std::int64_t>()
          .value(),
      1);
  EXPECT_EQ(session.query("select name from artist where artist_id = ?", 100'000).maybe<std::string>().value(),
            std::nullopt);
  EXPECT_TRUE(fails_with(session.query("select name from artist").one<std::string>(), errc::too_many_rows));
}

}  // namespace
}  // namespace chinook
