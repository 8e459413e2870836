#include "support.hpp"

#include "../cluster_or_exit.hpp"

#include <utility>

namespace scenarios {

namespace {

bw::testing::cluster& shared_cluster() {
  static bw::testing::cluster shared = tests::cluster_or_exit({.replicas = 1});
  return shared;
}

}  // namespace

void recorder::on_operation(const bw::operation_event& event) noexcept {
  const std::lock_guard lock(mutex_);
  names_.emplace_back(event.statement);
}

std::string recorder::take() {
  const std::lock_guard lock(mutex_);
  return listed(std::exchange(names_, {}), [](const std::string& name) { return name; });
}

std::unique_ptr<bw::database> scenario::db_;
std::shared_ptr<recorder> scenario::watcher_;

void scenario::open(std::span<const std::string_view> schema) {
  watcher_ = std::make_shared<recorder>();
  bw::config config;
  config.nodes = shared_cluster().dsns();
  config.observer = watcher_;
  auto opened = bw::database::open(config);
  ASSERT_OK(opened);
  db_ = std::make_unique<bw::database>(std::move(opened).value());
  const bw::session session = on_primary();
  for (const std::string_view statement : schema) ASSERT_OK(session.execute(statement));
}

void scenario::TearDownTestSuite() { db_.reset(); }

bw::session scenario::on_primary() { return db_->session({.consistency = bw::consistency::primary}); }

std::string scenario::truth(std::string_view sql) {
  auto value = shared_cluster().query_value(sql);
  return value ? value.value() : "error: " + value.error().message();
}

void scenario::behind_the_back(std::string_view sql) { ASSERT_OK(shared_cluster().execute(sql)); }

}  // namespace scenarios
