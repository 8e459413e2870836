#include <breakwater/core/result.hpp>

#include <iostream>

int main() {
  const bw::result<int> nothing;
  if (nothing) return 1;
  std::cout << "consumer of core: " << nothing.error().message() << '\n';
  return 0;
}
