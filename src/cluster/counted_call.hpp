#pragma once

#include <breakwater/core/deadline.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace breakwater::routing {

class replica_set;

/// What a call tells of its node.
enum class finding : std::uint8_t {
  well,      ///< it did its work
  ill,       ///< its infrastructure failed
  answered,  ///< it is well; the call was wrong
  nothing    ///< the call was given up, or never sent
};

/// A call that weighs on the choice among replicas for as long as it lives. False of one that does not, because there is
/// no choice: that one costs nothing.
///
/// For one thread at a time. Must not outlive its replica_set.
class counted_call {
 public:
  using time_point = deadline::clock::time_point;

  counted_call() noexcept = default;
  /// From now on it counts.
  counted_call(replica_set& among, std::size_t replica) noexcept;
  counted_call(counted_call&& other) noexcept
      : among_(std::exchange(other.among_, nullptr)), replica_(other.replica_) {}
  counted_call& operator=(counted_call&& other) noexcept {
    if (this == &other) return *this;
    give_up();
    among_ = std::exchange(other.among_, nullptr);
    replica_ = other.replica_;
    return *this;
  }
  ~counted_call() { give_up(); }

  [[nodiscard]] explicit operator bool() const noexcept { return among_ != nullptr; }

  /// What came of it. `timed`: its duration tells how fast the node is.
  void end(finding found, bool timed, time_point started, time_point now) noexcept;

 private:
  void give_up() noexcept;

  replica_set* among_ = nullptr;
  std::size_t replica_ = 0;
};

}  // namespace breakwater::routing
