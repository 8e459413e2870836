#pragma once

#include <string>

namespace breakwater {

/// A setting that the library decided on by itself, and why.
struct config_decision {
  std::string node;     ///< "host:port"; empty: of all nodes
  std::string setting;  ///< "pool.size"
  std::string value;    ///< "10"
  std::string reason;   ///< "2 CPUs (cgroup quota), 5 connections each; ..."

  friend bool operator==(const config_decision&, const config_decision&) = default;
};

}  // namespace breakwater
