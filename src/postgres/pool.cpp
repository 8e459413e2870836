#include "postgres/pool.hpp"

#include "core/secret_cache.hpp"
#include "core/task_runner.hpp"
#include <breakwater/core/random.hpp>

#include <algorithm>
#include <ctime>
#include <string>
#include <utility>

namespace breakwater::postgres {
namespace {

/// A cancelled statement answers within milliseconds, or the connection is not worth keeping.
constexpr std::chrono::milliseconds repair_time{500};
/// A check must not eat the deadline of the caller whom it protects.
constexpr std::chrono::milliseconds longest_ping{1000};
/// After the grace period: for callers to notice that their connection was cut.
constexpr std::chrono::milliseconds cut_off_time{1000};

/// Good to some milliseconds and several times cheaper than the exact clock: enough for idle times and ages.
deadline::clock::time_point coarse_now() noexcept {
  std::timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return deadline::clock::time_point(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace

/// A caller in the queue; lives on its stack.
struct pool::waiter : resilience::admission_queue::entry {
  enum class state : std::uint8_t { waiting, served, failed, displaced, expired };

  waiter(priority importance, deadline until, source_location where) noexcept
      : entry(importance, until), borrower(where) {}
  void tell(state what) noexcept {
    became = what;
    wake.notify_one();
  }

  std::condition_variable_any wake;
  source_location borrower;
  state became = state::waiting;
  pooled_connection* given = nullptr;
  std::optional<error> failure;
  bool shall_connect = false;  // as soon as the pacing allows
};

pool::pool(pool_options options, std::shared_ptr<const connection_settings> settings, task_runner& background,
           observer* watcher, pool_callbacks callbacks)
    : options_(options),
      settings_(std::move(settings)),
      background_(background),
      watcher_(watcher),
      callbacks_(std::move(callbacks)),
      waiters_({.servers = options.size.value_or(1), .max_waiters = options.max_waiters}),
      size_(options.size.value_or(1)) {
  all_.reserve(size_);
  idle_.reserve(size_);
}

pool::~pool() = default;

result<lease> pool::acquire(deadline until, const std::stop_token* cancel, source_location borrower,
                            priority importance) {
  for (;;) {
    const auto now = coarse_now();
    lock_type lock(mutex_);
    if (closing_ || idle_.empty()) return wait_for_one(lock, until, cancel, borrower, importance);
    pooled_connection& chosen = *idle_.back();
    idle_.pop_back();
    lend(chosen, borrower, now, false);
    lock.unlock();
    const bool rested = now - chosen.idle_since >= options_.validate_after_idle;
    if (!rested || still_lives(chosen, until)) return lease(*this, chosen);
    const bool dead = take_back_silent(chosen);
    if (!dead && until.expired(clock::now())) {
      return error(errc::deadline_exceeded, "the deadline came before a connection could be checked").with_node(node());
    }
  }
}

bool pool::take_back_silent(pooled_connection& checked) {
  if (!checked.link->is_broken()) {
    // Not dead, only slower than this caller has time for: it is put in order in the background.
    give_back(checked);
    return false;
  }
  lock_type lock(mutex_);
  auto dead = remove(checked);
  serve_waiters(clock::now());  // there is room for another connection
  returned_.notify_all();
  lock.unlock();
  close_in_background(std::move(dead), close_reason::broken);
  return true;
}

bool pool::still_lives(pooled_connection& rested, deadline until) {
  if (!rested.link->consume_pending()) return false;
  const auto now = clock::now();
  const auto patience = std::min<clock::duration>(longest_ping, until.remaining(now) / 4);
  return rested.link->ping(deadline::after(patience, now));
}

result<lease> pool::wait_for_one(lock_type& lock, deadline until, const std::stop_token* cancel,
                                 source_location borrower, priority importance) {
  if (closing_) return error(errc::cancelled, "the database is being shut down").with_node(node());
  const auto started = clock::now();
  waiter self(importance, until, borrower);
  const auto admitted = waiters_.join(self, started);
  if (admitted.displaced != nullptr) static_cast<waiter&>(*admitted.displaced).tell(waiter::state::displaced);
  if (admitted.refused) {
    const std::size_t waiting = waiters_.size();
    lock.unlock();
    return refusal(importance, *admitted.refused, admitted.estimated_wait, waiting);
  }
  serve_waiters(started);

  const std::stop_token token = cancel == nullptr ? std::stop_token{} : *cancel;
  await(self, lock, until, token);
  if (self.became == waiter::state::waiting) {
    waiters_.leave(self);
    wake_one_to_connect();  // it may have been the one who would
  }
  lock.unlock();

  const bool served = self.became == waiter::state::served;
  std::optional<error> failure;
  if (!served) failure = failure_of(self, token);
  if (watcher_ != nullptr) {
    watcher_->on_lease_wait({.node = node(),
                             .duration = clock::now() - started,
                             .timed_out = failure && failure->code() == errc::deadline_exceeded});
  }
  if (served) return lease(*this, *self.given);
  return std::move(*failure);
}

error pool::refusal(priority importance, shed_reason why, clock::duration estimated_wait, std::size_t waiting) {
  if (watcher_ != nullptr) watcher_->on_shed({.node = node(), .priority = importance, .reason = why});
  std::string text;
  switch (why) {
    case shed_reason::too_late: {
      const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(estimated_wait).count();
      text = "a connection would come too late for the deadline";
      if (wait > 0) text += " (estimated wait: " + std::to_string(wait) + " ms, " + std::to_string(waiting) + " wait)";
      text += ": allow more time, make fewer calls at once, or enlarge pool.size = " + std::to_string(size_.load());
      break;
    }
    case shed_reason::displaced: text = "gave way to a more important caller while waiting for a connection"; break;
    default:
      text =
          "too many callers wait for a connection already (pool.max_waiters = " + std::to_string(options_.max_waiters) +
          ")";
      break;
  }
  return error(errc::overloaded, std::move(text)).with_node(node());
}

error pool::failure_of(const waiter& unserved, const std::stop_token& cancel) {
  using state = waiter::state;
  if (unserved.became == state::failed) return error(*unserved.failure).with_node(node());
  if (unserved.became == state::displaced) return refusal(unserved.importance(), shed_reason::displaced, {}, 0);
  if (unserved.became == state::expired && !unserved.until().expired(clock::now())) {
    return refusal(unserved.importance(), shed_reason::too_late, {}, 0);
  }
  if (unserved.became == state::waiting && cancel.stop_requested()) {
    return error(errc::cancelled, "cancelled while waiting for a connection").with_node(node());
  }
  return error(errc::deadline_exceeded, "no connection became free before the deadline (pool.size = " +
                                            std::to_string(size_.load()) + ", all in use or connecting)")
      .with_node(node());
}

void pool::await(waiter& self, lock_type& lock, deadline until, const std::stop_token& token) {
  const auto told = [&self] { return self.became != waiter::state::waiting; };
  const auto woken = [&] { return told() || self.shall_connect; };
  for (;;) {
    self.shall_connect = false;
    // Where connects are only paced, it is for those who wait to start the next one.
    const auto now = clock::now();
    const auto next = pacer_.next_start(now);
    const bool paced = connecting_ == 0 && next > now && all_.size() < size_;
    const deadline wake_up = paced ? until.earlier_of(deadline(next)) : until;
    if (wake_up.is_never()) {
      self.wake.wait(lock, token, woken);
    } else {
      self.wake.wait_until(lock, token, wake_up.at(), woken);
    }
    if (told() || token.stop_requested() || until.expired(clock::now())) return;
    if (!self.shall_connect) serve_waiters(clock::now());
  }
}

void pool::give_back(pooled_connection& returned) noexcept {
  connection& link = *returned.link;
  const bool clean = link.is_clean();
  const bool changed_role = clean && link.is_replica() != link.was_replica();
  const auto now = coarse_now();
  // How long it was held matters to those who queue for it; only then is it measured exactly.
  const auto exact = returned.waited_for ? clock::now() : now;

  lock_type lock(mutex_);
  returned.leased = false;
  if (returned.waited_for) waiters_.note_held(exact - returned.borrowed_at, exact);
  if (clean && !changed_role && !closing_ && now < returned.expires_at && all_.size() <= size_) {
    returned.idle_since = now;
    hand_out(returned);
    return;
  }
  take_out(lock, returned, clean, changed_role);
}

void pool::take_out(lock_type& lock, pooled_connection& returned, bool clean, bool changed_role) {
  const connection& link = *returned.link;
  if (!clean && !closing_ && !link.is_broken() && !link.must_not_cancel()) {
    lock.unlock();
    repair_in_background(returned);
    return;
  }
  const bool closing = closing_;
  std::vector<std::unique_ptr<connection>> others;
  if (changed_role && !closing) others = remove_idle_of_role(link.was_replica());
  auto gone = remove(returned);
  serve_waiters(clock::now());
  returned_.notify_all();
  lock.unlock();

  if (changed_role) {
    const node_role role = gone->is_replica() ? node_role::replica : node_role::primary;
    if (note_role(role)) report_role(role);
  }
  for (auto& other : others) close_in_background(std::move(other), close_reason::role_changed);
  close_in_background(std::move(gone), closing        ? close_reason::shutdown
                                       : changed_role ? close_reason::role_changed
                                       : clean        ? close_reason::expired
                                                      : close_reason::broken);
}

void pool::hand_out(pooled_connection& free) {
  if (waiters_.empty()) {
    idle_.push_back(&free);
  } else {
    serve_next(free);
  }
}

void pool::serve_next(pooled_connection& free) {
  const auto now = clock::now();
  auto turn = waiters_.next(now);
  while (auto* const late = turn.expired.pop_oldest()) static_cast<waiter&>(*late).tell(waiter::state::expired);
  if (turn.next == nullptr) {
    idle_.push_back(&free);
    return;
  }
  auto& chosen = static_cast<waiter&>(*turn.next);
  lend(free, chosen.borrower, now, true);
  chosen.given = &free;
  chosen.tell(waiter::state::served);
}

void pool::open_first() {
  const lock_type lock(mutex_);
  start_connects(clock::now(), all_.empty() ? 1 : 0);
}

void pool::start_connects(clock::time_point now, std::size_t at_least) {
  if (closing_) return;
  const std::size_t least = std::min(options_.min_idle, size_.load());
  const std::size_t unmet = least > all_.size() ? least - all_.size() : 0;
  const std::size_t wanted = std::max({waiters_.size(), unmet, at_least});
  while (connecting_ < wanted && all_.size() + connecting_ < size_ && pacer_.may_start(now, connecting_)) {
    pacer_.started(now);
    ++connecting_;
    background_.post([this, of = generation_] { connect_in_background(of); });
  }
}

void pool::connect_in_background(std::uint64_t generation) {
  const auto started = clock::now();
  const std::stop_token token = stop_connecting_.get_token();
  auto made = connection::open(settings_, deadline::after(settings_->connect_timeout, started), &token);
  const auto took = clock::now() - started;
  if (watcher_ != nullptr) {
    watcher_->on_connection_opened({.node = node(), .duration = took, .failure = made ? nullptr : &made.error()});
  }
  if (made) {
    connected(std::move(made).value(), generation);
  } else {
    connect_failed(made.error());
  }
}

void pool::connected(std::unique_ptr<connection> made, std::uint64_t generation) {
  const node_role role = made->was_replica() ? node_role::replica : node_role::primary;
  const auto lifetime = std::chrono::duration<double, std::milli>(options_.max_lifetime) *
                        (1.0 - options_.lifetime_jitter * random_unit());
  const auto now = clock::now();
  auto added = std::make_unique<pooled_connection>();
  added->link = std::move(made);
  added->expires_at = now + std::chrono::duration_cast<clock::duration>(lifetime);
  added->idle_since = now;
  if (const auto& secrets = settings_->secrets; secrets && added->link->secret_version() != secrets->version()) {
    added->expires_at = std::min(added->expires_at, end_of_old_secret(now));  // rotated while it was being opened
  }
  if (callbacks_.opened) callbacks_.opened(now);

  lock_type lock(mutex_);
  --connecting_;
  pacer_.succeeded(now);
  if (closing_) {
    lock.unlock();
    return;  // `added` closes
  }
  if (generation != generation_) {  // to where the node was before: see `renew`
    serve_waiters(now);
    lock.unlock();
    close_in_background(std::move(added->link), close_reason::expired);
    return;
  }
  // Under the lock, so that it can not be overtaken by the failure of an older attempt.
  const bool changed = note_role(role);
  all_.push_back(std::move(added));
  hand_out(*all_.back());
  start_connects(now);
  lock.unlock();
  if (changed) report_role(role);
}

void pool::connect_failed(const error& cause) {
  const auto now = clock::now();
  lock_type lock(mutex_);
  --connecting_;
  pacer_.failed(now, random_unit());
  last_connect_error_ = cause;
  // Whatever it was, another node may be it by now.
  const bool changed = all_.empty() && connecting_ == 0 && note_role(node_role::unknown);
  serve_waiters(now);
  lock.unlock();
  if (changed) report_role(node_role::unknown);
}

void pool::serve_waiters(clock::time_point now) {
  if (waiters_.empty()) return;
  start_connects(now);
  // With a connection open or on its way a waiter may yet be served. In the pause after a failed connect the reason is
  // known, and waiting for the next attempt would not be free. Else connects are only paced, because connections broke:
  // `await` goes on with them.
  if (all_.empty() && connecting_ == 0 && pacer_.failures() > 0) fail_waiters(error(*last_connect_error_));
  wake_one_to_connect();
}

void pool::wake_one_to_connect() {
  if (connecting_ > 0 || all_.size() >= size_) return;
  auto* const first = static_cast<waiter*>(waiters_.first());
  if (first == nullptr || first->shall_connect) return;
  first->shall_connect = true;
  first->wake.notify_one();
}

void pool::fail_waiters(const error& cause) {
  auto all = waiters_.clear();
  while (auto* const each = all.pop_oldest()) {
    auto& waiting = static_cast<waiter&>(*each);
    waiting.failure = cause;
    waiting.tell(waiter::state::failed);
  }
}

void pool::repair_in_background(pooled_connection& dirty) {
  background_.post([this, &dirty] {
    const bool repaired = dirty.link->recover(deadline::after(repair_time));
    lock_type lock(mutex_);
    const auto now = clock::now();
    // What is true of one that is given back is true of this one.
    const bool fits = repaired && now < dirty.expires_at && all_.size() <= size_ &&
                      dirty.link->is_replica() == dirty.link->was_replica();
    if (fits && !closing_) {
      dirty.idle_since = now;
      hand_out(dirty);
      return;
    }
    auto gone = remove(dirty);
    serve_waiters(now);
    returned_.notify_all();
    lock.unlock();
    close_in_background(std::move(gone), repaired ? close_reason::expired : close_reason::broken);
  });
}

std::unique_ptr<connection> pool::remove(pooled_connection& gone) {
  std::erase(idle_, &gone);
  if (gone.link->is_broken()) pacer_.lost(coarse_now());
  const auto at = std::ranges::find(all_, &gone, &std::unique_ptr<pooled_connection>::get);
  std::unique_ptr<connection> link = std::move((*at)->link);
  all_.erase(at);
  return link;
}

std::vector<std::unique_ptr<connection>> pool::remove_idle_of_role(bool was_replica) {
  // Those in use are found out when they come back.
  std::vector<std::unique_ptr<connection>> gone;
  const auto resting = idle_;
  for (pooled_connection* const each : resting) {
    if (each->link->was_replica() == was_replica) gone.push_back(remove(*each));
  }
  return gone;
}

void pool::close_in_background(std::unique_ptr<connection> closing, close_reason why) {
  if (watcher_ != nullptr) {
    watcher_->on_connection_closed({.node = node(), .duration = clock::now() - closing->opened_at(), .reason = why});
  }
  // Closing says goodbye to the server, which over TLS is more than one system call.
  background_.post([link = std::shared_ptr<connection>(std::move(closing))] {});
}

void pool::look_for_life() {
  lock_type lock(mutex_);
  if (closing_) return;
  if (idle_.empty()) {
    if (all_.empty()) start_connects(clock::now(), 1);
    return;
  }
  pooled_connection& chosen = *idle_.back();
  idle_.pop_back();
  lend(chosen, source_location::current(), coarse_now(), false);
  lock.unlock();
  background_.post([this, &chosen] {
    if (!still_lives(chosen, deadline::after(4 * longest_ping))) {
      // A server that has died has ended all that were idle: the next one, or a new connection, knows more.
      if (take_back_silent(chosen)) look_for_life();
      return;
    }
    if (callbacks_.opened) callbacks_.opened(clock::now());
    give_back(chosen);
  });
}

void pool::maintain(clock::time_point now) {
  std::vector<std::pair<std::unique_ptr<connection>, close_reason>> outdated;
  std::vector<lease_leak_event> leaks;
  {
    const lock_type lock(mutex_);
    if (settings_->secrets) age_by_secret(settings_->secrets->version(), now);
    const auto resting = idle_;  // the longest resting first
    for (pooled_connection* rested : resting) {
      const bool expired = now >= rested->expires_at;
      const bool unneeded = now - rested->idle_since >= options_.idle_timeout && all_.size() > options_.min_idle;
      const auto why = expired ? close_reason::expired : close_reason::idle;
      if (expired || unneeded) outdated.emplace_back(remove(*rested), why);
    }
    if (options_.leak_warning_after.count() > 0) {
      for (const auto& each : all_) {
        if (!each->leased || each->leak_reported || now - each->borrowed_at < options_.leak_warning_after) continue;
        each->leak_reported = true;
        leaks.push_back({.node = node(), .held = now - each->borrowed_at, .borrower = each->borrower});
      }
    }
    start_connects(now);
  }
  for (auto& [link, why] : outdated) close_in_background(std::move(link), why);
  if (watcher_ != nullptr) {
    for (const lease_leak_event& leak : leaks) watcher_->on_lease_leak(leak);
  }
}

void pool::age_by_secret(std::uint64_t newest, clock::time_point now) {
  if (newest == secret_seen_) return;
  secret_seen_ = newest;
  for (const auto& each : all_) {
    if (each->link->secret_version() == newest) continue;
    each->expires_at = std::min(each->expires_at, end_of_old_secret(now));
  }
}

pool::clock::time_point pool::end_of_old_secret(clock::time_point now) const {
  const auto wait = std::chrono::duration<double, std::milli>(settings_->secrets->drain()) * random_unit();
  return now + std::chrono::duration_cast<clock::duration>(wait);
}

bool pool::close(deadline until) {
  stop_connecting_.request_stop();
  std::vector<std::unique_ptr<connection>> resting;
  lock_type lock(mutex_);
  closing_ = true;
  fail_waiters(error(errc::cancelled, "the database is being shut down"));
  while (!idle_.empty()) resting.push_back(remove(*idle_.back()));
  const auto all_back = [this] { return all_.empty(); };
  const bool drained =
      until.is_never() ? (returned_.wait(lock, all_back), true) : returned_.wait_until(lock, until.at(), all_back);
  if (!drained) {
    for (const auto& held : all_) held->link->abort();
    returned_.wait_for(lock, cut_off_time, all_back);
  }
  lock.unlock();
  for (auto& link : resting) close_in_background(std::move(link), close_reason::shutdown);
  return drained;
}

void pool::resize(std::size_t size) {
  std::vector<std::unique_ptr<connection>> surplus;
  {
    const lock_type lock(mutex_);
    size_ = std::max<std::size_t>(size, 1);
    waiters_.set_servers(size_);
    all_.reserve(size_);
    idle_.reserve(size_);
    while (all_.size() > size_ && !idle_.empty()) surplus.push_back(remove(*idle_.front()));
    serve_waiters(clock::now());
  }
  for (auto& link : surplus) close_in_background(std::move(link), close_reason::idle);
}

pool_counts pool::counts() const {
  const lock_type lock(mutex_);
  return {.open = all_.size(), .idle = idle_.size(), .waiting = waiters_.size(), .connecting = connecting_};
}

std::optional<error> pool::last_connect_failure() const {
  const lock_type lock(mutex_);
  return pacer_.failures() > 0 ? last_connect_error_ : std::nullopt;
}

bool pool::note_role(node_role now) {
  const node_role before = role_.exchange(now);
  if (before != now && watcher_ != nullptr) watcher_->on_node_change({.node = node(), .before = before, .now = now});
  return before != now;
}

void pool::report_role(node_role now) const {
  if (callbacks_.role_learnt) callbacks_.role_learnt(now);
}

void pool::learn_role(node_role now) {
  if (role() == now) return;
  std::vector<std::unique_ptr<connection>> gone;
  {
    const lock_type lock(mutex_);
    if (closing_ || !note_role(now)) return;
    gone = remove_idle_of_role(now != node_role::replica);
  }
  for (auto& each : gone) close_in_background(std::move(each), close_reason::role_changed);
}

void pool::found_alive(clock::time_point now) {
  const lock_type lock(mutex_);
  pacer_.found_alive(now);
  serve_waiters(now);
}

void pool::renew() {
  std::vector<std::unique_ptr<connection>> gone;
  {
    const lock_type lock(mutex_);
    ++generation_;
    // Those in use are closed when they come back.
    for (const auto& each : all_) each->expires_at = clock::time_point::min();
    while (!idle_.empty()) gone.push_back(remove(*idle_.back()));
    serve_waiters(clock::now());
  }
  for (auto& each : gone) close_in_background(std::move(each), close_reason::expired);
}

void pool::turn_away(const error& why) {
  const lock_type lock(mutex_);
  fail_waiters(error(why));
}

}  // namespace breakwater::postgres
