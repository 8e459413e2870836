#include "core/node_zones.hpp"
#include <breakwater/core/config.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono_literals;

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

bw::config with_node() { return {.nodes = {"postgresql://app@db1/shop"}}; }

template <class T>
std::string refusal(const bw::result<T>& result) {
  EXPECT_FALSE(result) << "was accepted";
  if (result) return {};
  EXPECT_EQ(result.error(), bw::errc::invalid_argument);
  return result.error().message();
}

template <class T>
void expect_accepted(const bw::result<T>& result) {
  EXPECT_TRUE(result) << (result ? "" : result.error().message());
}

/// Sets environment variables for one test.
class variables {
 public:
  variables(std::initializer_list<std::pair<const char*, const char*>> values) {
    for (const auto& [name, value] : values) {
      ::setenv(name, value, 1);
      names_.emplace_back(name);
    }
  }
  ~variables() {
    for (const std::string& name : names_) ::unsetenv(name.c_str());
  }
  variables(const variables&) = delete;
  variables& operator=(const variables&) = delete;

 private:
  std::vector<std::string> names_;
};

/// A file for one test.
class file {
 public:
  explicit file(std::string_view text)
      : path_(std::filesystem::temp_directory_path() / ("breakwater_config_" + std::to_string(::getpid()) + ".json")) {
    std::ofstream(path_) << text;
  }
  ~file() { std::filesystem::remove(path_); }
  file(const file&) = delete;
  file& operator=(const file&) = delete;
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

bw::result<bw::config> load(std::string_view text) { return bw::config::from_file(file(text).path()); }

// Validation

TEST(config, every_field_has_a_default_that_is_allowed) {
  expect_accepted(bw::validate(with_node()));
  EXPECT_FALSE(bw::config{}.pool.size);
  EXPECT_EQ(bw::config{}.operation_timeout, 5s);
  EXPECT_EQ(bw::config{}.consistency, bw::consistency::read_your_writes);
}

TEST(config, nodes_are_required) { EXPECT_TRUE(holds(refusal(bw::validate(bw::config{})), "`nodes` is empty")); }

TEST(config, every_bad_value_is_reported_at_once_with_what_is_allowed) {
  bw::config settings;
  settings.nodes = {"postgresql://app@db1/shop", "host=db2 port=0", ""};
  settings.application_name = "caf\xc3\xa9";
  settings.connect_timeout = 0ms;
  settings.operation_timeout = 0ms;
  settings.pool.size = 0;
  settings.pool.lifetime_jitter = 1.5;
  settings.tcp.keepalives_idle = 0s;
  settings.tcp.keepalives_count = 1000;
  const std::string message = refusal(bw::validate(settings));
  for (const std::string_view part :
       {"`nodes[1]`: `port` must be a whole number in 1..65535", "`nodes[2]`: the connection string is empty",
        "`application_name` is text of 5 bytes", "`connect_timeout` is 0ms", "10ms..10min",
        "`operation_timeout` is 0ms", "1ms..1d", "`pool.size` is 0; it must be a whole number (1..10000 or automatic)",
        "`pool.lifetime_jitter` is 1.5", "0..0.9", "`tcp.keepalives_idle` is 0ms", "`tcp.keepalives_count` is 1000",
        "1..127"}) {
    EXPECT_TRUE(holds(message, part)) << part << "\n" << message;
  }
  EXPECT_FALSE(holds(message, "nodes[0]")) << message;
}

TEST(config, every_bounded_field_refuses_the_values_beside_its_range) {
  const auto refused = [](auto change) {
    bw::config settings = with_node();
    change(settings);
    return !bw::validate(settings);
  };
  EXPECT_FALSE(refused([](auto& c) { c.pool.size = 10'000; }));
  EXPECT_TRUE(refused([](auto& c) { c.pool.size = 10'001; }));
  EXPECT_FALSE(refused([](auto& c) { c.operation_timeout = 24h; }));
  EXPECT_TRUE(refused([](auto& c) { c.operation_timeout = 24h + 1ms; }));
  EXPECT_TRUE(refused([](auto& c) { c.operation_timeout = -1ms; }));
  EXPECT_TRUE(refused([](auto& c) { c.operation_timeout = std::chrono::milliseconds::max(); }));
  EXPECT_TRUE(refused([](auto& c) { c.operation_timeout = std::chrono::milliseconds::min(); }));
  EXPECT_TRUE(refused([](auto& c) { c.tcp.keepalives_idle = std::chrono::seconds::max(); }));
  EXPECT_TRUE(refused([](auto& c) { c.tcp.keepalives_idle = std::chrono::seconds::min(); }));
  EXPECT_TRUE(refused([](auto& c) { c.pool.lifetime_jitter = std::nan(""); }));
  EXPECT_TRUE(refused([](auto& c) { c.pool.lifetime_jitter = -0.1; }));
  EXPECT_TRUE(refused([](auto& c) { c.pool.max_waiters = 0; })) << "who opens the first connection waits for it";
  EXPECT_TRUE(refused([](auto& c) { c.consistency = bw::consistency::bounded(0ms); }));
  EXPECT_TRUE(refused([](auto& c) { c.consistency = bw::consistency::bounded(24h + 1ms); }));
  EXPECT_FALSE(refused([](auto& c) { c.consistency = bw::consistency::bounded(24h); }));
  EXPECT_TRUE(refused([](auto& c) { c.retry.jitter = static_cast<bw::jitter>(9); }));
  EXPECT_TRUE(refused([](auto& c) { c.limiter.algorithm = static_cast<bw::limit_algorithm>(9); }));
  EXPECT_TRUE(refused([](auto& c) { c.retry.base = c.retry.cap + 1ms; }));
  EXPECT_TRUE(refused([](auto& c) { c.limiter.min = c.limiter.max + 1; }));
  EXPECT_TRUE(refused([](auto& c) { c.breaker.failure_ratio = 0; }));
  EXPECT_TRUE(refused([](auto& c) { c.application_name = std::string(64, 'x'); }));
}

TEST(config, zero_turns_off_what_can_be_turned_off) {
  bw::config settings = with_node();
  settings.idle_in_transaction_session_timeout = 0ms;
  settings.shutdown_grace = 0ms;
  settings.pool.validate_after_idle = 0ms;
  settings.pool.leak_warning_after = 0ms;
  settings.tcp.user_timeout = 0ms;
  settings.tcp.client_connection_check_interval = 0ms;
  expect_accepted(bw::validate(settings));
}

TEST(config, idle_connections_must_fit_the_pool) {
  bw::config settings = with_node();
  settings.pool.min_idle = 11;
  EXPECT_TRUE(bw::validate(settings));  // of an automatic size there are as many as fit
  settings.pool.size = 10;
  EXPECT_TRUE(
      holds(refusal(bw::validate(settings)), "`pool.min_idle` is 11; it must not be above `pool.size`, which is 10"));
}

TEST(config, same_server_twice_is_refused) {
  bw::config settings;
  settings.nodes = {"postgresql://app@db1/shop", "postgresql://app@db2/shop", "host=db1 port=5432 user=other"};
  EXPECT_TRUE(holds(refusal(bw::validate(settings)), "`nodes[2]` is the same server as `nodes[0]`"));
  settings.nodes = {"service=a", "service=b"};
  expect_accepted(bw::validate(settings));
}

TEST(config, zones_of_nodes_are_for_nodes_that_there_are) {
  bw::config settings;
  settings.nodes = {"postgresql://app@db1,db2:5433/shop", "host=::1"};
  settings.routing.zone = "a";
  EXPECT_TRUE(holds(refusal(bw::validate(settings)), "`routing.node_zones` does not say where the nodes are"));
  for (const std::string_view good : {"db1=a", "db1:5432=a, db2 = b", "db2:5433=a,[::1]:5432=b", "[::1]=eu-west 1"}) {
    settings.routing.node_zones = good;
    expect_accepted(bw::validate(settings));
  }
  const std::vector<std::pair<std::string_view, std::string_view>> cases{
      {"db1=a, db9=b", "entry 2 is for none of the nodes, which are db1:5432, db2:5433, [::1]:5432"},
      {"db2:5432=b", "entry 1 is for none of the nodes"},
      {"db1", "entry 1 is not a node and its zone"},
      {"db1=", "entry 1 is not a node and its zone"},
      {"=a", "entry 1 is not a node and its zone"},
      {"db1=a,,db2=a", "entry 2 is not a node and its zone"},
      {"db1=a,", "entry 2 is not a node and its zone"},
      {"db1=a, db1=b", "entry 2 names a node that an entry before it names"},
      {"caf\xc3\xa9=a", "`routing.node_zones` is text of 7 bytes"},
  };
  for (const auto& [text, part] : cases) {
    settings.routing.node_zones = text;
    const std::string message = refusal(bw::validate(settings));
    EXPECT_TRUE(holds(message, part)) << text << "\n" << message;
  }
}

TEST(config, zones_are_not_checked_against_nodes_whose_servers_a_file_names) {
  bw::config settings;
  settings.nodes = {"service=a"};
  settings.routing.node_zones = "db1=a";
  expect_accepted(bw::validate(settings));
}

TEST(config, zones_of_nodes_may_be_a_long_list_and_a_zone_has_a_name) {
  bw::config settings = with_node();
  settings.routing.node_zones = "db1=" + std::string(4092, 'z');
  expect_accepted(bw::validate(settings));
  settings.routing.node_zones += 'z';
  EXPECT_TRUE(holds(refusal(bw::validate(settings)), "at most 4096 bytes"));
  settings.routing = {.zone = std::string(64, 'z'), .node_zones = "db1=a"};
  EXPECT_TRUE(holds(refusal(bw::validate(settings)), "`routing.zone` is text of 64 bytes"));
}

TEST(config, mistake_in_the_zones_of_nodes_shows_no_secret) {
  bw::config settings = with_node();
  settings.routing.node_zones = "host=db1 password=hunter2";
  EXPECT_FALSE(holds(refusal(bw::validate(settings)), "hunter2"));
}

TEST(node_zones, zone_of_a_server_comes_before_that_of_its_host) {
  std::vector<std::string> problems;
  const auto zones = bw::node_zones::read(" db1=a, db1:5433=b ,[::1]=c", problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(zones.of("db1:5432"), "a");
  EXPECT_EQ(zones.of("db1:5433"), "b");
  EXPECT_EQ(zones.of("[::1]:5432"), "c");
  EXPECT_EQ(zones.of("db2:5432"), "");
  EXPECT_TRUE(bw::node_zones::read("  ", problems).empty());
  EXPECT_TRUE(problems.empty());
}

TEST(config, empty_application_name_is_allowed) {
  bw::config settings = with_node();
  settings.application_name = "";
  expect_accepted(bw::validate(settings));
}

// Printing

TEST(config, printed_form_has_every_field_and_no_secret) {
  bw::config settings;
  settings.nodes = {"postgresql://app:hunter2@db1/shop", "host=db2 password='hunter2", "host=db3"};
  settings.pool.max_lifetime = 90s;
  const std::string text = to_string(settings);
  EXPECT_FALSE(holds(text, "hunter2")) << text;
  EXPECT_TRUE(holds(text,
                    "nodes = user=app password=*** dbname=shop host=db1; (not a valid connection "
                    "string); host=db3\n"));
  EXPECT_TRUE(holds(text, "pool.max_lifetime = 90s\n"));
  EXPECT_TRUE(holds(text, "consistency = read_your_writes\n"));
  EXPECT_TRUE(holds(text, "observer = none\n"));
  for (const bw::config_field& field : bw::config_fields())
    EXPECT_TRUE(holds(text, "\n" + field.name + " = ") || field.name == "nodes");
}

// From a connection string

TEST(config, one_connection_string_is_a_configuration) {
  const auto settings = bw::config::from_dsn("postgresql://app@db1/shop");
  expect_accepted(settings);
  EXPECT_EQ(settings.value().nodes, std::vector<std::string>{"postgresql://app@db1/shop"});
  EXPECT_TRUE(holds(refusal(bw::config::from_dsn("")), "empty"));
}

TEST(config, bounded_consistency_is_written_with_its_lag) {
  auto c = bw::config::from_dsn("postgresql://app@db1/shop").value();
  c.consistency = bw::consistency::bounded(90s);
  EXPECT_TRUE(holds(to_string(c), "consistency = bounded(90s)\n"));
}

// From a file

TEST(config, file_may_bound_the_lag_of_reads) {
  const auto settings = load(R"json({"nodes": ["postgresql://app@db1/shop"], "consistency": "bounded(5s)"})json");
  expect_accepted(settings);
  EXPECT_EQ(settings.value().consistency, bw::consistency::bounded(5s));
  for (const char* wrong : {"bounded", "bounded()", "bounded(5s", "bounded(-1s)", "bounded(0)", "bounded(2d)"}) {
    const auto bad = load(R"({"nodes": ["postgresql://app@db1/shop"], "consistency": ")" + std::string(wrong) + "\"}");
    EXPECT_FALSE(bad.has_value() && validate(bad.value()).has_value()) << wrong;
  }
}

TEST(config, file_sets_what_it_names_and_leaves_the_rest) {
  const auto settings = load(R"({
    // comments are allowed
    "nodes": ["postgresql://app@db1/shop", "postgresql://app@db2/shop"],
    "application_name": "shop",
    "consistency": "eventual",
    "pooler": "transaction",
    "pooler_prepares": true,
    "operation_timeout": "250ms",
    "connect_timeout": 1500,
    "pool": {"size": 20, "lifetime_jitter": 0.5, "max_lifetime": "1h", "idle_timeout": "5min"},
    "statement_cache": {"enabled": false},
    "tcp": {"keepalives_idle": "7s", "keepalives_interval": 3000}
  })");
  expect_accepted(settings);
  const bw::config& c = settings.value();
  EXPECT_EQ(c.nodes.size(), 2U);
  EXPECT_EQ(c.application_name, "shop");
  EXPECT_EQ(c.consistency, bw::consistency::eventual);
  EXPECT_EQ(c.pooler, bw::pooler::transaction);
  EXPECT_TRUE(c.pooler_prepares);
  EXPECT_EQ(c.operation_timeout, 250ms);
  EXPECT_EQ(c.connect_timeout, 1500ms);
  EXPECT_EQ(c.pool.size, 20U);
  EXPECT_EQ(c.pool.lifetime_jitter, 0.5);
  EXPECT_EQ(c.pool.max_lifetime, 1h);
  EXPECT_EQ(c.pool.idle_timeout, 5min);
  EXPECT_FALSE(c.statement_cache.enabled);
  EXPECT_EQ(c.tcp.keepalives_idle, 7s);
  EXPECT_EQ(c.tcp.keepalives_interval, 3s);
  EXPECT_EQ(c.tcp.keepalives_count, bw::config{}.tcp.keepalives_count);
  EXPECT_EQ(c.pool.max_waiters, bw::config{}.pool.max_waiters);
}

TEST(config, file_without_nodes_is_for_the_environment_to_complete) { expect_accepted(load("{}")); }

TEST(config, unknown_key_in_a_file_is_answered_with_the_nearest_known_one) {
  EXPECT_TRUE(
      holds(refusal(load(R"({"pool": {"siez": 3}})")), "\"pool.siez\" is not a setting; did you mean `pool.size`?"));
  EXPECT_TRUE(holds(refusal(load(R"({"pol": {"size": 3}})")), "did you mean `pool`?"));
  EXPECT_TRUE(holds(refusal(load(R"({"pool.size": 3})")), "\"pool.size\" has a dot"));
  EXPECT_TRUE(holds(refusal(load(R"({"colour": 3})")), "\"colour\" is not a setting"));
}

TEST(config, wrong_type_in_a_file_names_field_and_expected_type) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases{
      {R"({"pool": {"size": "10"}})", "`pool.size` is \"10\"; it must be a whole number (1..10000 or automatic)"},
      {R"({"pool": {"size": 10.5}})", "`pool.size` is 10.5; it must be a whole number"},
      {R"({"pool": {"size": -1}})", "`pool.size` is -1; it must be a whole number (1..10000 or automatic)"},
      {R"({"pool": {"size": 0}})", "`pool.size` is 0; it must be a whole number (1..10000 or automatic)"},
      {R"({"pool": {"size": null}})", "`pool.size` is null"},
      {R"({"pool": 3})", "`pool` is 3; it must be an object"},
      {R"({"pool": {"lifetime_jitter": "a"}})", "it must be a number (0..0.9)"},
      {R"({"statement_cache": {"enabled": 1}})", "it must be true or false"},
      {R"({"operation_timeout": "soon"})", "`operation_timeout` is \"soon\"; it must be a duration such as 250ms"},
      {R"({"operation_timeout": 0.5})", "it must be a duration"},
      {R"({"operation_timeout": "5 parsecs"})", "it must be a duration"},
      {R"({"operation_timeout": "99999999999999999d"})", "it must be a duration"},
      {R"({"operation_timeout": "-5s"})", "`operation_timeout` is -5s"},
      {R"({"tcp": {"keepalives_idle": "1500ms"}})", "it must be a duration of whole seconds"},
      {R"({"consistency": "strong"})", "primary, read_your_writes, eventual or bounded(5s)"},
      {R"({"pooler": "statement"})", "automatic, none, session or transaction"},
      {R"({"application_name": 5})", "`application_name` is 5; it must be text"},
      {R"({"application_name": "a\u0000b"})", "`application_name` is text of 3 bytes"},
      {R"({"nodes": "postgresql://db1"})", "it must be a list of connection strings"},
      {R"({"nodes": ["host=db1", 3]})", "it must be a list of connection strings"},
      {R"({"nodes": ["host=db1", "host"]})", "`nodes[1]`: "},
      {R"([1])", "it must hold one JSON object"},
      {R"({"pool": {"size": 3, "size": 4}})", "\"size\" is given twice"},
  };
  for (const auto& [text, part] : cases) {
    const std::string message = refusal(load(text));
    EXPECT_TRUE(holds(message, part)) << text << "\n" << message;
  }
}

TEST(config, every_mistake_of_a_file_is_reported_at_once) {
  const std::string message = refusal(load(R"({"pool": {"size": 0, "siez": 1}, "conect_timeout": 1})"));
  EXPECT_TRUE(holds(message, "3 mistakes")) << message;
}

TEST(config, file_that_is_not_json_is_refused_by_position_without_its_text) {
  const std::string message = refusal(load("{\n  \"nodes\": [\"postgresql://app:hunter2@db1/shop\" oops]\n}"));
  EXPECT_TRUE(holds(message, "line 2, column ")) << message;
  for (const std::string_view text :
       {R"({"nodes": ["postgresql://app:hunter2@db1)", R"({"nodes": ["host=a password=hunter2\q"]})",
        R"({"nodes": "password=hunter2"})", R"({"nodes": ["host=a password='hunter2"]})",
        R"({"pool": {"size": "postgresql://app:hunter2@db1"}})", R"({"nodes": [hunter2]})",
        R"({"pool": 1e999, "a": "hunter2"})", R"({"nodes": {"password": "hunter2"}})", R"({"password=hunter2": 1})"}) {
    EXPECT_FALSE(holds(refusal(load(text)), "hunter2")) << text;
  }
  EXPECT_TRUE(holds(refusal(load("")), "line 1, column 1"));
}

TEST(config, file_that_can_not_be_read_is_named) {
  EXPECT_TRUE(
      holds(refusal(bw::config::from_file("/no/such/breakwater.json")), "/no/such/breakwater.json can not be read"));
  EXPECT_TRUE(holds(refusal(bw::config::from_file("/tmp")), "/tmp can not be read"));
}

// From the environment

TEST(config, environment_sets_what_it_names_and_leaves_the_rest) {
  const variables set{{"BREAKWATER_NODES", "postgresql://app@db1/shop;host=db2"},
                      {"BREAKWATER_POOL_SIZE", "20"},
                      {"BREAKWATER_POOL_LIFETIME_JITTER", "0.1"},
                      {"BREAKWATER_OPERATION_TIMEOUT", "250ms"},
                      {"BREAKWATER_CONNECT_TIMEOUT", "1500"},
                      {"BREAKWATER_STATEMENT_CACHE_ENABLED", "off"},
                      {"BREAKWATER_CONSISTENCY", "primary"},
                      {"BREAKWATER_POOLER", "session"},
                      {"BREAKWATER_TCP_KEEPALIVES_IDLE", "7s"}};
  const auto settings = bw::config::from_environment();
  expect_accepted(settings);
  const bw::config& c = settings.value();
  EXPECT_EQ(c.nodes, (std::vector<std::string>{"postgresql://app@db1/shop", "host=db2"}));
  EXPECT_EQ(c.pool.size, 20U);
  EXPECT_EQ(c.pool.lifetime_jitter, 0.1);
  EXPECT_EQ(c.operation_timeout, 250ms);
  EXPECT_EQ(c.connect_timeout, 1500ms);
  EXPECT_FALSE(c.statement_cache.enabled);
  EXPECT_EQ(c.consistency, bw::consistency::primary);
  EXPECT_EQ(c.pooler, bw::pooler::session);
  EXPECT_EQ(c.tcp.keepalives_idle, 7s);
  EXPECT_EQ(c.pool.max_waiters, bw::config{}.pool.max_waiters);
  expect_accepted(bw::validate(c));
}

TEST(config, nodes_are_separated_where_no_connection_string_is_cut) {
  const variables set{{"BREAKWATER_NODES",
                       "postgresql://app:it's@db1,db2/shop ; host=db3,db4 password='a;b\\'c\nd' ;; "
                       "host=db5 password=a\\;b\n"
                       "postgresql://db6;"}};
  const auto settings = bw::config::from_environment();
  expect_accepted(settings);
  EXPECT_EQ(settings.value().nodes,
            (std::vector<std::string>{"postgresql://app:it's@db1,db2/shop", "host=db3,db4 password='a;b\\'c\nd'",
                                      "host=db5 password=a\\;b", "postgresql://db6"}));
}

TEST(config, nodes_come_before_dsn_and_dsn_before_database_url) {
  const auto nodes = [] { return bw::config::from_environment().value().nodes; };
  const variables url{{"DATABASE_URL", "postgresql://db3"}};
  EXPECT_EQ(nodes(), std::vector<std::string>{"postgresql://db3"});
  const variables one{{"BREAKWATER_DSN", "host=db2 password='a;b'"}};
  EXPECT_EQ(nodes(), std::vector<std::string>{"host=db2 password='a;b'"}) << "a single DSN is never split";
  const variables all{{"BREAKWATER_NODES", "postgresql://db1"}};
  EXPECT_EQ(nodes(), std::vector<std::string>{"postgresql://db1"});
}

TEST(config, environment_lies_over_a_file) {
  const variables set{{"BREAKWATER_POOL_SIZE", "7"}, {"DATABASE_URL", "postgresql://db9"}};
  const auto base = load(R"({"nodes": ["postgresql://db1"], "pool": {"size": 20, "min_idle": 2}})");
  const auto settings = bw::config::from_environment(base.value());
  expect_accepted(settings);
  EXPECT_EQ(settings.value().pool.size, 7U);
  EXPECT_EQ(settings.value().pool.min_idle, 2U);
  EXPECT_EQ(settings.value().nodes, std::vector<std::string>{"postgresql://db1"})
      << "DATABASE_URL only stands in where there is no node";
}

TEST(config, misspelt_variable_is_answered_with_the_nearest_known_one) {
  const variables set{{"BREAKWATER_POOL_SIEZ", "20"}};
  const std::string message = refusal(bw::config::from_environment());
  EXPECT_TRUE(holds(message, "\"BREAKWATER_POOL_SIEZ\" is not a setting; did you mean `BREAKWATER_POOL_SIZE`?"))
      << message;
}

TEST(config, every_bad_variable_is_reported_at_once_and_no_secret) {
  const variables set{{"BREAKWATER_NODES", "postgresql://db1;postgresql://app:hunter2%zz@db2"},
                      {"BREAKWATER_POOL_SIZE", "many"},
                      {"BREAKWATER_POOL_MIN_IDLE", "postgresql://app:hunter2@db2"},
                      {"BREAKWATER_OPERATION_TIMEOUT", "0"},
                      {"BREAKWATER_STATEMENT_CACHE_ENABLED", "maybe"}};
  const std::string message = refusal(bw::config::from_environment());
  for (const std::string_view part :
       {"5 mistakes", "`BREAKWATER_NODES[1]`: ",
        "`BREAKWATER_POOL_SIZE` is \"many\"; it must be a whole number (1..10000 or automatic)",
        "`BREAKWATER_POOL_MIN_IDLE` is text of 28 bytes", "`BREAKWATER_OPERATION_TIMEOUT` is 0ms",
        "`BREAKWATER_STATEMENT_CACHE_ENABLED` is \"maybe\""}) {
    EXPECT_TRUE(holds(message, part)) << part << "\n" << message;
  }
  EXPECT_FALSE(holds(message, "hunter2")) << message;
}

TEST(config, database_url_that_is_no_connection_string_is_named) {
  const variables set{{"DATABASE_URL", "mysql://app:hunter2@db1/shop"}};
  const std::string message = refusal(bw::config::from_environment());
  EXPECT_TRUE(holds(message, "`DATABASE_URL`: the URI's scheme")) << message;
  EXPECT_FALSE(holds(message, "hunter2")) << message;
}

TEST(config, variable_set_to_nothing_counts_as_not_set) {
  const variables set{{"BREAKWATER_POOL_SIZE", ""}, {"BREAKWATER_NODES", ""}, {"DATABASE_URL", "postgresql://db1"}};
  const auto settings = bw::config::from_environment();
  expect_accepted(settings);
  EXPECT_EQ(settings.value().pool.size, bw::config{}.pool.size);
  EXPECT_EQ(settings.value().nodes.size(), 1U);
}

TEST(config, prefix_of_variables_can_be_another) {
  const variables set{{"SHOP_DB_POOL_SIZE", "7"}, {"SHOP_DB_DSN", "host=db1"}, {"BREAKWATER_POOL_SIZE", "8"}};
  const auto settings = bw::config::from_environment("SHOP_DB_");
  expect_accepted(settings);
  EXPECT_EQ(settings.value().pool.size, 7U);
  EXPECT_EQ(settings.value().nodes.size(), 1U);
  EXPECT_TRUE(holds(refusal(bw::config::from_environment("")), "prefix"));
}

// The table of fields

TEST(config, every_field_can_be_set_to_its_own_default_by_its_variable) {
  for (const bw::config_field& field : bw::config_fields()) {
    if (field.name == "nodes") continue;
    const variables set{{field.variable.c_str(), field.default_value.c_str()}};
    expect_accepted(bw::config::from_environment());
  }
}

TEST(config, every_field_stands_in_the_documentation_with_its_default_and_range) {
  // Not by __FILE__, which a compiler cache may have made relative to some folder.
  const auto page_path = std::filesystem::path(BW_SOURCE_FOLDER) / "docs/configuration.md";
  std::ifstream page_file(page_path);
  ASSERT_TRUE(page_file) << page_path;
  std::vector<std::string> lines;
  for (std::string line; std::getline(page_file, line);) lines.push_back(line);
  for (const bw::config_field& field : bw::config_fields()) {
    bool found = false;
    for (const std::string& line : lines) {
      if (!line.starts_with("| `" + field.name + "` |")) continue;
      found = true;
      EXPECT_TRUE(holds(line, "`" + field.variable + "`")) << field.name;
      EXPECT_TRUE(holds(line, field.allowed)) << field.name << ": " << field.allowed;
      EXPECT_TRUE(holds(line, "| " + (field.default_value.empty() ? "none" : field.default_value) + " |"))
          << field.name;
    }
    EXPECT_TRUE(found) << field.name << " is not in docs/configuration.md";
  }
}

}  // namespace
