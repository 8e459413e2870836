#pragma once

#include <breakwater/core/deadline.hpp>
#include <breakwater/core/result.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace breakwater {

/// What a program prints to its standard output, read to its end. Runs it without a shell and with this process's
/// environment; its standard input is empty and its standard error goes nowhere. At the deadline it is killed, with all
/// that it started in its process group. Errors: `invalid_argument` where it can not be started, fails, prints more than
/// `most` bytes or is too late; they hold nothing of what it printed, and of `arguments` only the program's path.
///
/// Thread-safe.
[[nodiscard]] result<std::string> program_output(const std::vector<std::string>& arguments, std::size_t most,
                                                 deadline until);

}  // namespace breakwater
