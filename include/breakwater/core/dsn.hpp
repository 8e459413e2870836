#pragma once

#include <breakwater/core/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace breakwater {

/// Longest connection string that is read, in bytes. A real one has some hundreds.
inline constexpr std::size_t max_dsn_length = 16 * 1024;

/// A connection string, read by libpq's own parser, whose password never leaves it by accident.
///
///     BOOST_OUTCOME_TRY(auto dsn, bw::dsn::parse("postgresql://app:secret@db1:5433/shop"));
///     log(dsn.masked());      // user=app password=*** dbname=shop host=db1 port=5433
///     log(dsn.node_name());   // db1:5433
///
/// Both of libpq's forms are read: URIs and `keyword=value` lists, with %-escapes, quotes, several
/// hosts, IPv6 addresses and socket folders. What a connection string does not say is left to libpq
/// at connect time as usual: environment variables (PGHOST, PGPASSWORD, ...), service files and
/// password files are not read here. A setting with an empty value counts as not given, as it does
/// for `PQconnectdbParams`. (In a list an empty value in the middle needs quotes: libpq reads
/// `password= host=db1` as a password "host=db1".)
///
/// Beyond libpq's parser, `parse` refuses at once what libpq would refuse only when connecting:
/// ports outside 1..65535, lists of hosts and ports of unlike length, values that `sslmode` and its
/// like do not have. It also refuses a bare `@` in a URI's host or database name, which is what a
/// password with an `@` or `/` that was not written as `%40` or `%2F` leads to; a database whose
/// name has an `@` is written with `%40`.
///
/// A value. Distinct objects may be used by distinct threads; one object may be read by many.
class dsn {
 public:
  /// Reads a connection string. Errors: `errc::invalid_argument`, whose text names what is wrong
  /// and where but holds no part of `text`: any of it may be the password. Costs some microseconds.
  [[nodiscard]] static result<dsn> parse(std::string_view text);

  /// The value of one of libpq's keywords ("sslmode", "dbname", ...), or nothing where it was not
  /// given. Valid as long as this object. The password is returned as it is.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view keyword) const noexcept;
  /// The hosts in order: names, addresses (IPv6 without brackets) or socket folders (they start
  /// with `/` or `@`). At least one; an empty one is libpq's default.
  [[nodiscard]] std::vector<std::string_view> hosts() const;
  /// The ports, one for each of `hosts()`; 5432 where none was given.
  [[nodiscard]] std::vector<std::uint16_t> ports() const;
  /// The database, or empty where it was not given (libpq then takes the user's name).
  [[nodiscard]] std::string_view dbname() const noexcept;
  /// The user, or empty where it was not given.
  [[nodiscard]] std::string_view user() const noexcept;
  /// A password was given, and it is not empty. It may still come from the environment or a
  /// password file.
  [[nodiscard]] bool has_password() const noexcept;

  /// A copy with another value for one keyword; an empty value removes it. Errors:
  /// `errc::invalid_argument` for a keyword libpq does not know, or a value the keyword does not
  /// allow.
  [[nodiscard]] result<dsn> with(std::string_view keyword, std::string_view value) const;
  /// One DSN per host, alike in all else: each names exactly one server.
  [[nodiscard]] std::vector<dsn> split_hosts() const;

  /// The settings as a `keyword=value` list in which every secret is `***`; control characters show
  /// as `?`. Secret are the keywords libpq itself hides (`password`, `sslpassword`, ...). Paths,
  /// such as `passfile` and `sslkey`, are shown.
  [[nodiscard]] std::string masked() const;
  /// The server as "host:port" for errors and metric labels: `db1:5432`, `[::1]:5432`,
  /// `/run/postgresql:5432`, `db1:5432,db2:5433`. Holds neither user nor database. A host that is
  /// not given, and so is chosen by libpq when connecting, shows as `[default]`.
  [[nodiscard]] std::string node_name() const;

  /// The arrays for `PQconnectdbParams`, each ended by a null pointer.
  struct connect_parameters {
    std::vector<const char*> keywords;
    std::vector<const char*> values;
  };
  /// The settings for `PQconnectdbParams`; pass 0 as its `expand_dbname`. Valid as long as this
  /// object.
  [[nodiscard]] connect_parameters keywords_and_values() const&;
  connect_parameters keywords_and_values() && = delete;

  friend bool operator==(const dsn&, const dsn&) = default;

 private:
  using setting = std::pair<std::string, std::string>;
  explicit dsn(std::vector<setting> settings) noexcept : settings_(std::move(settings)) {}

  // Not empty values only, in libpq's order of keywords, so that equal settings make equal objects.
  std::vector<setting> settings_;
};

}  // namespace breakwater
