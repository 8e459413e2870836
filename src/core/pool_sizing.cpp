#include "core/pool_sizing.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace breakwater {
namespace {

std::string short_number(double value) {
  std::array<char, 32> digits{};
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::general, 3).ptr;
  return {digits.data(), end};
}

pool_sizing by_machine(const sizing_facts& facts) {
  if (facts.configured) return {.size = *facts.configured, .reason = "as configured"};
  if (facts.serverless) {
    return {.size = serverless_pool_size, .reason = "an instance on " + std::string(*facts.serverless)};
  }
  const double wanted = std::round(facts.processors.count * connections_per_processor);
  const auto within = std::clamp(wanted, static_cast<double>(least_pool_size), static_cast<double>(largest_pool_size));
  return {.size = static_cast<std::size_t>(within),
          .reason = short_number(facts.processors.count) + (facts.processors.count == 1 ? " CPU (" : " CPUs (") +
                    facts.processors.said_by + "), " + short_number(connections_per_processor) +
                    " connections each, within " + std::to_string(least_pool_size) + ".." +
                    std::to_string(largest_pool_size)};
}

}  // namespace

pool_sizing size_pool(const sizing_facts& facts) {
  pool_sizing decided = by_machine(facts);
  if (!facts.slots) return decided;
  const std::size_t free = facts.slots->free;
  const double share = facts.instances > 0
                           ? static_cast<double>(free) * share_of_free_slots / static_cast<double>(facts.instances)
                           : static_cast<double>(free) / 2;
  const auto most = std::max<std::size_t>(1, static_cast<std::size_t>(share));
  const std::string seen =
      "the server has " + std::to_string(free) + " of " + std::to_string(facts.slots->most) + " connections free, " +
      (facts.instances > 0
           ? "shared by " + std::to_string(facts.instances) + (facts.instances == 1 ? " instance" : " instances")
           : "and the number of instances (pool.instances) is not known") +
      ": at most " + std::to_string(most) + " each";
  decided.reason += "; " + seen;
  if (decided.size <= most) return decided;
  if (facts.configured) {
    decided.reason += ", which the configured size exceeds: connects may be refused with 53300";
  } else {
    decided.size = most;
  }
  return decided;
}

}  // namespace breakwater
