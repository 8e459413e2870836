// Days and ranges of a column of local times: they have nothing to do with the session's time zone.

#include "support.hpp"

namespace tests {
namespace {

struct appointment {
  std::int64_t id{};
  bw::timestamp at{};
  std::optional<bw::timestamp> moved_to{};
};

}  // namespace
}  // namespace tests

template <>
inline constexpr auto breakwater::mapping<tests::appointment> =
    bw::table("appointments", bw::column<&tests::appointment::id>("id", bw::primary_key),
              bw::column<&tests::appointment::at>("at"), bw::column<&tests::appointment::moved_to>("moved_to"));

namespace tests {
namespace {

using bw::col;

class timestamp_ranges : public repository_test {
 protected:
  void SetUp() override {
    repository_test::SetUp();
    behind_the_back(
        "drop table if exists appointments;"
        "create table appointments (id bigint primary key, at timestamp not null, moved_to timestamp);"
        "insert into appointments values (1, '2026-02-28 23:59:59.999999', null), (2, '2026-03-01 00:00', "
        "'2026-03-02'),"
        " (3, '2026-03-01 23:59:59.999999', null), (4, '2026-03-02 00:00', '2026-03-01 12:00'), (5, 'infinity', null)");
  }
};

TEST_F(timestamp_ranges, are_half_open_in_every_time_zone) {
  for (const char* const zone : {"UTC", "Pacific/Auckland", "America/Los_Angeles"}) {
    bw::session other = on_primary();
    ASSERT_OK(other.transact([&](bw::transaction& tx) -> bw::result<void> {
      BOOST_OUTCOME_TRY(tx.query("select set_config('TimeZone', ?, true)", zone).rows());
      const auto ids = [&](const auto& condition) {
        const auto found = tx.repository<appointment>()
                               .where(condition)
                               .order_by(bw::asc<&appointment::id>)
                               .template pluck<&appointment::id>()
                               .all();
        return found ? found.value() : std::vector<std::int64_t>{-1};
      };
      using list = std::vector<std::int64_t>;
      EXPECT_EQ(ids(col<&appointment::at>.on_date(bw::date{"2026-03-01"})), (list{2, 3}));
      EXPECT_EQ(ids(col<&appointment::at>.within(bw::date{"2026-02-28"}, bw::date{"2026-03-01"})), list{1});
      EXPECT_EQ(ids(col<&appointment::at>.within(bw::timestamp{"2026-03-01 00:00"}, bw::timestamp{"2026-03-02 00:00"})),
                (list{2, 3}));
      EXPECT_EQ(ids(col<&appointment::at>.within(bw::timestamp{"2026-03-02 00:00"}, bw::timestamp::infinity())),
                list{4});
      EXPECT_EQ(ids(col<&appointment::moved_to>.on_date(bw::date{"2026-03-01"})), list{4});
      return bw::success();
    }));
  }
}

}  // namespace
}  // namespace tests
