#include <breakwater/resilience/latency_quantile.hpp>

#include <algorithm>
#include <bit>
#include <cmath>

namespace breakwater::resilience {
namespace {

/// 2^3 linear buckets in each power of two.
constexpr unsigned linear_bits = 3;
/// Below 4 us all is in one bucket: nothing answers faster.
constexpr unsigned smallest_bits = 12;
constexpr std::uint32_t update_every = 64;
constexpr std::uint32_t fade_every = 1024;

std::size_t bucket_of(std::chrono::nanoseconds latency, std::size_t buckets) noexcept {
  const auto value = static_cast<std::uint64_t>(std::max<std::chrono::nanoseconds::rep>(latency.count(), 0));
  const auto bits = static_cast<unsigned>(std::bit_width(value));
  if (bits <= smallest_bits) return 0;
  const std::uint64_t linear = (value >> (bits - 1 - linear_bits)) & ((1U << linear_bits) - 1);
  const std::size_t bucket = 1 + ((bits - smallest_bits - 1) << linear_bits) + static_cast<std::size_t>(linear);
  return std::min(bucket, buckets - 1);
}

/// What everything in that bucket is less than.
std::chrono::nanoseconds::rep end_of(std::size_t bucket) noexcept {
  if (bucket == 0) return std::chrono::nanoseconds::rep{1} << smallest_bits;
  const auto power = static_cast<unsigned>((bucket - 1) >> linear_bits) + smallest_bits;
  const auto linear = static_cast<std::chrono::nanoseconds::rep>((bucket - 1) & ((1U << linear_bits) - 1));
  return ((std::chrono::nanoseconds::rep{1} << linear_bits) + linear + 1) << (power - linear_bits);
}

}  // namespace

void latency_quantile::record(std::chrono::nanoseconds latency) noexcept {
  counts_.at(bucket_of(latency, buckets)).fetch_add(1, std::memory_order_relaxed);
  const std::uint32_t recorded = recorded_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (recorded % update_every == 0) update(recorded);
}

void latency_quantile::update(std::uint32_t recorded) noexcept {
  const std::unique_lock lock(updating_, std::try_to_lock);
  if (!lock.owns_lock()) return;
  std::uint64_t all = 0;
  for (const auto& count : counts_) all += count.load(std::memory_order_relaxed);
  if (all >= samples_to_know) {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(quantile_ * static_cast<double>(all)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets; ++i) {
      seen += counts_.at(i).load(std::memory_order_relaxed);
      if (seen >= wanted) {
        value_.store(end_of(i), std::memory_order_relaxed);
        break;
      }
    }
  }
  if (recorded % fade_every != 0) return;
  for (auto& count : counts_) {
    const auto now = count.load(std::memory_order_relaxed);
    count.fetch_sub(now - now / 2, std::memory_order_relaxed);
  }
}

}  // namespace breakwater::resilience
