#pragma once

#include "cluster/load_estimate.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace breakwater::routing {

/// A node among those that a call may go to, as it is now.
struct candidate_load {
  load_reading seen{};
  double share = 1;  ///< `slow_start::share`
};

/// What a call costs on the first node as a multiple of what it costs on the second one: the latency times the calls
/// that would then be in flight. Of a node without an estimate the other one's is assumed, and one that has not been
/// confirmed lately counts as no less than that of a node of which more is known: nothing is fast for having been left
/// alone.
[[nodiscard]] inline double relative_cost(const load_reading& of, const load_reading& to) noexcept {
  double mine = of.latency > 0 ? of.latency : to.latency;
  double others = to.latency > 0 ? to.latency : of.latency;
  if (!of.recent && to.recent && mine < others) mine = others;
  if (!to.recent && of.recent && others < mine) others = mine;
  const double latencies = others > 0 ? mine / others : 1;
  return latencies * (of.in_flight + 1.0) / (to.in_flight + 1.0);
}

/// Whether a call goes to `first` rather than to `second`: it costs at most `bound` times as much there; where nothing
/// but chance can tell (equal costs, a bound of 1), chance does. The one that has warmed up less takes part in so many cases only as its share is of the other
/// one's, so that its load grows evenly whatever the load is; a mere surcharge would keep all calls from it while there
/// are few.
///
/// `unit`: a source of random numbers in [0, 1); asked only where it matters.
template <class Unit>
[[nodiscard]] bool goes_to_first(const candidate_load& first, const candidate_load& second, double bound, Unit&& unit) {
  if (first.share < second.share && unit() * second.share >= first.share) return false;
  if (second.share < first.share && unit() * first.share >= second.share) return true;
  const double cost = relative_cost(first.seen, second.seen);
  if (cost > bound) return false;
  return cost < bound || bound > 1 || unit() < 0.5;
}

/// Two different ones out of any number, every pair as likely as any other; looked at one by one, without memory (J. S.
/// Vitter, "Random Sampling with a Reservoir", 1985).
class two_of_many {
 public:
  template <class Unit>
  void offer(std::size_t candidate, Unit&& unit) {
    ++offered_;
    if (offered_ <= kept_.size()) {
      kept_[offered_ - 1] = candidate;
      return;
    }
    const auto place = static_cast<std::size_t>(unit() * static_cast<double>(offered_));
    if (place < kept_.size()) kept_[place] = candidate;
  }
  [[nodiscard]] std::size_t offered() const noexcept { return offered_; }

  /// The one that a call goes to; none where none was offered. `load_of`: a candidate's `candidate_load`, asked only
  /// where there are two.
  template <class LoadOf, class Unit>
  [[nodiscard]] std::optional<std::size_t> choose(LoadOf&& load_of, Unit&& unit) const {
    if (offered_ == 0) return std::nullopt;
    if (offered_ == 1) return kept_[0];
    return goes_to_first(load_of(kept_[0]), load_of(kept_[1]), 1, unit) ? kept_[0] : kept_[1];
  }

 private:
  std::array<std::size_t, 2> kept_{};
  std::size_t offered_ = 0;
};

/// Why a replica stands behind others, or does not.
enum class standing : std::uint8_t {
  near,      ///< in our zone, or there are no zones
  far,       ///< elsewhere
  left_out,  ///< ejected
};

/// The power of two random choices (M. Mitzenmacher, 2001) among the replicas that may serve a read: of two that chance
/// picks, the one where a call costs less. Nearly as even as looking at all of them, and many clients that know the same
/// do not all run to the same node.
///
///     replica_choice choice;
///     for each usable replica: choice.offer(i, standing::near, random_unit);
///     const auto to = choice.choose([&](std::size_t i) { return load of i; }, random_unit);
///
/// - A replica of our zone is preferred as long as a call does not cost more than `most_near_cost` times as much there
///   as on the replica that would be chosen elsewhere: near ones are used while one of them is usable and does not have
///   twice the load, in latency and in calls in flight, of the others.
/// - Replicas that are left out are chosen among only where there is no other.
///
/// A value for one choice. Allocates nothing, whatever the number of nodes.
class replica_choice {
 public:
  /// Calls between zones cost money and a round trip; waiting for twice the time costs more.
  static constexpr double most_near_cost = 2;

  template <class Unit>
  void offer(std::size_t candidate, standing as, Unit&& unit) {
    of_[static_cast<std::size_t>(as)].offer(candidate, unit);
  }
  /// Candidates that are not left out.
  [[nodiscard]] std::size_t offered() const noexcept { return of_[0].offered() + of_[1].offered(); }

  template <class LoadOf, class Unit>
  [[nodiscard]] std::optional<std::size_t> choose(LoadOf&& load_of, Unit&& unit) const {
    const auto near = of_[0].choose(load_of, unit);
    const auto far = of_[1].choose(load_of, unit);
    if (near && far) return goes_to_first(load_of(*near), load_of(*far), most_near_cost, unit) ? near : far;
    if (near || far) return near ? near : far;
    return of_[2].choose(load_of, unit);
  }

 private:
  std::array<two_of_many, 3> of_{};
};

}  // namespace breakwater::routing
