#include <breakwater/core/result.hpp>

#include <iostream>

namespace {

bw::result<int> half_of(int number) {
  if (number % 2 != 0) return bw::error(bw::errc::invalid_argument, "the number is odd");
  return number / 2;
}

}  // namespace

int main() {
  const auto half = half_of(8);
  const auto none = half_of(7);
  if (!half || half.value() != 4 || none) return 1;
  std::cout << "consumer: " << none.error().message() << '\n';
  return 0;
}
