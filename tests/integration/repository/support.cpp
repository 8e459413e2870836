#include "support.hpp"

#include <cstdlib>
#include <iostream>
#include <optional>

namespace tests {

namespace {

std::optional<bw::testing::cluster>& cluster_slot() {
  static std::optional<bw::testing::cluster> slot;
  return slot;
}

constexpr std::string_view schema[] = {
    "drop schema if exists shop cascade",
    "drop table if exists accounts, tickets, tags",
    ("create table accounts (id bigint generated always as identity primary key, owner text not null unique, "
     "balance numeric(20, 8) not null constraint no_debt check (balance >= 0), version int not null, "
     "created_at timestamptz not null, updated_at timestamptz not null, deleted_at timestamptz)"),
    ("create table tickets (id uuid primary key default gen_random_uuid(), state text not null default 'new', "
     "priority int not null default 3)"),
    "create table tags (name text primary key)",
    "create schema shop",
    ("create table shop.\"order\" (\"user.name\" bigint, \"a \"\"quoted\"\" name\" int, \"select\" text not null, "
     "\"Note\" text, primary key (\"user.name\", \"a \"\"quoted\"\" name\"))"),
};

}  // namespace

bw::testing::cluster& shared_cluster() {
  auto& slot = cluster_slot();
  if (!slot) {
    auto started = bw::testing::cluster::start({.replicas = 1});
    if (!started) {
      std::cerr << "no cluster: " << started.error().message() << '\n';
      std::exit(1);
    }
    slot.emplace(std::move(started).value());
  }
  return *slot;
}

paused_replay::paused_replay() { EXPECT_OK(shared_cluster().pause_replay(shared_cluster().replica(0))); }
paused_replay::~paused_replay() { EXPECT_OK(shared_cluster().resume_replay(shared_cluster().replica(0))); }

const way_to& way_to_shared_cluster() {
  static const way_to way(shared_cluster());
  return way;
}

void recorder::on_operation(const bw::operation_event& event) noexcept {
  const std::lock_guard lock(mutex_);
  seen_.push_back({.statement = std::string(event.statement),
                   .node = std::string(event.node),
                   .role = event.role,
                   .attempts = event.attempts,
                   .correlation_id = std::string(event.correlation_id),
                   .failed = event.failure != nullptr,
                   .operation = std::string(event.operation),
                   .rows = event.rows});
}

std::vector<recorder::seen> recorder::operations() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

recorder::seen recorder::last() const {
  const std::lock_guard lock(mutex_);
  return seen_.back();
}

void recorder::clear() {
  const std::lock_guard lock(mutex_);
  seen_.clear();
}

std::unique_ptr<bw::database> repository_test::db_;
std::shared_ptr<recorder> repository_test::watcher_;

void repository_test::SetUpTestSuite() {
  watcher_ = std::make_shared<recorder>();
  bw::config config;
  way_to_shared_cluster().lead(config);
  config.observer = watcher_;
  auto opened = bw::database::open(config);
  ASSERT_OK(opened);
  db_ = std::make_unique<bw::database>(std::move(opened).value());
}

void repository_test::TearDownTestSuite() { db_.reset(); }

void repository_test::SetUp() {
  const bw::session session = on_primary();
  for (const std::string_view statement : schema) ASSERT_OK(session.execute(statement));
  watcher_->clear();
}

bw::session repository_test::on_primary() { return db_->session({.consistency = bw::consistency::primary}); }

std::string repository_test::truth(std::string_view sql) {
  auto value = shared_cluster().query_value(sql);
  return value ? value.value() : "error: " + value.error().message();
}

void repository_test::behind_the_back(std::string_view sql) { ASSERT_OK(shared_cluster().execute(sql)); }

}  // namespace tests
