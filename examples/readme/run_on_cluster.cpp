// Runs a program with DATABASE_URL pointing at a cluster of its own: run_on_cluster PROGRAM [ARGUMENT ...]

#include <breakwater/testing/cluster.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: run_on_cluster PROGRAM [ARGUMENT ...]\n");
    return 2;
  }
  const auto cluster = bw::testing::cluster::start();
  if (!cluster) {
    std::fprintf(stderr, "error: %s\n", cluster.error().message().c_str());
    return 1;
  }
  ::setenv("DATABASE_URL", cluster.value().dsn().c_str(), 1);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execv(argv[1], argv + 1);
    std::_Exit(127);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return 1;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  std::printf("the program ended with %d\n", code);
  return code;
}
