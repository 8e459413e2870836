#pragma once

#include "child_process.hpp"
#include "unique_fd.hpp"
#include <breakwater/core/result.hpp>

#include <string>
#include <vector>

namespace breakwater::testing::detail {

/// A small process that outlives us by just as long as it takes to end our servers and remove our
/// folder.
///
/// It waits at one end of a socket whose other end only this object holds. When that closes,
/// because the object or the whole process is gone, for whatever reason, it cleans up. Not
/// thread-safe.
class guardian {
 public:
  struct charge {
    std::string folder;                       ///< removed with all that is in it
    std::string binaries;                     ///< folder of the server's programs, without symbolic links
    std::vector<std::string> server_folders;  ///< working directories of the programs to end
  };

  guardian() noexcept = default;
  guardian(guardian&&) noexcept = default;
  guardian& operator=(guardian&&) noexcept = default;
  /// As `release()`.
  ~guardian() { release(); }

  /// Errors: `errc::internal` if the operating system refuses.
  [[nodiscard]] static result<guardian> post(charge what);

  /// Has it clean up, waits for that and returns true. Does nothing and returns false if that was
  /// done before, and in a process forked from the one that posted it.
  bool release() noexcept;

 private:
  charge charge_;
  child_process process_;
  unique_fd lifeline_;
  pid_t owner_ = -1;
};

}  // namespace breakwater::testing::detail
