#pragma once

#include <breakwater/core/consistency.hpp>
#include <breakwater/core/pooler.hpp>
#include <breakwater/core/resilience_options.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/core/routing_options.hpp>
#include <breakwater/core/secret_provider.hpp>
#include <breakwater/core/tenancy.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace breakwater {

class auditor;
class observer;

/// The defaults of `config`, each with the reason for its value.
namespace defaults {

using namespace std::chrono_literals;

/// Shows in pg_stat_activity; a service puts its own name here.
inline constexpr std::string_view application_name = "breakwater";
/// Asking costs nothing where there is none. Of one that is there the mode can not be seen, and what is right for
/// transactions is right for sessions.
inline constexpr breakwater::pooler pooler = breakwater::pooler::automatic;
/// PgBouncer does from 1.21 on, where it is told to; older ones would fail every other statement.
inline constexpr bool pooler_prepares = false;
/// Surprises nobody: what a session wrote it reads, and replicas still carry the load.
inline constexpr consistency read_consistency = consistency::read_your_writes;
/// TCP, TLS and SCRAM take milliseconds; five seconds survive a lost SYN and its retry.
inline constexpr std::chrono::milliseconds connect_timeout = 5s;
/// Longer than any healthy statement of a service, shorter than its callers' patience.
inline constexpr std::chrono::milliseconds operation_timeout = 5s;
/// An open transaction holds locks and blocks vacuum; no healthy one waits so long for its client.
inline constexpr std::chrono::milliseconds idle_in_transaction_session_timeout = 30s;
/// Twice the default operation timeout, so that what runs when the shutdown starts may finish.
inline constexpr std::chrono::milliseconds shutdown_grace = 10s;

/// Connections are made when they are needed; a service that fears its first burst sets this.
inline constexpr std::size_t pool_min_idle = 0;
/// A hundred per connection: a longer queue can not be served within its deadlines.
inline constexpr std::size_t pool_max_waiters = 1000;
/// A server process's caches grow with its age, and a changed address is noticed within this time.
inline constexpr std::chrono::milliseconds pool_max_lifetime = 30min;
/// Connections that were opened together must not expire together.
inline constexpr double pool_lifetime_jitter = 0.25;
/// Shorter, and the next burst reopens them; longer, and they rest for nothing.
inline constexpr std::chrono::milliseconds pool_idle_timeout = 10min;
/// A connection used a second ago is alive; asking would add a round trip to every operation.
inline constexpr std::chrono::milliseconds pool_validate_after_idle = 1s;
/// Six times the default operation timeout: no single operation holds a connection so long, a
/// forgotten lease does, and the warning names the line that took it.
inline constexpr std::chrono::milliseconds pool_leak_warning_after = 30s;

/// Prepared statements save the server's parse and plan, which cost more than a read by key.
inline constexpr bool statement_cache_enabled = true;
/// More than most services have statements; each costs a connection some ten kilobytes.
inline constexpr std::size_t statement_cache_size = 256;

/// With the two below: a peer that vanished while a connection rests is noticed after
/// 5 + 3 * 2 = 11 seconds, where the kernel's own defaults take two hours.
inline constexpr std::chrono::seconds tcp_keepalives_idle = 5s;
inline constexpr std::chrono::seconds tcp_keepalives_interval = 2s;
inline constexpr std::size_t tcp_keepalives_count = 3;
/// The same bound for a connection that has sent something, which gets no keepalives.
inline constexpr std::chrono::milliseconds tcp_user_timeout = 10s;
/// The server stops working for a client that went away, whose statement nobody awaits.
inline constexpr std::chrono::milliseconds tcp_client_connection_check_interval = 2s;

}  // namespace defaults

/// The pool of connections of each node. A caller waits for one until its deadline.
struct pool_options {
  /// Most connections per node. 1..10000; not given: decided by the processors that this process may use, by the platform
  /// it runs on and by what the server has free. `database::explain_config` has the decision; see docs/sizing.md.
  std::optional<std::size_t> size = std::nullopt;
  /// How many processes of this service share the servers, this one among them. 0 (not known)..100000.
  std::size_t instances = 0;
  /// Connections kept open although nobody needs them; no more than there may be. 0..`size`.
  std::size_t min_idle = defaults::pool_min_idle;
  /// Callers that may wait for a connection; the next is refused (`errc::overloaded`). 1..1000000.
  std::size_t max_waiters = defaults::pool_max_waiters;
  /// Age at which a connection is replaced once it is free. 100 ms..7 d.
  std::chrono::milliseconds max_lifetime = defaults::pool_max_lifetime;
  /// Part of `max_lifetime` by which each connection's own may be shorter, at random. 0..0.9.
  double lifetime_jitter = defaults::pool_lifetime_jitter;
  /// A connection unused for so long is closed, down to `min_idle`. 100 ms..7 d.
  std::chrono::milliseconds idle_timeout = defaults::pool_idle_timeout;
  /// A connection unused for so long is pinged before it is handed out. 0 (always)..1 h.
  std::chrono::milliseconds validate_after_idle = defaults::pool_validate_after_idle;
  /// A lease held for so long is reported with its borrower's source line. 0 (never)..1 d.
  std::chrono::milliseconds leak_warning_after = defaults::pool_leak_warning_after;
};

/// The prepared statements of each connection.
struct statement_cache_options {
  /// Whether statements are prepared. Off behind proxies that share a server connection between
  /// transactions and do not track prepared statements (PgBouncer before 1.21 in transaction mode).
  bool enabled = defaults::statement_cache_enabled;
  /// Statements kept per connection; the least recently used one goes first. 1..65536.
  std::size_t size = defaults::statement_cache_size;
};

/// What notices a peer that went silent below the protocol. Keepalives and `user_timeout` are set on the client's end and
/// on the server's.
struct tcp_options {
  /// Rest after which the first keepalive is sent. 1 s..32767 s, whole seconds.
  std::chrono::seconds keepalives_idle = defaults::tcp_keepalives_idle;
  /// Between keepalives that were not answered. 1 s..32767 s, whole seconds.
  std::chrono::seconds keepalives_interval = defaults::tcp_keepalives_interval;
  /// Unanswered keepalives after which the connection is lost. 1..127.
  std::size_t keepalives_count = defaults::tcp_keepalives_count;
  /// Sent data not acknowledged for so long: the connection is lost.
  /// 0 (the kernel's own bound)..1 d.
  std::chrono::milliseconds user_timeout = defaults::tcp_user_timeout;
  /// How often the server looks, while it runs a statement, whether its client is still there.
  /// 0 (never)..1 h.
  std::chrono::milliseconds client_connection_check_interval = defaults::tcp_client_connection_check_interval;
};

/// Everything that can be set about a database: where it is and how it is used.
///
///     bw::config config;                                         // every field has a sane default
///     config.nodes = {"postgresql://app@db1/shop", "postgresql://app@db2/shop"};
///     BOOST_OUTCOME_TRY(auto db, bw::database::open(config));    // calls validate()
///
/// Or from outside: `from_file`, `from_environment`, or the environment over a file:
/// `config::from_environment(file_config)`. The loaders check every value they are given; that
/// there is a node at all, and that fields agree with each other, is for `validate`.
/// docs/configuration.md has every field with its environment variable. An aggregate without locks:
/// fill it in one thread, then share it as const.
struct config {
  /// Connection strings of the servers, in either of libpq's forms. Which one is the primary is
  /// discovered and followed, so their order says nothing. At least one.
  std::vector<std::string> nodes = {};
  /// The name the servers show in pg_stat_activity. At most 63 bytes of printable
  /// ASCII; empty sets none.
  std::string application_name = std::string(defaults::application_name);
  /// How fresh reads are where the session does not say.
  breakwater::consistency consistency = defaults::read_consistency;
  /// What stands between the library and the servers; docs/pgbouncer.md says what each means.
  breakwater::pooler pooler = defaults::pooler;
  /// A pooler of transactions keeps prepared statements apart and brings them along (PgBouncer 1.21 and later with
  /// max_prepared_statements). Without, nothing is prepared behind one.
  bool pooler_prepares = defaults::pooler_prepares;
  /// Longest wait for one connection to be made. 10 ms..10 min.
  std::chrono::milliseconds connect_timeout = defaults::connect_timeout;
  /// Deadline of an operation where the session does not say, retries and queueing included.
  /// 1 ms..1 d; there is no "none": an operation that may take long gets a large value.
  std::chrono::milliseconds operation_timeout = defaults::operation_timeout;
  /// The server ends a transaction whose client is silent for so long. 0 (never)..1 d.
  std::chrono::milliseconds idle_in_transaction_session_timeout = defaults::idle_in_transaction_session_timeout;
  /// How long a shutdown lets running operations finish before it cancels them. 0 (at once)..1 h.
  std::chrono::milliseconds shutdown_grace = defaults::shutdown_grace;
  pool_options pool = {};
  statement_cache_options statement_cache = {};
  tcp_options tcp = {};
  retry_options retry = {};
  retry_budget_options retry_budget = {};
  /// Of each node and class of statement.
  circuit_breaker_options breaker = {};
  /// Of each node.
  limiter_options limiter = {};
  hedge_options hedge = {};
  outcome_guard_options outcome_guard = {};
  monitor_options monitor = {};
  ejection_options ejection = {};
  routing_options routing = {};
  secret_options secrets = {};
  /// Where user names and passwords come from, in place of the connection strings and of `secrets.from`.
  std::shared_ptr<breakwater::secret_provider> secret_provider = nullptr;
  tenancy_options tenancy = {};
  /// What is each tenant's. None: there are no tenants, and a session that names one is refused.
  breakwater::tenant_resolver tenant_resolver = nullptr;
  /// Told what the library does, for metrics, traces and logs. None costs nothing.
  std::shared_ptr<breakwater::observer> observer = nullptr;
  /// Told of every row that repositories change, inside the transaction that changes it. None costs nothing.
  std::shared_ptr<breakwater::auditor> auditor = nullptr;

  /// The defaults with this one node. Errors: those of `dsn::parse`.
  [[nodiscard]] static result<config> from_dsn(std::string_view dsn);
  /// The defaults with what a JSON file sets. Unknown keys, wrong types and values that are not
  /// allowed are errors; all of them are reported at once. Errors: `errc::invalid_argument`.
  [[nodiscard]] static result<config> from_file(const std::string& path);
  /// The defaults with what environment variables set: `BREAKWATER_POOL_SIZE` is `pool.size`. The
  /// nodes are taken from `BREAKWATER_NODES` (several, separated by `;` or line ends), else from
  /// `BREAKWATER_DSN` (one), else from `DATABASE_URL`. A variable with this prefix that is no field
  /// is an error, to catch misspelt ones. Errors: `errc::invalid_argument`. Reads the process's
  /// environment: nobody may change it meanwhile.
  [[nodiscard]] static result<config> from_environment(std::string_view prefix = "BREAKWATER_");
  /// The same over `base` in place of the defaults. `DATABASE_URL` only serves where `base` has
  /// no nodes.
  [[nodiscard]] static result<config> from_environment(config base, std::string_view prefix = "BREAKWATER_");
};

/// Checks the whole: at least one node, every DSN, every range, and fields against each other.
/// Errors: `errc::invalid_argument` naming EVERY bad field, what it is (secrets apart) and
/// what is allowed.
[[nodiscard]] result<void> validate(const config& settings);

/// One line per field, `name = value`, for logs and support: every secret in it is masked.
[[nodiscard]] std::string to_string(const config& settings);

/// What there is to know about one field of `config`, for tools and documentation.
struct config_field {
  std::string name;           ///< as in a file's nesting and in errors: "pool.size"
  std::string variable;       ///< environment variable with the default prefix: "BREAKWATER_POOL_SIZE"
  std::string type;           ///< what a file must hold: "a whole number", "a duration"
  std::string allowed;        ///< "1..10000"
  std::string default_value;  ///< "10"; empty where there is none
};

/// Every field that can be loaded, in the order of `to_string`.
[[nodiscard]] std::vector<config_field> config_fields();

}  // namespace breakwater
