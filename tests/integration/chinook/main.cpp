// Questions about the Chinook sample database, asked through mappings and in plain SQL. The data is not part of the
// repository: where it is not there, the program says so and ends with the code by which CTest knows a skipped test.

#include "support.hpp"

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <system_error>

namespace {

/// SKIP_RETURN_CODE in CMakeLists.txt.
constexpr int skipped = 77;

bool is_file(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const char* const given = std::getenv("CHINOOK_SQL");  // NOLINT(concurrency-mt-unsafe): no other thread runs yet
  const bool is_given = given != nullptr && *given != '\0';
  const std::string path = is_given ? given : CHINOOK_SQL_BESIDE_THE_CHECKOUT;
  if (!is_file(path)) {
    std::cerr << "The Chinook sample database is not at " << path << ".\n"
              << "It is the script Chinook_PostgreSql.sql of https://github.com/lerocha/chinook-database; say where it "
                 "is:\n  CHINOOK_SQL=/path/to/Chinook_PostgreSql.sql "
              << argv[0] << '\n';
    // Who names a file wants the tests to run.
    return is_given ? EXIT_FAILURE : skipped;
  }
  ::testing::AddGlobalTestEnvironment(new chinook::shop_environment(path));
  return RUN_ALL_TESTS();
}
