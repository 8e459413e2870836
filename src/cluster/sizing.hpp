#pragma once

#include "cluster/node.hpp"
#include "core/pool_sizing.hpp"
#include <breakwater/core/config.hpp>
#include <breakwater/core/config_decision.hpp>
#include <breakwater/core/deadline.hpp>
#include <breakwater/core/result.hpp>

#include <memory>
#include <mutex>
#include <vector>

namespace breakwater::routing {

/// Decides how large the pools are, and remembers why. Every node is asked once, with its first connection, what it has
/// free. Thread-safe.
class sizing {
 public:
  explicit sizing(const config& settings);

  /// Before any server was asked.
  [[nodiscard]] std::size_t first_size() const { return size_pool(facts_).size; }
  /// Asks a node what it has free, over a connection of its pool, and sizes the pool by it. Errors: why it could not be
  /// asked; then its pool stays as it is.
  result<void> apply(node& to, deadline until);
  /// Was it asked?
  [[nodiscard]] bool knows(const node& one) const;

  [[nodiscard]] std::vector<config_decision> decisions() const;

 private:
  void note(const node& of, const pool_sizing& decided);

  const sizing_facts facts_;
  const std::string application_name_;
  observer* const watcher_;
  mutable std::mutex mutex_;
  std::vector<config_decision> decisions_;
};

}  // namespace breakwater::routing
