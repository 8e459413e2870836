// What a session's reads have to see: what it wrote, and what it was given.

#include "session_state.hpp"

#include <utility>

namespace breakwater::detail {

bool session_state::places_writes() const noexcept {
  return consistency_.kind() == consistency_kind::read_your_writes && nodes().nodes().size() > 1;
}

void session_state::note_written(const causality_token& where) noexcept {
  const causality_token known = where.empty() ? causality_token::position_unknown() : where;
  // It was written by a primary on another history than that of what came before: nobody says that it has kept that.
  const bool lost_sight = !token_.is_on_history_of(known);
  token_ = token_.joined_with(known);
  if (lost_sight) causality_ = breakwater::causality::not_vouched;
}

void session_state::note_write(const error* failure, const causality_token& where) noexcept {
  if (failure == nullptr) return note_written(where);
  if (failure->applied() != applied::no) note_written({});
}

bool session_state::may_read_replicas() const noexcept {
  switch (consistency_.kind()) {
    case consistency_kind::primary: return false;
    case consistency_kind::read_your_writes: return token_.empty() || token_.knows_position();
    case consistency_kind::eventual:
    case consistency_kind::bounded: return options_.after.empty() || options_.after.knows_position();
  }
  return false;
}

std::optional<postgres::causal_read> session_state::freshness_wanted() const noexcept {
  const consistency_kind kind = consistency_.kind();
  const bool own_writes = kind == consistency_kind::read_your_writes;
  const causality_token& after = own_writes ? token_ : options_.after;
  const bool is_bounded = kind == consistency_kind::bounded;
  // What the one node there is wrote it has; and of what is not placed at all the primary is all there is to ask.
  const bool alone = options_.after.empty() && nodes().nodes().size() == 1;
  const bool demands = !alone && (after.knows_position() || after.knows_timeline());
  if (!demands && !is_bounded) return std::nullopt;
  std::optional<postgres::causal_read> wanted{std::in_place};
  if (demands) wanted->after = after;
  if (is_bounded) wanted->lag = consistency_.lag();
  return wanted;
}

result<void> session_state::note_read(const postgres::causal_read& read) {
  using postgres::read_finding;
  if (read.found == read_finding::kept && causality_ == breakwater::causality::none) {
    causality_ = breakwater::causality::kept;
  }
  if (read.found == read_finding::not_vouched) causality_ = breakwater::causality::not_vouched;
  // It stays so, also where the session has written since, on the other history.
  if (causality_ != breakwater::causality::not_vouched) return success();
  if (!options_.strict_causality) return success();
  return error(
      errc::no_primary,
      "the primary is on another history than what this session has to see, so that it may have been lost in a "
      "failover (strict_causality); look whether it is there in a session without .after");
}

}  // namespace breakwater::detail
