#include "benchmarks/harness.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace breakwater::benchmarks {
namespace {

std::vector<const suite*>& registry() {
  static std::vector<const suite*> known;
  return known;
}

/// The value below which this part of all lies, between two of them in proportion.
double quantile(std::vector<double> values, double part) {
  std::ranges::sort(values);
  const double place = part * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return std::lerp(values[below], values[above], place - static_cast<double>(below));
}

double median(const std::vector<double>& values) { return quantile(values, 0.5); }

double spread(const std::vector<double>& values) {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / median(values);
}

}  // namespace

std::optional<bool> finding::met() const noexcept {
  if (!target) return std::nullopt;
  const double figure = target->of_ratio ? ratio : ours;
  return better == better::lower ? figure <= target->limit : figure >= target->limit;
}

void runner::compare(const comparison& wanted) {
  std::fprintf(stderr, "  %s %s\n", wanted.id.c_str(), wanted.name.c_str());
  (void)wanted.ours();
  (void)wanted.reference();
  const int rounds = time_allowed().rounds;
  std::vector<double> ours;
  std::vector<double> theirs;
  std::vector<double> ratios;
  for (int i = 0; i < rounds; ++i) {
    ours.push_back(wanted.ours());
    theirs.push_back(wanted.reference());
    ratios.push_back(ours.back() / theirs.back());
  }
  const bool by_value = wanted.target && !wanted.target->of_ratio;
  findings_.push_back({.id = wanted.id,
                       .name = wanted.name,
                       .unit = wanted.unit,
                       .ours = median(ours),
                       .reference = median(theirs),
                       .reference_name = wanted.reference_name,
                       .ratio = median(ratios),
                       .target = wanted.target,
                       .better = wanted.better,
                       .rounds = rounds,
                       .spread = spread(by_value ? ours : ratios)});
}

suite::suite(std::string_view id, function measure) : id_(id), measure_(measure) { registry().push_back(this); }

std::vector<const suite*> suite::all() {
  auto sorted = registry();
  // "P9" before "P10".
  std::ranges::sort(sorted, [](const suite* a, const suite* b) {
    return a->id().size() != b->id().size() ? a->id().size() < b->id().size() : a->id() < b->id();
  });
  return sorted;
}

}  // namespace breakwater::benchmarks
