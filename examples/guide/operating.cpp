// What the library decides by itself, and where passwords come from: docs/sizing.md, docs/secrets.md.

#include "guide.hpp"

#include <cstdlib>
#include <iostream>
#include <string>

using guide::expect;
using namespace std::chrono_literals;

bw::result<void> sizing(bw::config config) {
  // [sizing]
  config.pool.instances = 12;  // as many run of this service; for instance from the deployment's own variable
  BOOST_OUTCOME_TRY(const auto db, bw::database::open(config));
  for (const bw::config_decision& made : db.explain_config()) {
    std::cout << made.node << ' ' << made.setting << " = " << made.value << ": " << made.reason << '\n';
  }
  // [/sizing]
  expect(!db.explain_config().empty());
  return bw::success();
}

bw::result<void> secrets(bw::config config) {
  BOOST_OUTCOME_TRY(const auto given, bw::dsn::parse(config.nodes.front()));
  ::setenv("SHOP_DB_PASSWORD", std::string(given.get("password").value_or("")).c_str(), 1);
  BOOST_OUTCOME_TRY(const auto without, given.with("password", ""));
  config.nodes = {"postgresql://" + std::string(given.user()) + "@" + without.node_name() + "/" +
                  std::string(given.dbname())};
  // [secrets]
  config.secret_provider = bw::secrets::from_environment("SHOP_DB_PASSWORD");
  config.secrets.refresh_interval = 30s;
  BOOST_OUTCOME_TRY(const auto db, bw::database::open(config));
  // [/secrets]
  BOOST_OUTCOME_TRY(const auto one, db.session().query("select 1").read_only().one<std::int32_t>());
  expect(one == 1);
  return bw::success();
}

bw::result<void> topic(const bw::database& /*db*/) {
  BOOST_OUTCOME_TRY(const auto config, bw::config::from_environment());
  BOOST_OUTCOME_TRY(sizing(config));
  return secrets(config);
}

int main() { return guide::run(topic); }
