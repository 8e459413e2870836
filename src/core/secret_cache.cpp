#include "core/secret_cache.hpp"

#include <algorithm>
#include <utility>

namespace breakwater {
namespace {

/// The account must not be locked because we try a wrong password often: between looks for another one.
constexpr std::chrono::seconds between_refusals{5};
/// Between tries of a provider that fails while there are credentials to go on with.
constexpr std::chrono::seconds after_failure{10};
/// Who waited for a fetch that failed does not fetch as well, one after the other.
constexpr std::chrono::seconds failure_lasts{1};
/// What a provider says is kept within these: it is asked neither all the time nor never.
constexpr std::chrono::seconds shortest_life{1};
constexpr std::chrono::hours longest_life{365 * 24};
/// Part of their life after which credentials are replaced: the rest is for those who still use them.
constexpr double used_up = 0.8;

}  // namespace

secret_cache::secret_cache(std::shared_ptr<secret_provider> from, secret_options options, observer* watcher)
    : from_(std::move(from)), options_(std::move(options)), watcher_(watcher), source_(from_->describe()) {}

bool secret_cache::await_turn(lock_type& lock, deadline until) {
  const auto nobody = [this] { return !fetching_; };
  if (until.is_never()) {
    fetched_.wait(lock, nobody);
    return true;
  }
  return fetched_.wait_until(lock, until.at(), nobody);
}

secret_cache::clock::time_point secret_cache::due_after(clock::time_point now) const noexcept {
  auto due = clock::time_point::max();
  if (options_.refresh_interval.count() > 0) due = now + options_.refresh_interval;
  if (held_ && held_->what.valid_for) {
    const auto valid = std::clamp<std::chrono::seconds>(*held_->what.valid_for, shortest_life, longest_life);
    const auto life = std::chrono::duration<double>(valid) * used_up;
    due = std::min(due, now + std::chrono::duration_cast<clock::duration>(life));
  }
  return due;
}

bool secret_cache::has_just_failed() const { return failure_ && clock::now() - failed_at_ < failure_lasts; }

/// REQUIRES the lock, and that nobody else fetches; the lock is let go of meanwhile.
result<secret_cache::held> secret_cache::fetch(lock_type& lock, deadline until) {
  fetching_ = true;
  lock.unlock();
  auto found = from_->fetch(until);
  lock.lock();
  fetching_ = false;
  fetched_.notify_all();
  const auto now = clock::now();
  bool changed = false;
  std::optional<error> failure;
  if (found) {
    // Their life is no part of what they are: some providers say how much of it is left.
    const credentials& fetched = found.assume_value();
    changed = !held_ || held_->what.user != fetched.user || held_->what.password != fetched.password;
    const std::uint64_t next = version_.load(std::memory_order_relaxed) + (changed ? 1 : 0);
    held_ = std::make_shared<const versioned_credentials>(
        versioned_credentials{.what = std::move(found).assume_value(), .version = next});
    if (changed) {
      version_.store(next, std::memory_order_release);
      refused_at_.reset();
    }
    failure_.reset();
    due_ = due_after(now);
  } else {
    failure = error(errc::authentication_failed, "no credentials from " + source_ + ": " + found.assume_error().text());
    due_ = std::min(due_after(now), now + after_failure);
    failure_ = failure;
    failed_at_ = now;
  }
  const held now_held = held_;
  lock.unlock();
  if (watcher_ != nullptr && (changed || failure)) {
    watcher_->on_secret({.source = source_, .changed = changed, .failure = failure ? &*failure : nullptr});
  }
  lock.lock();
  if (failure) return std::move(*failure);
  return now_held;
}

result<secret_cache::held> secret_cache::current(deadline until) {
  lock_type lock(mutex_);
  if (held_) return held_;
  if (!await_turn(lock, until)) {
    return error(errc::deadline_exceeded, "no credentials from " + source_ + " before the deadline");
  }
  if (held_) return held_;
  if (has_just_failed()) return *failure_;
  return fetch(lock, until);
}

result<secret_cache::held> secret_cache::renew_refused(std::uint64_t version, deadline until) {
  lock_type lock(mutex_);
  if (!await_turn(lock, until)) {
    return error(errc::deadline_exceeded, "no credentials from " + source_ + " before the deadline");
  }
  if (held_ && held_->version != version) return held_;
  if (has_just_failed()) return *failure_;
  if (refused_at_ && clock::now() - *refused_at_ < between_refusals) return held{};
  BOOST_OUTCOME_TRY(held found, fetch(lock, until));
  if (found->version != version) return found;
  refused_at_ = clock::now();
  return held{};
}

bool secret_cache::is_due(clock::time_point now) const {
  const lock_type lock(mutex_);
  return held_ && !fetching_ && now >= due_;
}

void secret_cache::refresh_if_due(deadline until) {
  lock_type lock(mutex_);
  if (!held_ || fetching_ || clock::now() < due_) return;
  (void)fetch(lock, until);
}

}  // namespace breakwater
