#include "tenant_databases.hpp"

#include "session_state.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace breakwater::detail {
namespace {

/// Until a database that could not be opened is tried again.
constexpr std::chrono::seconds failure_lasts{1};

error shut_down() { return {errc::cancelled, "the database is being shut down"}; }

}  // namespace

/// REQUIRES the lock.
result<tenant_databases::entry_pointer> tenant_databases::place_for(const std::string& name,
                                                                    std::shared_ptr<database_state>& to_close) {
  const auto known = std::ranges::find(entries_, name, [](const entry_pointer& each) { return each->name; });
  if (known != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, known);
    return entries_.front();
  }
  if (entries_.size() >= settings_.tenancy.max_databases) {
    // Nobody else has the entry (who opens it does), nor what is open (its sessions do).
    const auto unused = std::find_if(entries_.rbegin(), entries_.rend(), [](const entry_pointer& each) {
      if (each.use_count() != 1) return false;
      const std::unique_lock lock(each->opening, std::try_to_lock);
      return lock && (!each->state || each->state.use_count() == 1);
    });
    if (unused == entries_.rend()) {
      return error(errc::resource_exhausted,
                   "as many databases of tenants are in use as may be open (tenancy.max_databases = " +
                       std::to_string(settings_.tenancy.max_databases) + ")");
    }
    to_close = std::move((*unused)->state);
    entries_.erase(std::next(unused).base());
  }
  auto made = std::make_shared<entry>();
  made->name = name;
  entries_.push_front(made);
  return made;
}

result<std::shared_ptr<database_state>> tenant_databases::get(const std::string& name) {
  std::shared_ptr<database_state> to_close;  // outside the lock: its threads have to end
  entry_pointer of;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return shut_down();
    BOOST_OUTCOME_TRY(of, place_for(name, to_close));
  }
  const std::lock_guard opening(of->opening);
  if (of->state) return of->state;
  const auto now = deadline::clock::now();
  if (of->failure && now - of->failed_at < failure_lasts) return *of->failure;
  auto opened = routing::router::open(settings_, name, configured_.secrets());
  if (!opened) {
    of->failure = opened.error();
    of->failed_at = deadline::clock::now();
    return std::move(opened).error();
  }
  of->failure.reset();
  auto made = std::make_shared<database_state>(settings_, std::move(opened).value());
  const std::lock_guard lock(mutex_);
  if (closed_) return shut_down();
  of->state = std::move(made);
  return of->state;
}

std::vector<std::shared_ptr<database_state>> tenant_databases::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  std::vector<std::shared_ptr<database_state>> open;
  for (const entry_pointer& each : entries_) {
    // One that is being opened looks at `closed_` before it is let in.
    const std::unique_lock opening(each->opening, std::try_to_lock);
    if (opening && each->state) open.push_back(each->state);
  }
  return open;
}

}  // namespace breakwater::detail
