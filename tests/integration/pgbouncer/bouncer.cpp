#include "bouncer.hpp"

#include "testing/child_process.hpp"
#include "testing/guardian.hpp"
#include "testing/loopback_port.hpp"
#include "testing/unique_fd.hpp"
#include "testing/wait_until.hpp"
#include "testing/workspace.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <utility>

namespace tests {
namespace {

namespace detail = bw::testing::detail;
using bw::errc;

constexpr auto start_timeout = std::chrono::seconds(20);

/// The parts of "postgresql://user:password@127.0.0.1:port/database", which is how a cluster writes its DSNs.
struct dsn_parts {
  std::string user;
  std::string password;
  std::string database;
};

dsn_parts take_apart(const std::string& dsn) {
  const auto user = dsn.find("//") + 2;
  const auto password = dsn.find(':', user) + 1;
  const auto host = dsn.find('@', password) + 1;
  const auto database = dsn.find('/', host) + 1;
  return {.user = dsn.substr(user, password - 1 - user),
          .password = dsn.substr(password, host - 1 - password),
          .database = dsn.substr(database)};
}

/// The folder with PgBouncer's program, or empty.
std::string folder_of_program() {
  for (const char* folder : {"/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"}) {
    if (::access((std::string(folder) + "/pgbouncer").c_str(), X_OK) == 0) return folder;
  }
  return {};
}

std::string configuration(std::uint16_t port, std::uint16_t server_port, const std::string& folder,
                          const bouncer_options& options) {
  std::string text = "[databases]\n* = host=127.0.0.1 port=" + std::to_string(server_port) + "\n[pgbouncer]\n";
  text.append("listen_addr = 127.0.0.1\nlisten_port = ").append(std::to_string(port));
  text.append("\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = ").append(folder).append("/users\n");
  text.append("pool_mode = ").append(options.mode == pooling::session ? "session" : "transaction");
  text.append("\ndefault_pool_size = ").append(std::to_string(options.pool_size));
  // A server that was away is tried again at once, not after 15 s.
  text.append("\nmax_client_conn = 500\nserver_login_retry = 0.1\n").append(options.settings).append("\n");
  return text;
}

bool accepts_connections(std::uint16_t port) {
  const detail::unique_fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

std::string_view chosen_way() {
  const char* const given = std::getenv("BW_TEST_THROUGH");  // NOLINT(concurrency-mt-unsafe): nobody changes it
  const std::string_view way = given == nullptr ? std::string_view{} : given;
  if (way.empty() || way == "pgbouncer-session" || way == "pgbouncer-transaction") return way;
  std::cerr << "BW_TEST_THROUGH is " << way << "; it can be pgbouncer-session or pgbouncer-transaction\n";
  std::exit(1);
}

}  // namespace

struct bouncer::process {
  detail::workspace space;
  detail::guardian keeper;  // ends it and removes its folder, with us or after us
  detail::child_process child;
  std::string log;
};

bouncer::bouncer() noexcept = default;
bouncer::bouncer(bouncer&&) noexcept = default;
bouncer& bouncer::operator=(bouncer&&) noexcept = default;
bouncer::~bouncer() = default;

bw::result<bouncer> bouncer::start(const bw::testing::cluster& before, bw::testing::node node,
                                   const bouncer_options& options) {
  const std::string binaries = folder_of_program();
  if (binaries.empty()) return bw::error(errc::internal, "there is no pgbouncer; apt-get install pgbouncer");
  BOOST_OUTCOME_TRY(auto space, detail::workspace::open("/tmp", binaries));
  const std::string folder = space.folder();
  BOOST_OUTCOME_TRY(auto keeper,
                    detail::guardian::post({.folder = folder, .binaries = binaries, .server_folders = {folder}}));

  const std::string direct = before.dsn(node);
  const dsn_parts app = take_apart(direct);
  const dsn_parts admin = take_apart(before.admin_dsn(node));
  std::string users;
  for (const dsn_parts& each : {app, admin}) users += '"' + each.user + "\" \"" + each.password + "\"\n";
  BOOST_OUTCOME_TRY(space.write(folder + "/users", users));
  BOOST_OUTCOME_TRY(const auto port, detail::free_loopback_port());
  const std::uint16_t server_port = options.server_port == 0 ? node.port() : options.server_port;
  BOOST_OUTCOME_TRY(space.write(folder + "/pgbouncer.ini", configuration(port, server_port, folder, options)));

  const std::string log = folder + "/log";
  BOOST_OUTCOME_TRY(auto child, space.spawn("pgbouncer", {folder + "/pgbouncer.ini"}, folder, log));
  const auto until = bw::deadline::after(start_timeout);
  if (!detail::wait_until(until, [&] { return accepts_connections(port) || !child.is_running(); }) ||
      !child.is_running()) {
    return bw::error(errc::internal, "pgbouncer " + child.state() + detail::last_lines(log));
  }

  bouncer started;
  started.process_ = std::make_unique<process>(
      process{.space = std::move(space), .keeper = std::move(keeper), .child = std::move(child), .log = log});
  started.port_ = port;
  started.dsn_ =
      "postgresql://" + app.user + ':' + app.password + "@127.0.0.1:" + std::to_string(port) + '/' + app.database;
  return started;
}

std::string bouncer::log() const { return detail::read_file(process_->log); }

bool is_through_bouncer() { return !chosen_way().empty(); }
bool is_through_transaction_bouncer() { return chosen_way() == "pgbouncer-transaction"; }

void way_to::lead(bw::config& settings) const {
  settings.nodes = dsns_;
  // The other mode is found out.
  if (is_through_bouncer() && !is_through_transaction_bouncer()) settings.pooler = bw::pooler::session;
}

way_to::way_to(const bw::testing::cluster& cluster) : dsns_(cluster.dsns()) {
  if (!is_through_bouncer()) return;
  const auto mode = is_through_transaction_bouncer() ? pooling::transaction : pooling::session;
  dsns_.clear();
  for (const bw::testing::node node : cluster.nodes()) {
    // In session mode every connection of a test keeps one to the server for as long as it lives.
    auto started =
        bouncer::start(cluster, node, {.mode = mode, .pool_size = 80, .settings = "query_wait_timeout = 1\n"});
    if (!started) {
      std::cerr << "no pgbouncer: " << started.error().message() << '\n';
      std::exit(1);
    }
    between_.push_back(std::move(started).value());
    dsns_.push_back(between_.back().dsn());
  }
}

}  // namespace tests
