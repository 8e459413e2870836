#include "cluster/sizing.hpp"

#include "cluster/probe.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace breakwater::routing {
namespace {

using postgres::command;

/// What a role may see: of sessions of others only that they are there. Sessions of this service, by its name and role,
/// are those that share what is free. `reserved_connections` came with PostgreSQL 16; a limit of -1 is none.
constexpr std::string_view slots_sql =
    "select pg_catalog.current_setting('max_connections')::bigint, least("
    "pg_catalog.current_setting('max_connections')::bigint "
    "- pg_catalog.current_setting('superuser_reserved_connections')::bigint "
    "- coalesce(pg_catalog.current_setting('reserved_connections', true), '0')::bigint - s.all_others, "
    "(select rolconnlimit - s.of_role from pg_catalog.pg_roles where rolname = current_user and rolconnlimit >= 0), "
    "(select datconnlimit - s.of_database from pg_catalog.pg_database "
    "where datname = pg_catalog.current_database() and datconnlimit >= 0)) "
    "from (select count(*) as all_others, count(*) filter (where usename = current_user) as of_role, "
    "count(*) filter (where datname = pg_catalog.current_database()) as of_database "
    "from pg_catalog.pg_stat_activity where datid is not null "
    "and (usename is distinct from current_user or not coalesce(application_name in ($1, $1 || $2), false))) s";
constexpr statement slots_statement{.sql = slots_sql,
                                    .name = "sizing.free_slots",
                                    .operation = "SELECT",
                                    .print = fingerprint(slots_sql),
                                    .kind = statement_class::read,
                                    .prepare = false};

std::size_t number_at(const rows& answer, std::size_t column) {
  std::int64_t value = 0;
  const std::string_view text = answer.at(0, column).text;
  (void)std::from_chars(text.data(), text.data() + text.size(), value);
  return static_cast<std::size_t>(std::max<std::int64_t>(value, 0));
}

sizing_facts facts_of(const config& settings) {
  sizing_facts facts{.configured = settings.pool.size, .instances = settings.pool.instances};
  facts.processors = available_processors();
  facts.serverless = serverless_platform([](const char* name) { return std::getenv(name); });
  return facts;
}

}  // namespace

sizing::sizing(const config& settings)
    : facts_(facts_of(settings)), application_name_(settings.application_name), watcher_(settings.observer.get()) {}

result<void> sizing::apply(node& to, deadline until) {
  auto held = to.connections().acquire(until, nullptr, source_location::current(), priority::critical);
  if (!held) return std::move(held).error();
  parameters values;
  values.add_text(application_name_);
  values.add_text(monitor_name_suffix);
  const std::array commands{command{&slots_statement, &values}};
  auto answer = held.assume_value()->run({.commands = commands, .until = until});
  if (!answer) return std::move(answer).error();
  sizing_facts facts = facts_;
  const rows& seen = answer.assume_value();
  facts.slots = server_slots{.most = number_at(seen, 0), .free = number_at(seen, 1)};
  const pool_sizing decided = size_pool(facts);
  to.connections().resize(decided.size);
  note(to, decided);
  return success();
}

bool sizing::knows(const node& one) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::find(decisions_, one.name(), &config_decision::node) != decisions_.end();
}

void sizing::note(const node& of, const pool_sizing& decided) {
  config_decision made{
      .node = of.name(), .setting = "pool.size", .value = std::to_string(decided.size), .reason = decided.reason};
  if (watcher_ != nullptr) watcher_->on_config_decision(made);
  const std::lock_guard lock(mutex_);
  decisions_.push_back(std::move(made));
}

std::vector<config_decision> sizing::decisions() const {
  const std::lock_guard lock(mutex_);
  return decisions_;
}

}  // namespace breakwater::routing
