#pragma once

#include <breakwater/core/deadline.hpp>
#include <breakwater/core/observer.hpp>
#include <breakwater/core/priority.hpp>

#include <array>
#include <cstddef>
#include <optional>

namespace breakwater::resilience {

struct admission_options {
  /// How many can be served at once. At least 1.
  std::size_t servers = 1;
  /// How many may wait. 0: nobody does.
  std::size_t max_waiters = 0;
};

/// Who waits for something scarce (a connection, a place in a bulkhead), who is next, and who is turned away.
///
///     waiter self(priority::normal, until);        // struct waiter : admission_queue::entry { how to wake it };
///     if (const auto admitted = queue.join(self, now); admitted.refused) return errc::overloaded;
///     ...                                          // later, when something becomes free:
///     auto turn = queue.next(now);                 // wake *turn.next with it, and turn.expired with an error
///
/// What happens to whom:
///
///     event                        | what happens
///     joins, place left            | waits
///     joins, none left             | displaces the newest of the lowest priority below its own; else `queue_full`
///     joins, its turn would come   | refused at once (`too_late`), see below
///       after its deadline         |
///     something becomes free       | goes to the highest priority that waits, there to the oldest, as long as that one
///                                  | has spent less than half of its time waiting; else to the newest
///     at its turn past its         | comes back as expired, and the next one is looked at
///       deadline, or too near it   |
///     its caller gives up          | leaves
///
/// **Newest first under overload.** When more come than can be served, a queue that is first in first out soon serves
/// everybody just before their deadlines, and throws most of that work away ("adaptive LIFO": B. Maurer, "Fail at
/// Scale", ACM Queue 13(8), 2015). The oldest having waited for half of its time is the sign: then the newest, who has
/// time left, is served first, and those for whom it is too late are given up. When the queue has drained it is first in
/// first out again. Waiters without a deadline can wait, so for them it always is.
///
/// **The estimate.** A turn comes after (waiters of the same or a higher priority + 1) * holding time / servers. The
/// holding time is a moving average of what `note_held` was told. It refuses nobody by mistake rather than everybody it
/// might: unknown before `samples_to_know` samples (of which it begins with the shortest); one outlier counts for no
/// more than ten times the average; it halves with each half-life without a sample; who would be the first to wait is
/// never refused; and who waits alone is served up to its deadline. With others waiting, one is too near its deadline
/// when less is left than half of the holding time and an eighth of its own time.
///
/// Starvation of lower priorities while higher ones take everything is intended.
///
/// Not thread-safe: part of its owner's state, under the owner's lock. Allocates nothing: the entries are the waiting
/// callers' own and must stay where they are while they wait. `join`, `leave` and `next` are O(1), apart from the
/// expired ones that `next` returns. Pure: the time is the owner's to read.
class admission_queue {
 public:
  using clock = deadline::clock;

  /// A moving average over about this many samples: follows a change within a second of a busy service.
  static constexpr int average_over = 16;
  /// Of fewer samples an average says little.
  static constexpr unsigned samples_to_know = 8;
  /// One statement that ran for minutes must not turn everybody away.
  static constexpr int outlier_factor = 10;
  /// Shorter samples are never outliers, however short the average is.
  static constexpr clock::duration no_outlier_below = std::chrono::milliseconds(1);
  /// Without samples for so long (or for twice the holding time, if that is longer) the average is worth half.
  static constexpr clock::duration half_life_min = std::chrono::seconds(1);

  /// One who waits; lives with its caller. What derives from it says how it is woken.
  class entry {
   public:
    entry(priority importance, deadline until) noexcept : priority_(importance), until_(until) {}
    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;

    [[nodiscard]] priority importance() const noexcept { return priority_; }
    [[nodiscard]] deadline until() const noexcept { return until_; }

   protected:
    ~entry() = default;

   private:
    friend class admission_queue;
    priority priority_;
    deadline until_;
    clock::time_point since_;
    entry* older_ = nullptr;
    entry* newer_ = nullptr;
  };

  /// Entries in the order of their coming. A view: it owns none of them.
  class entry_list {
   public:
    [[nodiscard]] bool empty() const noexcept { return oldest_ == nullptr; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] entry* oldest() const noexcept { return oldest_; }
    [[nodiscard]] entry* newest() const noexcept { return newest_; }
    void push_newest(entry& added) noexcept;
    void remove(entry& gone) noexcept;
    /// Takes the oldest out; null when there is none. Take it before waking it: awake, it may be gone.
    entry* pop_oldest() noexcept;

   private:
    entry* oldest_ = nullptr;
    entry* newest_ = nullptr;
    std::size_t size_ = 0;
  };

  struct admission {
    std::optional<shed_reason> refused{};  ///< why it does not wait
    entry* displaced = nullptr;            ///< gave way and does not wait any more: wake it with an error
    clock::duration estimated_wait{};      ///< zero: not known
  };

  struct turn {
    entry* next = nullptr;  ///< null: nobody waits who can be served
    entry_list expired{};   ///< do not wait any more: wake them with an error
  };

  explicit admission_queue(admission_options options) noexcept : options_(options) {}

  /// Lets `newcomer` wait, unless refused.
  [[nodiscard]] admission join(entry& newcomer, clock::time_point now) noexcept;
  /// Takes out who waits no longer. REQUIRES that it waits.
  void leave(entry& gone) noexcept;
  /// Who gets what has become free, taken out.
  [[nodiscard]] turn next(clock::time_point now) noexcept;
  /// The oldest of the most important, who still waits; null when nobody does.
  [[nodiscard]] entry* first() const noexcept;
  /// Takes all out, the most important first.
  [[nodiscard]] entry_list clear() noexcept;

  /// Something was held for so long, from its turn to its return. What nobody had to wait for need not be told: its
  /// holding times matter only when there is a queue.
  void note_held(clock::duration held, clock::time_point now) noexcept;
  /// The average, decayed by the time since the last sample; zero: not known.
  [[nodiscard]] clock::duration holding_time(clock::time_point now) const noexcept;
  /// How long a newcomer of this priority would wait for its turn; zero: not known.
  [[nodiscard]] clock::duration estimated_wait(priority importance, clock::time_point now) const noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] const admission_options& options() const noexcept { return options_; }
  /// From now on so many can be served at once.
  void set_servers(std::size_t servers) noexcept { options_.servers = servers; }

 private:
  [[nodiscard]] entry_list& of(priority importance) noexcept;
  [[nodiscard]] std::size_t at_or_above(priority importance) const noexcept;
  [[nodiscard]] entry* least_important_below(priority importance) noexcept;
  /// Is it too late to serve it?
  [[nodiscard]] bool is_lost(const entry& waiting, clock::time_point now) const noexcept;

  admission_options options_;
  std::array<entry_list, priority_count> waiting_{};  // by priority, the most important first
  std::size_t size_ = 0;
  clock::duration average_{};
  unsigned samples_ = 0;  // up to samples_to_know
  clock::time_point last_sample_{};
};

}  // namespace breakwater::resilience
