#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace breakwater::detail {

/// Levenshtein's distance, cut short: anything above `limit` comes back as `limit + 1`.
[[nodiscard]] inline std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  if (a.size() > b.size() + limit || b.size() > a.size() + limit) return limit + 1;
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return std::min(row.back(), limit + 1);
}

/// The candidate that `word` most likely is a misspelling of, or empty where none is near.
/// A third of the word may differ: "siez" is "size", "foo" is nothing.
template <class Range>
[[nodiscard]] std::string_view nearest(std::string_view word, const Range& candidates) {
  std::size_t best_distance = std::max<std::size_t>(word.size() / 3, word.size() > 3 ? 2 : 1) + 1;
  std::string_view best;
  for (std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate, best_distance);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace breakwater::detail
