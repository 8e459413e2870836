#include <breakwater/core/secret_provider.hpp>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

using namespace std::chrono_literals;
namespace bw = breakwater;
using bw::errc;

constexpr std::string_view hidden = "s3cret-of-the-test";

bw::deadline patience() { return bw::deadline::after(20s); }

/// A file that goes away with the test.
class scratch_file {
 public:
  explicit scratch_file(std::string_view content) {
    std::string name = (std::filesystem::temp_directory_path() / "bw-secret-XXXXXX").string();
    const int file = ::mkstemp(name.data());
    EXPECT_GE(file, 0);
    ::close(file);
    path_ = name;
    write(content);
  }
  scratch_file(const scratch_file&) = delete;
  scratch_file& operator=(const scratch_file&) = delete;
  ~scratch_file() { std::filesystem::remove(path_); }
  void write(std::string_view content) const { std::ofstream(path_, std::ios::binary) << content; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Fails, and says nothing of what it read.
void expect_silent_failure(bw::secret_provider& from) {
  const auto found = from.fetch(patience());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), errc::invalid_argument);
  EXPECT_EQ(std::string(found.error().message()).find(hidden), std::string::npos) << found.error().message();
}

TEST(secret_provider, a_files_first_line_is_the_password) {
  const scratch_file file("pa ss:w@rd\r\nsecond line\n");
  const auto from = bw::secrets::from_file(file.path());
  EXPECT_EQ(from->fetch(patience()).value(), (bw::credentials{.password = "pa ss:w@rd"}));
  EXPECT_EQ(from->describe(), "file " + file.path());
}

TEST(secret_provider, a_file_that_is_replaced_gives_the_new_password) {
  const scratch_file file("one");
  const auto from = bw::secrets::from_file(file.path());
  EXPECT_EQ(from->fetch(patience()).value().password, "one");
  file.write("two");
  EXPECT_EQ(from->fetch(patience()).value().password, "two");
}

TEST(secret_provider, reads_the_user_and_the_life_from_an_object) {
  const scratch_file file(R"( {"username": "v-app-1", "password": "x\"y", "valid_for": 3600, "lease_id": "z"})");
  const auto found = bw::secrets::from_file(file.path())->fetch(patience());
  EXPECT_EQ(found.value(), (bw::credentials{.user = "v-app-1", .password = "x\"y", .valid_for = 3600s}));
}

TEST(secret_provider, refuses_what_is_no_secret_without_repeating_it) {
  const std::string text(hidden);
  for (const std::string& bad : {std::string(), "\n" + text, "{\"password\": 5, \"x\": \"" + text + "\"}",
                                 "{ broken " + text, "{\"password\":\"" + text + "\",\"valid_for\":-1}",
                                 std::string(100'000, 'x') + text, text + std::string(1, '\0')}) {
    const scratch_file file(bad);
    expect_silent_failure(*bw::secrets::from_file(file.path()));
  }
  expect_silent_failure(*bw::secrets::from_file("/nonexistent/secret"));
}

TEST(secret_provider, reads_environment_variables_when_it_is_asked) {
  const auto from = bw::secrets::from_environment("BW_TEST_SECRET", "BW_TEST_SECRET_USER");
  ::unsetenv("BW_TEST_SECRET");
  expect_silent_failure(*from);
  ::setenv("BW_TEST_SECRET", "p", 1);
  ::setenv("BW_TEST_SECRET_USER", "u", 1);
  EXPECT_EQ(from->fetch(patience()).value(), (bw::credentials{.user = "u", .password = "p"}));
  ::setenv("BW_TEST_SECRET", "q", 1);
  EXPECT_EQ(from->fetch(patience()).value().password, "q");
}

TEST(secret_provider, runs_a_program_without_a_shell) {
  const auto from = bw::secrets::from_command({"/bin/echo", "$HOME;", "a  b"});
  EXPECT_EQ(from->fetch(patience()).value().password, "$HOME; a  b");
  EXPECT_EQ(from->describe(), "command /bin/echo");
}

TEST(secret_provider, refuses_a_program_that_fails_even_where_it_printed_something) {
  expect_silent_failure(*bw::secrets::from_command({"/bin/sh", "-c", "echo " + std::string(hidden) + "; exit 3"}));
  expect_silent_failure(*bw::secrets::from_command({"/bin/sh", "-c", "echo " + std::string(hidden) + "; kill -9 $$"}));
  expect_silent_failure(*bw::secrets::from_command({"/nonexistent/program", std::string(hidden)}));
  expect_silent_failure(*bw::secrets::from_command({"/bin/true"}));
  expect_silent_failure(*bw::secrets::from_command({"/bin/sh", "-c", "yes " + std::string(hidden)}));
  expect_silent_failure(*bw::secrets::from_command({}));
}

TEST(secret_provider, ends_a_program_that_is_late_with_all_that_it_started) {
  // The child of the shell writes its number, and keeps the pipe open.
  const scratch_file file("");
  const auto from = bw::secrets::from_command({"/bin/sh", "-c", "sleep 1000 & echo $! > " + file.path() + "; wait"});
  const auto found = from->fetch(bw::deadline::after(500ms));
  ASSERT_FALSE(found);
  EXPECT_NE(std::string(found.error().message()).find("before the deadline"), std::string::npos);
  int child = 0;
  std::ifstream(file.path()) >> child;
  ASSERT_GT(child, 0);
  // Whoever inherited it may still have to collect it: a zombie has no command line.
  const auto is_running = [&] {
    std::ifstream line("/proc/" + std::to_string(child) + "/cmdline");
    std::string text;
    return static_cast<bool>(std::getline(line, text, '\0')) && !text.empty();
  };
  const auto until = patience();
  while (is_running() && !until.expired(bw::deadline::clock::now())) ::usleep(1000);
  EXPECT_FALSE(is_running());
}

TEST(secret_provider, a_function_may_throw) {
  const auto from = bw::secrets::from_function(
      [](bw::deadline) -> bw::result<bw::credentials> { throw std::runtime_error(std::string(hidden)); });
  expect_silent_failure(*from);
  expect_silent_failure(*bw::secrets::from_function({}));
}

TEST(secret_provider, is_made_from_a_configurations_text) {
  EXPECT_EQ(bw::secrets::from_text("environment:X").value()->describe(), "environment variable X");
  EXPECT_EQ(bw::secrets::from_text("file:/run/a b").value()->describe(), "file /run/a b");
  EXPECT_EQ(bw::secrets::from_text("command:/bin/echo  one two ").value()->fetch(patience()).value().password,
            "one two");
  for (const std::string_view bad : {"", "file:", "command:", "command:  ", "environment:", "s3cret", "vault:x"}) {
    const auto made = bw::secrets::from_text(bad);
    ASSERT_FALSE(made) << bad;
    EXPECT_EQ(made.error().code(), errc::invalid_argument);
  }
}

}  // namespace
