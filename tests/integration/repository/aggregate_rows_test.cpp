// sum, avg, min and max of a query are over the rows that it answers: those of its limit, keyset and distinct, too.

#include "forum.hpp"

namespace tests {
namespace {

using bw::asc;
using bw::col;
using bw::desc;

class aggregates_over_rows : public forum_test {};

TEST_F(aggregates_over_rows, an_order_does_not_matter) {
  EXPECT_EQ(posts.query().order_by(asc<&post::title>).sum<&post::score>().value(), 150);
  EXPECT_EQ(posts.query().order_by(asc<&post::id>).after(3).sum<&post::score>().value(), 90);
  EXPECT_EQ(posts.query().order_by(asc<&post::id>).before(3).max<&post::title>().value(), "beta");
}

TEST_F(aggregates_over_rows, limit_and_offset_choose_them_first) {
  const auto best = posts.query().order_by(desc<&post::score>);
  EXPECT_EQ(best.limit(2).sum<&post::score>().value(), 90);
  EXPECT_EQ(best.limit(2).offset(1).min<&post::title>().value(), "delta");
  EXPECT_EQ(best.offset(3).avg<&post::score>().value(), bw::numeric{"15"});
  EXPECT_EQ(best.limit(0).max<&post::score>().value(), std::nullopt);
  EXPECT_EQ(best.limit(1).sum<&post::score>().value(), 50);
}

TEST_F(aggregates_over_rows, distinct_ones_count_once) {
  const auto authors = people.query().join<post>(col<&post::author_id> == col<&person::id>);
  EXPECT_EQ(authors.sum<&person::rank>().value(), 7) << "ada stands there twice";
  EXPECT_EQ(authors.distinct().sum<&person::rank>().value(), 4);
  const auto best =
      posts.query().distinct_on(col<&post::author_id>).order_by(asc<&post::author_id>, desc<&post::score>);
  EXPECT_EQ(best.sum<&post::score>().value(), 140) << "each author's best post";
}

TEST_F(aggregates_over_rows, columns_of_joined_entities_need_all_rows) {
  const auto joined = people.query().join<post>(col<&post::author_id> == col<&person::id>);
  EXPECT_EQ(joined.order_by(asc<&person::id>).sum<&post::score>().value(), 60);
  watcher().clear();
  EXPECT_ERROR(joined.distinct().sum<&post::score>(), errc::invalid_argument);
  EXPECT_ERROR(joined.limit(1).sum<&post::score>(), errc::invalid_argument);
  EXPECT_ERROR(joined.for_update().sum<&post::score>(), errc::invalid_argument);
  EXPECT_ERROR(joined.limit(-1).sum<&person::rank>(), errc::invalid_argument);
  EXPECT_ERROR(bw::from<post>().sum<&post::score>(), errc::invalid_argument);
  EXPECT_TRUE(watcher().operations().empty());
}

}  // namespace
}  // namespace tests
