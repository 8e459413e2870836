#pragma once

#include <breakwater/core/deadline.hpp>
#include <breakwater/core/result.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace breakwater {

/// What a connection is opened with besides its address.
struct credentials {
  std::string user{};  ///< empty: the connection string's
  std::string password{};
  /// How long they are good for; fetched anew when four fifths of it are over. Not given: until they change.
  std::optional<std::chrono::seconds> valid_for{};

  friend bool operator==(const credentials&, const credentials&) = default;
};

/// Where the password comes from, and where a new one comes from when it is rotated.
///
///     config.secret_provider = bw::secrets::from_file("/run/secrets/db-password");
///     config.secret_provider = bw::secrets::from_command({"/usr/bin/vault-login", "shop"});
///     config.secret_provider = bw::secrets::from_function([](bw::deadline) -> bw::result<bw::credentials> { ... });
///
/// Asked from time to time (`secret_options::refresh_interval`), and once when the server refuses the password that is in
/// use. New connections are opened with the new one; the old ones go on and are replaced little by little.
///
/// An implementation is asked by one thread at a time for each database, and by no caller of the library: it may block.
/// It must end by `until`, must not throw, and must not put a secret into an error.
class secret_provider {
 public:
  secret_provider() = default;
  secret_provider(const secret_provider&) = delete;
  secret_provider& operator=(const secret_provider&) = delete;
  virtual ~secret_provider() = default;

  [[nodiscard]] virtual result<credentials> fetch(deadline until) = 0;
  /// For errors and events: "file /run/secrets/db-password". Holds no secret.
  [[nodiscard]] virtual std::string describe() const = 0;
};

/// The providers that come with the library.
///
/// What a file holds, or a command prints, is the password in the first line; or a JSON object with `password` and, where
/// there are, `user` (or `username`) and `valid_for` (seconds), as tools that make accounts on demand print it.
namespace secrets {

/// The password is the value of an environment variable, the user's name that of another if one is named. Reads the
/// process's environment: nobody may change it at the same time. Errors: `invalid_argument` where it is not set.
[[nodiscard]] std::shared_ptr<secret_provider> from_environment(std::string password_variable,
                                                                std::string user_variable = {});
/// A file's content. A mounted secret that is replaced is noticed with the next refresh. Errors: `invalid_argument`
/// where it can not be read, is empty, or larger than 64 KiB.
[[nodiscard]] std::shared_ptr<secret_provider> from_file(std::string path);
/// What a program prints. It is run without a shell, with this process's environment, and ended at the deadline with
/// all that it started. `arguments`: its path and what it is given; they show in `describe()` as the path alone.
/// Errors: `invalid_argument` where it can not be started, fails, is too late or prints nothing.
[[nodiscard]] std::shared_ptr<secret_provider> from_command(std::vector<std::string> arguments);
/// What a function returns. `name` is how it is described. An exception of it is an error (its text is not shown).
[[nodiscard]] std::shared_ptr<secret_provider> from_function(std::function<result<credentials>(deadline)> fetch,
                                                             std::string name = "function");
/// By a text, for configuration: "environment:NAME", "file:/path" or "command:/path/to/program and arguments", these
/// separated by blanks. Errors: `invalid_argument` where it is none of them.
[[nodiscard]] result<std::shared_ptr<secret_provider>> from_text(std::string_view text);

}  // namespace secrets

namespace defaults {

using namespace std::chrono_literals;

/// A rotation is noticed within a minute; before that, the first refused connection tells.
inline constexpr std::chrono::milliseconds secret_refresh_interval = 1min;
/// A pool is renewed in half a minute: few connects a second, and done before an old account is dropped.
inline constexpr std::chrono::milliseconds secret_drain = 30s;

}  // namespace defaults

/// How secrets are used; see docs/secrets.md.
struct secret_options {
  /// Where they come from, as `secrets::from_text` reads it; empty: from the connection strings. `config.secret_provider`
  /// comes first.
  std::string from = {};
  /// Time between two looks for a new one. 0 (only when one is refused)..1 d.
  std::chrono::milliseconds refresh_interval = defaults::secret_refresh_interval;
  /// Over how long the connections that were opened with an old one are replaced, each at a random moment, once it is
  /// free. 0 (at once)..1 d.
  std::chrono::milliseconds drain = defaults::secret_drain;
};

}  // namespace breakwater
