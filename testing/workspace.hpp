#pragma once

#include "child_process.hpp"
#include "unique_fd.hpp"
#include <breakwater/core/deadline.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/testing/cluster_options.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace breakwater::testing::detail {

/// The cluster's folder, and whom its programs run as. Immutable once open, so threads may share
/// it.
class workspace {
 public:
  /// Makes an empty folder in `parent` that belongs to the user the servers run as. Errors:
  /// `errc::internal`.
  [[nodiscard]] static result<workspace> open(const std::string& parent, std::string binaries);

  [[nodiscard]] const std::string& folder() const noexcept { return folder_; }
  [[nodiscard]] const std::string& binaries() const noexcept { return binaries_; }

  /// Makes a folder; fine if it is there. Errors: `errc::internal`.
  [[nodiscard]] result<void> make_folder(const std::string& path) const;
  /// Writes a file, whole and at once: readers see the old text or the new. Errors:
  /// `errc::internal`.
  [[nodiscard]] result<void> write(const std::string& path, std::string_view text) const;
  /// Opens a file to append to. Errors: `errc::internal`.
  [[nodiscard]] result<unique_fd> open_log(const std::string& path) const;

  /// Starts one of the server's programs in the folder `in`, with its output going to `log`.
  [[nodiscard]] result<child_process> spawn(std::string_view program, std::vector<std::string> arguments,
                                            const std::string& in, const std::string& log) const;
  /// Waits for a program that is to end by itself; otherwise the error has the last lines of `log`.
  /// Errors: `errc::internal`, `errc::deadline_exceeded`.
  [[nodiscard]] static result<void> finish(child_process& child, std::string_view program, const std::string& log,
                                           deadline until);

 private:
  [[nodiscard]] result<unique_fd> create(const std::string& path, int flags) const;

  std::string folder_;
  std::string binaries_;
  identity user_;
  std::vector<std::string> environment_;
};

/// Where to make the cluster's folder; `cluster_options::folder` has the rules.
[[nodiscard]] std::string parent_folder(const cluster_options& options);
/// The text of a file, or empty.
[[nodiscard]] std::string read_file(const std::string& path);
/// ":\n" and the last lines of a file, each indented; or empty if there are none.
[[nodiscard]] std::string last_lines(const std::string& path);

}  // namespace breakwater::testing::detail
