#include <breakwater/resilience/admission_queue.hpp>

#include <algorithm>
#include <utility>

namespace breakwater::resilience {
namespace {

/// Beyond it sums could overflow; nobody waits for so long.
constexpr admission_queue::clock::duration longest_holding = std::chrono::hours(1);

constexpr std::size_t place_of(priority importance) noexcept { return static_cast<std::size_t>(importance); }

/// Has it spent half of its time waiting? Never, where there is no deadline.
bool is_late(deadline until, deadline::clock::time_point since, deadline::clock::time_point now) noexcept {
  return !until.is_never() && now - since > until.at() - now;
}

}  // namespace

void admission_queue::entry_list::push_newest(entry& added) noexcept {
  added.older_ = newest_;
  added.newer_ = nullptr;
  (newest_ == nullptr ? oldest_ : newest_->newer_) = &added;
  newest_ = &added;
  ++size_;
}

void admission_queue::entry_list::remove(entry& gone) noexcept {
  (gone.older_ == nullptr ? oldest_ : gone.older_->newer_) = gone.newer_;
  (gone.newer_ == nullptr ? newest_ : gone.newer_->older_) = gone.older_;
  gone.older_ = nullptr;
  gone.newer_ = nullptr;
  --size_;
}

admission_queue::entry* admission_queue::entry_list::pop_oldest() noexcept {
  entry* const first = oldest_;
  if (first != nullptr) remove(*first);
  return first;
}

admission_queue::admission admission_queue::join(entry& newcomer, clock::time_point now) noexcept {
  admission decided{.estimated_wait = estimated_wait(newcomer.priority_, now)};
  if (at_or_above(newcomer.priority_) > 0 && decided.estimated_wait > newcomer.until_.remaining(now)) {
    decided.refused = shed_reason::too_late;
    return decided;
  }
  if (size_ >= options_.max_waiters) {
    decided.displaced = least_important_below(newcomer.priority_);
    if (decided.displaced == nullptr) {
      decided.refused = shed_reason::queue_full;
      return decided;
    }
    leave(*decided.displaced);
  }
  newcomer.since_ = now;
  of(newcomer.priority_).push_newest(newcomer);
  ++size_;
  return decided;
}

void admission_queue::leave(entry& gone) noexcept {
  of(gone.priority_).remove(gone);
  --size_;
}

admission_queue::turn admission_queue::next(clock::time_point now) noexcept {
  turn decided;
  for (entry_list& list : waiting_) {
    while (!list.empty()) {
      entry& oldest = *list.oldest();
      // Those given up for the newer ones go first, so that nobody waits on for nothing.
      const bool lost = is_lost(oldest, now);
      entry& chosen = !lost && is_late(oldest.until_, oldest.since_, now) ? *list.newest() : oldest;
      const bool served = !lost && (&chosen == &oldest || !is_lost(chosen, now));
      leave(chosen);
      if (served) {
        decided.next = &chosen;
        return decided;
      }
      decided.expired.push_newest(chosen);
    }
  }
  return decided;
}

admission_queue::entry* admission_queue::first() const noexcept {
  for (const entry_list& list : waiting_) {
    if (!list.empty()) return list.oldest();
  }
  return nullptr;
}

admission_queue::entry_list admission_queue::clear() noexcept {
  entry_list all;
  for (entry_list& list : waiting_) {
    while (entry* const each = list.pop_oldest()) all.push_newest(*each);
  }
  size_ = 0;
  return all;
}

void admission_queue::note_held(clock::duration held, clock::time_point now) noexcept {
  held = std::clamp(held, clock::duration::zero(), longest_holding);
  if (samples_ < samples_to_know) {
    average_ = samples_ == 0 ? held : std::min(average_, held);
    ++samples_;
  } else {
    const clock::duration known = holding_time(now);
    const clock::duration highest = std::max(known * outlier_factor, no_outlier_below);
    average_ = known + (std::min(held, highest) - known) / average_over;
  }
  last_sample_ = now;
}

admission_queue::clock::duration admission_queue::holding_time(clock::time_point now) const noexcept {
  if (samples_ < samples_to_know) return clock::duration::zero();
  constexpr clock::rep most_halvings = 62;
  const auto halvings = (now - last_sample_) / std::max(half_life_min, average_ * 2);
  return clock::duration(average_.count() >> std::clamp<clock::rep>(halvings, 0, most_halvings));
}

admission_queue::clock::duration admission_queue::estimated_wait(priority importance,
                                                                 clock::time_point now) const noexcept {
  const auto turns = static_cast<clock::rep>(at_or_above(importance) + 1);
  return holding_time(now) * turns / static_cast<clock::rep>(std::max<std::size_t>(options_.servers, 1));
}

admission_queue::entry_list& admission_queue::of(priority importance) noexcept {
  return waiting_.at(place_of(importance));
}

std::size_t admission_queue::at_or_above(priority importance) const noexcept {
  std::size_t count = 0;
  for (std::size_t i = 0; i <= place_of(importance); ++i) count += waiting_.at(i).size();
  return count;
}

admission_queue::entry* admission_queue::least_important_below(priority importance) noexcept {
  for (std::size_t i = priority_count - 1; i > place_of(importance); --i) {
    if (!waiting_.at(i).empty()) return waiting_.at(i).newest();
  }
  return nullptr;
}

bool admission_queue::is_lost(const entry& waiting, clock::time_point now) const noexcept {
  const auto left = waiting.until_.remaining(now);
  if (left == clock::duration::zero()) return true;
  // Where nobody else could use the time, trying costs nothing. Holding times are skewed: most are shorter than the
  // average, few are shorter than half of it. And who allows a second for all of it knows that its own work is short,
  // however long others hold theirs: it is not given up while it has an eighth of that left.
  return size_ > 1 && left < std::min(holding_time(now) / 2, (waiting.until_.at() - waiting.since_) / 8);
}

}  // namespace breakwater::resilience
