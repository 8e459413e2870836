#include "postgres/statement_cache.hpp"

#include <iterator>
#include <utility>

namespace breakwater::postgres {

statement_cache::entry* statement_cache::find_or_add(std::uint64_t print, std::string_view sql) {
  if (capacity_ == 0) return nullptr;
  if (const auto found = index_.find(print); found != index_.end()) {
    entry& known = *found->second;
    if (known.sql != sql) return nullptr;  // two texts of one fingerprint: the second one goes unprepared
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return &known;
  }
  if (!deallocates_ && index_.size() >= capacity_) return nullptr;
  by_use_.push_front({.print = print, .sql = std::string(sql), .name = prefix_ + std::to_string(++last_name_)});
  index_.emplace(print, by_use_.begin());
  return &by_use_.front();
}

void statement_cache::mark_prepared(std::uint64_t print, std::string_view name) noexcept {
  if (const auto found = index_.find(print); found != index_.end() && found->second->name == name)
    found->second->prepared = true;
}

std::optional<std::string> statement_cache::evict(const entry* keep) {
  if (!forgotten_.empty()) {
    std::string name = std::move(forgotten_.back());
    forgotten_.pop_back();
    return name;
  }
  if (index_.size() <= capacity_) return std::nullopt;
  for (auto at = by_use_.end(); at != by_use_.begin();) {
    --at;
    if (&*at == keep || !at->prepared) continue;
    std::string name = std::move(at->name);
    index_.erase(at->print);
    by_use_.erase(at);
    return name;
  }
  return std::nullopt;
}

void statement_cache::forget(std::uint64_t print) {
  if (const auto found = index_.find(print); found != index_.end()) {
    if (found->second->prepared) keep_for_eviction(std::move(found->second->name));
    by_use_.erase(found->second);
    index_.erase(found);
  }
}

void statement_cache::clear() noexcept {
  index_.clear();
  by_use_.clear();
  forgotten_.clear();
}

}  // namespace breakwater::postgres
