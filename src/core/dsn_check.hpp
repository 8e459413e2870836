#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace breakwater::detail {

/// One keyword and its value, neither of them empty.
using dsn_setting = std::pair<std::string, std::string>;

/// libpq's keywords, in its order. The views live as long as the program.
[[nodiscard]] const std::vector<std::string_view>& dsn_keywords();
/// The setting is hidden wherever a DSN is printed: it is a secret, or has one in it, as `user` has
/// after a forgotten blank: "user=apppassword=...".
[[nodiscard]] bool dsn_setting_is_secret(std::string_view keyword, std::string_view value);
/// "; did you mean `sslmode`?" for an unknown keyword that resembles a known one, else empty. The
/// unknown one is never repeated: it may be a piece of a password.
[[nodiscard]] std::string dsn_keyword_hint(std::string_view unknown);

/// Reads a connection string into `settings`. Returns what is wrong with it, or nothing when it is
/// right.
[[nodiscard]] std::optional<std::string> read_dsn(std::string_view text, std::vector<dsn_setting>& settings);
/// What is wrong with settings that libpq would only refuse when connecting, or nothing.
[[nodiscard]] std::optional<std::string> check_dsn_settings(const std::vector<dsn_setting>& settings);

/// Why libpq's parser refused `text`, in words that hold no part of it.
[[nodiscard]] std::string explain_refused_dsn(std::string_view text);

/// `text` is one of libpq's URIs; otherwise it is a `keyword=value` list.
[[nodiscard]] bool is_dsn_uri(std::string_view text) noexcept;
/// Splits at commas, as libpq does with `host`, `hostaddr` and `port`.
[[nodiscard]] std::vector<std::string_view> split_dsn_list(std::string_view list);

}  // namespace breakwater::detail
