#include <breakwater/core/random.hpp>

#include <random>

namespace breakwater {

double random_unit() noexcept {
  thread_local std::minstd_rand generator{std::random_device{}()};
  // minstd_rand answers 1 .. 2^31-2, so the quotient never reaches 1.
  return static_cast<double>(generator() - std::minstd_rand::min()) / static_cast<double>(std::minstd_rand::max());
}

}  // namespace breakwater
