// Every input that is kept in corpus/ is run again, without a fuzzer: what one has found once stays found.

#include "targets.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class corpus : public testing::TestWithParam<fuzz::target> {};

TEST_P(corpus, holds_what_should_hold) {
  std::vector<std::filesystem::path> files;
  for (const auto& each : std::filesystem::directory_iterator(std::filesystem::path(CORPUS) / GetParam().name)) {
    files.push_back(each.path());
  }
  std::ranges::sort(files);
  ASSERT_FALSE(files.empty());
  for (const auto& file : files) {
    const fuzz::verdict broken = GetParam().run(content(file));
    EXPECT_EQ(broken, nullptr) << file << ": " << broken;
  }
}

INSTANTIATE_TEST_SUITE_P(, corpus, testing::ValuesIn(fuzz::targets),
                         [](const auto& given) { return std::string(given.param.name); });

}  // namespace
