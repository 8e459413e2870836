#include <breakwater/testing/node.hpp>

#include <ostream>

namespace breakwater::testing {

std::string node::name() const { return index_ == 0 ? "primary" : "replica-" + std::to_string(index_ - 1); }

std::string to_string(const node& value) { return value.name() + " (127.0.0.1:" + std::to_string(value.port()) + ")"; }

std::ostream& operator<<(std::ostream& out, const node& value) { return out << to_string(value); }

}  // namespace breakwater::testing
