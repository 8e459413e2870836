// How a connection is made, and what is said when none can be.

#include "proxy.hpp"
#include "support.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace breakwater::postgres::test {
namespace {

error refusal(connection_settings settings, std::chrono::milliseconds within = 10s) {
  return error_of(connection::open(std::make_shared<const connection_settings>(std::move(settings)),
                                   deadline::after(within), nullptr));
}

connection_settings with(std::string_view keyword, std::string_view value) {
  auto settings = settings_for(server().dsn());
  settings.address = settings.address.with(keyword, value).value();
  return settings;
}

/// A port at which something listens that never says a word.
class silent_listener {
 public:
  silent_listener() {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(socket_, 16), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~silent_listener() { close(); }
  silent_listener(const silent_listener&) = delete;
  silent_listener& operator=(const silent_listener&) = delete;
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  [[nodiscard]] std::string dsn() const {
    return "postgresql://app:secret@127.0.0.1:" + std::to_string(port_) + "/app";
  }

 private:
  int socket_ = -1;
  std::uint16_t port_ = 0;
};

TEST(connecting, sets_the_session_up_for_the_codecs_whatever_the_roles_own_settings) {
  arrange("alter role app set datestyle = 'German'");
  arrange("alter role app set bytea_output = 'escape'");
  arrange("alter role app set intervalstyle = 'iso_8601'");
  arrange("alter role app set extra_float_digits = -5");
  auto link = connect();
  EXPECT_EQ(value_of(run_on(*link, read("show datestyle"))), "ISO, DMY");
  EXPECT_EQ(value_of(run_on(*link, read("select date '2026-11-20'"))), "2026-11-20");
  EXPECT_EQ(value_of(run_on(*link, read("select '\\x00ff'::bytea"))), "\\x00ff");
  EXPECT_EQ(value_of(run_on(*link, read("select interval '1 day'"))), "1 day");
  EXPECT_EQ(value_of(run_on(*link, read("select 1/3::float8"))), "0.3333333333333333");
  EXPECT_EQ(value_of(run_on(*link, read("show statement_timeout"))), "30s");
  EXPECT_EQ(value_of(run_on(*link, read("show idle_in_transaction_session_timeout"))), "30s");
  EXPECT_EQ(value_of(run_on(*link, read("show client_connection_check_interval"))), "2s");
  EXPECT_EQ(value_of(run_on(*link, read("show client_encoding"))), "UTF8");
  EXPECT_EQ(value_of(run_on(*link, read("show application_name"))), "breakwater test");
  arrange("alter role app reset all");
}

TEST(connecting, tells_which_server_process_it_is) {
  arrange("alter role app set datestyle = 'German'");
  auto link = connect();
  arrange("alter role app reset all");
  const server_process& its = link->process();
  EXPECT_TRUE(its.is_settled());
  EXPECT_TRUE(its.is_direct);
  EXPECT_EQ(its.number, std::to_string(backend_of(*link)));
  EXPECT_EQ(ask("select backend_start = '" + its.start + "' from pg_stat_activity where pid = " + its.number), "t");
}

TEST(connecting, through_a_proxy_with_keys_of_its_own_does_not_tell_the_process) {
  proxy between(server().primary().port());
  between.hand_out_own_keys();
  auto settings = settings_for(server().dsn());
  settings.address = settings.address.with("port", std::to_string(between.port())).value();
  auto link = connect(settings);
  EXPECT_FALSE(link->process().is_settled());
  EXPECT_FALSE(link->process().is_direct);
}

TEST(connecting, without_the_right_to_look_at_processes_goes_without) {
  arrange("revoke execute on function pg_catalog.pg_stat_get_activity(integer) from public");
  auto link = connect();
  arrange("grant execute on function pg_catalog.pg_stat_get_activity(integer) to public");
  ASSERT_TRUE(link);
  EXPECT_FALSE(link->process().is_settled());
  EXPECT_EQ(value_of(run_on(*link, read("show client_connection_check_interval"))), "2s");
}

TEST(connecting, takes_the_dsns_own_settings_over_the_defaults) {
  auto link = connect(with("application_name", "from the dsn"));
  EXPECT_EQ(value_of(run_on(*link, read("show application_name"))), "from the dsn");
}

TEST(connecting, to_a_port_where_nobody_listens_fails_at_once) {
  silent_listener listener;
  const std::string nobody = listener.dsn();
  listener.close();
  const auto started = clock_type::now();
  const error refused = refusal(settings_for(nobody));
  EXPECT_EQ(refused.code(), errc::connection_failed);
  EXPECT_TRUE(refused.is_transient());
  EXPECT_NE(refused.message().find("refused"), std::string::npos) << refused.message();
  EXPECT_FALSE(refused.node().empty());
  EXPECT_LT(since(started), 2s);
}

TEST(connecting, with_a_wrong_password_says_so_and_keeps_the_password_to_itself) {
  const error refused = refusal(with("password", "not-the-password"));
  EXPECT_EQ(refused.code(), errc::authentication_failed);
  EXPECT_EQ(refused.sqlstate(), "28P01");
  EXPECT_FALSE(refused.is_transient());
  EXPECT_EQ(refused.message().find("not-the-password"), std::string::npos) << refused.message();
}

TEST(connecting, without_a_password_says_that_there_is_none) {
  const error refused = refusal(with("password", ""));
  EXPECT_NE(refused.message().find("password"), std::string::npos) << refused.message();
}

TEST(connecting, to_a_database_that_does_not_exist_is_refused) {
  const error refused = refusal(with("dbname", "nowhere"));
  EXPECT_EQ(refused.code(), errc::authentication_failed);
  EXPECT_EQ(refused.sqlstate(), "3D000");
}

TEST(connecting, to_a_server_without_a_free_slot_is_a_lack_of_resources) {
  arrange("alter role app connection limit 0");
  const error refused = refusal(settings_for(server().dsn()));
  arrange("alter role app connection limit -1");
  EXPECT_EQ(refused.code(), errc::resource_exhausted);
  EXPECT_EQ(refused.sqlstate(), "53300");
  EXPECT_TRUE(refused.is_transient());
}

TEST(connecting, to_a_peer_that_says_nothing_ends_at_the_connect_timeout) {
  const silent_listener listener;
  const auto started = clock_type::now();
  const error overdue = refusal(settings_for(listener.dsn()), 100ms);
  EXPECT_EQ(overdue.code(), errc::connection_failed);
  EXPECT_NE(overdue.message().find("timeout"), std::string::npos) << overdue.message();
  EXPECT_GE(since(started), 100ms);
  EXPECT_LT(since(started), 2s);
}

TEST(connecting, ends_when_it_is_cancelled) {
  const silent_listener listener;
  std::stop_source source;
  source.request_stop();
  const std::stop_token token = source.get_token();
  const auto stopped = error_of(connection::open(
      std::make_shared<const connection_settings>(settings_for(listener.dsn())), deadline::after(patience), &token));
  EXPECT_EQ(stopped.code(), errc::cancelled);
}

TEST(connecting, a_caller_with_a_deadline_shorter_than_the_connect_timeout_is_not_held_up) {
  const silent_listener listener;
  auto settings = settings_for(listener.dsn());
  settings.connect_timeout = 500ms;
  client callers({.size = 1}, settings);
  const auto started = clock_type::now();
  const error overdue = error_of(callers.run(read("select 1"), deadline::after(50ms)));
  EXPECT_EQ(overdue.code(), errc::deadline_exceeded);
  EXPECT_EQ(overdue.applied(), applied::no);
  EXPECT_GE(since(started), 50ms);
  EXPECT_LT(since(started), 300ms);
}

TEST(connecting, to_a_replica_makes_a_session_that_can_not_write_even_after_a_promotion) {
  // See replication_test.cpp; here: a primary's session can.
  auto link = connect();
  EXPECT_FALSE(link->was_replica());
  EXPECT_FALSE(link->is_replica());
  EXPECT_EQ(value_of(run_on(*link, read("show default_transaction_read_only"))), "off");
}

}  // namespace
}  // namespace breakwater::postgres::test
