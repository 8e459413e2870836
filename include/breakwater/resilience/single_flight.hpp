#pragma once

#include <breakwater/core/deadline.hpp>
#include <breakwater/core/result.hpp>

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace breakwater::resilience {

/// How a call waits for an identical one.
struct flight_call {
  deadline until{};
  std::stop_token cancel{};
};

namespace detail {

/// A call under way, free of types: who leads it, and who waits for its end.
class flight {
 public:
  enum class fate : std::uint8_t {
    under_way,
    answered,
    abandoned  ///< its leader failed for reasons of its own
  };

  flight() = default;
  flight(const flight&) = delete;
  flight& operator=(const flight&) = delete;

  /// Waits for its end. Errors: `deadline_exceeded`, `cancelled`.
  [[nodiscard]] result<fate> await(const flight_call& how);
  void end(fate how) noexcept;

  std::size_t followers = 0;  ///< guarded by the map's lock

 private:
  std::mutex mutex_;
  std::condition_variable_any ended_;
  fate fate_ = fate::under_way;
};

/// The failure is the caller's, not the call's: another caller, with more time or of more importance, may succeed.
[[nodiscard]] bool is_callers_own(const error& failure) noexcept;

}  // namespace detail

/// Lets identical calls that run at the same time share one execution.
///
///     single_flight<std::int64_t, account> flights;
///     auto ada = flights.run(id, [&] { return accounts.get(id); }, {.until = session_deadline});
///
/// The first caller of a key leads: the call runs on its thread. Those that come meanwhile follow: they wait, each
/// within its own deadline and until its own stop token, and get a copy of the answer, be it a value or an error. An
/// error that is the leader's own (`deadline_exceeded`, `cancelled`, `overloaded`) is not theirs: one of them leads the
/// next execution. An exception passes through to the leader, and the followers do likewise. Nothing is kept: who comes
/// after the end starts a new call. So an answer is never older than the call that it answers; it may have been read
/// before its follower came.
///
/// A call must not run the same key again inside itself: it would wait for itself.
///
/// Thread-safe. A call without followers costs two short locks and two allocations.
template <class Key, class T, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>>
class single_flight {
 public:
  single_flight() = default;
  single_flight(const single_flight&) = delete;
  single_flight& operator=(const single_flight&) = delete;
  /// REQUIRES that no call is under way.
  ~single_flight() = default;

  /// `call()` returns a `result<T>`. Errors: the call's, and while following `deadline_exceeded` and `cancelled`.
  template <class Call>
  [[nodiscard]] result<T> run(const Key& key, Call&& call, const flight_call& how = {}) {
    shard& of = shard_of(key);
    for (;;) {
      std::unique_lock lock(of.mutex);
      auto [at, leads] = of.flights.try_emplace(key);
      if (leads) {
        departure mine(of, *at);
        lock.unlock();
        result<T> answer = std::invoke(call);
        mine.land(answer);
        return answer;
      }
      const std::shared_ptr<typed_flight> other = at->second;
      ++other->followers;
      lock.unlock();
      auto fate = other->await(how);
      if (!fate) return std::move(fate).error();
      if (fate.assume_value() == detail::flight::fate::answered) return *other->answer;
    }
  }

  /// Calls under way.
  [[nodiscard]] std::size_t size() const {
    std::size_t count = 0;
    for (const shard& each : shards_) {
      const std::lock_guard lock(each.mutex);
      count += each.flights.size();
    }
    return count;
  }

 private:
  struct typed_flight : detail::flight {
    std::optional<result<T>> answer;
  };
  using flight_map = std::unordered_map<Key, std::shared_ptr<typed_flight>, Hash, Equal>;
  struct shard {
    mutable std::mutex mutex;
    flight_map flights;
  };

  /// The leader's duty: whatever comes, the flight leaves the map and those who wait are told.
  class departure {
   public:
    /// Under the shard's lock.
    departure(shard& of, typename flight_map::value_type& entry) : of_(of), entry_(&entry) {
      try {
        entry.second = std::make_shared<typed_flight>();
      } catch (...) {
        of_.flights.erase(of_.flights.find(entry.first));
        throw;
      }
    }
    departure(const departure&) = delete;
    departure& operator=(const departure&) = delete;
    ~departure() {
      if (entry_ != nullptr) leave()->end(detail::flight::fate::abandoned);
    }

    void land(const result<T>& answer) {
      if (!answer && detail::is_callers_own(answer.error())) return;
      const auto mine = leave();
      if (mine->followers == 0) return;
      try {
        mine->answer.emplace(answer);
      } catch (...) {
        mine->end(detail::flight::fate::abandoned);
        throw;
      }
      mine->end(detail::flight::fate::answered);
    }

   private:
    /// Out of the map: from then on nobody can follow.
    std::shared_ptr<typed_flight> leave() {
      const std::lock_guard lock(of_.mutex);
      auto mine = std::move(entry_->second);
      // By an iterator: the key that find compares with is the entry's own.
      of_.flights.erase(of_.flights.find(entry_->first));
      entry_ = nullptr;
      return mine;
    }

    shard& of_;
    typename flight_map::value_type* entry_;  // stays where it is while others come and go
  };

  [[nodiscard]] shard& shard_of(const Key& key) noexcept {
    // std::hash of a number is the number: its bits are spread first.
    constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;
    return shards_[(static_cast<std::uint64_t>(Hash{}(key)) * golden) >> (64 - shard_bits)];
  }

  /// More than there are cores that start calls at the same instant.
  static constexpr unsigned shard_bits = 4;
  std::array<shard, std::size_t{1} << shard_bits> shards_{};
};

}  // namespace breakwater::resilience
