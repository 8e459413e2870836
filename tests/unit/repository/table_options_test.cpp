// What a mapping records of indexes over several columns.

#include <breakwater/breakwater.hpp>

#include <gtest/gtest.h>

namespace {

struct seat {
  std::int64_t id{};
  std::int32_t hall{};
  std::int32_t number{};
};

constexpr auto breakwater_mapping(std::type_identity<seat>) {
  return bw::table("seats", bw::column<&seat::id>("id", bw::primary_key), bw::column<&seat::hall>("hall"),
                   bw::column<&seat::number>("number"), bw::unique_on<&seat::hall, &seat::number>("one_seat"),
                   bw::index_on<&seat::number>("by_number"));
}

TEST(table_options, indexes_over_several_columns_are_recorded_in_their_order) {
  constexpr const auto& indexes = bw::detail::mapping_of<seat>.indexes;
  static_assert(indexes.count == 2);
  static_assert(indexes.list[0].name == "one_seat" && indexes.list[0].unique && indexes.list[0].count == 2);
  static_assert(indexes.list[0].columns[0] == 1 && indexes.list[0].columns[1] == 2);
  static_assert(indexes.list[1].name == "by_number" && !indexes.list[1].unique && indexes.list[1].count == 1);
  static_assert(bw::detail::view_of<seat>.columns.size() == 3);
  EXPECT_EQ(std::distance(indexes.begin(), indexes.end()), 2);
}

struct row {
  std::int64_t id{};
  std::int64_t hall{};
  bw::one<seat> first{};
};

constexpr auto breakwater_mapping(std::type_identity<row>) {
  return bw::table("rows", bw::column<&row::id>("id", bw::primary_key), bw::column<&row::hall>("hall"),
                   bw::index_on<&row::hall>("rows_by_hall"), bw::belongs_to<&row::first, &row::hall>());
}

TEST(table_options, indexes_and_relations_stand_side_by_side) {
  constexpr const auto& mapped = bw::detail::mapping_of<row>;
  static_assert(mapped.indexes.count == 1 && mapped.indexes.list[0].columns[0] == 1);
  static_assert(std::tuple_size_v<decltype(mapped.relations)> == 1);
  EXPECT_EQ(mapped.indexes.begin()->name, "rows_by_hall");
}

}  // namespace
