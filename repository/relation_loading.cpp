#include <breakwater/repository/detail/relation_loading.hpp>

#include <algorithm>

namespace breakwater::detail {

void add_include(std::vector<include_node>& to, std::span<const include_step> path, trash scope) {
  std::vector<include_node>* level = &to;
  include_node* last = nullptr;
  for (const include_step& step : path) {
    auto at = std::ranges::find(*level, step.place, &include_node::place);
    if (at == level->end()) at = level->insert(at, {.place = step.place, .load = step.load});
    last = &*at;
    level = &last->nested;
  }
  if (last != nullptr && scope != trash::excluded) last->scope = scope;
}

result<void> load_includes(executor& on, std::span<const include_node> wanted, void* owners, std::size_t count) {
  if (count == 0) return success();
  for (const include_node& each : wanted) {
    BOOST_OUTCOME_TRY(each.load(on, owners, count, each));
  }
  return success();
}

}  // namespace breakwater::detail
