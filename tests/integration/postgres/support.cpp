#include "support.hpp"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <optional>
#include <thread>
#include <utility>

namespace breakwater::postgres::test {
namespace {

std::optional<testing::cluster> the_server;

/// Ends the server with the tests rather than with the process.
class server_end final : public ::testing::Environment {
 public:
  void TearDown() override { the_server.reset(); }
};
[[maybe_unused]] const auto* const end =
    ::testing::AddGlobalTestEnvironment(new server_end);  // NOLINT: GoogleTest owns it

}  // namespace

testing::cluster& server() {
  if (!the_server) {
    auto started = testing::cluster::start({.settings = {{"deadlock_timeout", "200ms"}}});
    if (!started) {
      std::cerr << "no server: " << started.error().message() << '\n';
      std::exit(EXIT_FAILURE);
    }
    the_server = std::move(started).value();
  }
  return *the_server;
}

bool eventually(const std::function<bool()>& is_so) {
  const auto until = clock_type::now() + patience;
  while (!is_so()) {
    if (clock_type::now() > until) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

std::string ask(std::string_view sql) {
  const auto answer = server().query_value(sql);
  return answer ? answer.value() : "error: " + answer.error().message();
}

void arrange(std::string_view sql) {
  const auto done = server().execute(sql);
  ASSERT_TRUE(succeeds(done)) << sql;
}

statement read(std::string_view sql) noexcept {
  return {
      .sql = sql, .name = "test.read", .operation = "SQL", .print = fingerprint(sql), .kind = statement_class::read};
}

statement write(std::string_view sql) noexcept {
  return {
      .sql = sql, .name = "test.write", .operation = "SQL", .print = fingerprint(sql), .kind = statement_class::write};
}

std::string value_of(const result<rows>& answer) {
  if (!answer) return "error: " + answer.error().message();
  const rows& all = answer.assume_value();
  if (all.empty() || all.columns() == 0) return "no rows: " + std::string(all.command_tag());
  return all.at(0, 0).null ? "NULL" : std::string(all.at(0, 0).text);
}

std::chrono::milliseconds since(clock_type::time_point started) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock_type::now() - started);
}

void recorder::on_connection_opened(const connection_event& event) noexcept {
  const std::lock_guard lock(mutex_);
  if (event.failure == nullptr) {
    ++opened_;
  } else {
    failed_at_.push_back(clock_type::now());
  }
}
void recorder::on_connection_closed(const connection_event& event) noexcept {
  const std::lock_guard lock(mutex_);
  closed_.push_back(event.reason);
}
void recorder::on_lease_wait(const lease_wait_event& event) noexcept {
  const std::lock_guard lock(mutex_);
  if (event.timed_out) ++waits_timed_out_;
}
void recorder::on_lease_leak(const lease_leak_event& event) noexcept {
  const std::lock_guard lock(mutex_);
  leaks_.push_back({.held = event.held, .borrower = event.borrower});
}
void recorder::on_node_change(const node_event& event) noexcept {
  const std::lock_guard lock(mutex_);
  roles_.push_back(event.now);
}

int recorder::opened() const {
  const std::lock_guard lock(mutex_);
  return opened_;
}
std::vector<clock_type::time_point> recorder::failed_at() const {
  const std::lock_guard lock(mutex_);
  return failed_at_;
}
std::vector<close_reason> recorder::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}
std::vector<recorder::leak> recorder::leaks() const {
  const std::lock_guard lock(mutex_);
  return leaks_;
}
std::vector<node_role> recorder::roles() const {
  const std::lock_guard lock(mutex_);
  return roles_;
}
int recorder::waits_timed_out() const {
  const std::lock_guard lock(mutex_);
  return waits_timed_out_;
}

connection_settings settings_for(std::string_view text) {
  auto address = dsn::parse(text).value();
  std::string name = address.node_name();
  return {.address = std::move(address),
          .node = std::move(name),
          .application_name = "breakwater test",
          .connect_timeout = 10s,
          .statement_timeout = 30s,
          .idle_in_transaction_timeout = 30s,
          .statement_cache_size = 64,
          .tcp = {}};
}

client::client(pool_options options) : client(options, settings_for(server().dsn())) {}

client::client(pool_options options, connection_settings settings)
    : connections(options, std::make_shared<const connection_settings>(std::move(settings)), background, &events) {}

client::~client() {
  EXPECT_TRUE(connections.close(deadline::after(5s))) << "a lease was not given back";
  background.stop();
}

result<rows> client::run(const statement& what, deadline until, const std::stop_token* cancel) {
  return run(what, parameters{}, until, cancel);
}

result<rows> client::run(const statement& what, const parameters& values, deadline until,
                         const std::stop_token* cancel) {
  return statements.run(
      {.what = what, .values = values, .until = until, .cancel = cancel, .where = source_location::current()});
}

result<lease> client::borrow(deadline until, const std::stop_token* cancel, source_location where) {
  return connections.acquire(until, cancel, where);
}

bool client::is_quiet() const {
  const pool_counts now = connections.counts();
  return now.idle == now.open && now.connecting == 0 && now.waiting == 0;
}

std::unique_ptr<connection> connect(connection_settings settings) {
  auto made = connection::open(std::make_shared<const connection_settings>(std::move(settings)),
                               deadline::after(patience), nullptr);
  EXPECT_TRUE(succeeds(made));
  return made ? std::move(made).value() : nullptr;
}

result<rows> run_on(connection& on, const statement& what, const parameters& values, deadline until,
                    const std::stop_token* cancel) {
  const command only{.what = &what, .values = &values};
  return on.run({.commands = {&only, 1}, .until = until, .cancel = cancel});
}

int backend_of(connection& on) { return std::stoi(value_of(run_on(on, read("select pg_backend_pid()")))); }

bool is_working(int backend) {
  return ask("select count(*) from pg_stat_activity where state = 'active' and pid = " + std::to_string(backend)) ==
         "1";
}

bool is_waiting_for(int backend, std::string_view event) {
  return ask("select count(*) from pg_stat_activity where '" + std::string(event) +
             "' in (wait_event_type, wait_event) and pid = " + std::to_string(backend)) == "1";
}

bool is_gone(int backend) { return ::kill(backend, 0) != 0 && errno == ESRCH; }

void terminate(int backend) { EXPECT_EQ(ask("select pg_terminate_backend(" + std::to_string(backend) + ")"), "t"); }

frozen::frozen(pid_t process) : process_(process) {
  EXPECT_EQ(::kill(process, SIGSTOP), 0);
  // The signal is on its way; wait until the kernel says that it has stopped.
  EXPECT_TRUE(eventually([process] {
    std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
    std::string line;
    std::getline(stat, line);
    const auto name_end = line.rfind(')');
    return name_end != std::string::npos && line.size() > name_end + 2 && line[name_end + 2] == 'T';
  }));
}

void frozen::thaw() {
  if (process_ == 0) return;
  ::kill(process_, SIGCONT);
  process_ = 0;
}

}  // namespace breakwater::postgres::test
