#include "postgres/decide.hpp"

namespace breakwater::postgres {
namespace {

constexpr decision give_up{};

/// Of what runs once more at most.
constexpr decision once(const failed_attempt& failed, next_attempt where) noexcept {
  return failed.attempt > 1 ? give_up : decision{.next = where};
}

/// A replica's work can be done by another one, or by the primary.
constexpr next_attempt on_another_connection(const failed_attempt& failed) noexcept {
  return failed.on_replica ? next_attempt::elsewhere : next_attempt::same;
}

/// The server said no SQLSTATE: the error is the library's own, or libpq's.
decision decide_by_code(const failed_attempt& failed) noexcept {
  switch (failed.cause.code()) {
    case errc::connection_failed:
    case errc::protocol_error:
      // Of a primary that can not be reached another node may have taken the place.
      return {.next = failed.on_replica    ? next_attempt::elsewhere
                      : failed.attempt > 1 ? next_attempt::other_primary
                                           : next_attempt::same};
    case errc::no_primary: return {.next = next_attempt::other_primary};
    // One replica's queue is long; another's may not be. The primary's is nobody's to share.
    case errc::overloaded: return failed.on_replica ? decision{.next = next_attempt::elsewhere} : give_up;
    default: return give_up;
  }
}

decision find_primary(const failed_attempt& failed) noexcept {
  // The server itself refused to write: another one takes writes, or will. Where it never was a primary it is the
  // caller who declared a write to be a read.
  return failed.demoted ? decision{.next = next_attempt::other_primary} : give_up;
}

decision decide_by_remedy(const failed_attempt& failed) noexcept {
  const error& cause = failed.cause;
  switch (remedy_of(cause.sqlstate())) {
    case remedy::rerun: return {.next = on_another_connection(failed), .free = true};
    case remedy::rerun_once:
      // Cancelled by its caller or by an operator: their word counts.
      if (cause.sqlstate() == "57014" && cause.code() != errc::deadline_exceeded) return give_up;
      return once(failed, on_another_connection(failed));
    case remedy::prepare_again:
      // The connection has prepared anew what it could. What is left: a transaction begins again, and what a standby can
      // not do ("serializable"), the primary can.
      if (cause.code() == errc::serialization_failure) return {.next = next_attempt::same};
      return failed.on_replica ? once(failed, next_attempt::primary) : give_up;
    case remedy::reconnect: return {.next = on_another_connection(failed), .paused = false};
    case remedy::connection_lost: return {.next = on_another_connection(failed)};
    case remedy::reconnect_paced:
      if (!failed.on_replica && failed.attempt > 1) return {.next = next_attempt::other_primary};
      return {.next = on_another_connection(failed)};
    case remedy::find_primary: return find_primary(failed);
    case remedy::find_primary_if_ours: return failed.mapped ? find_primary(failed) : give_up;
    case remedy::reconnect_once: return once(failed, on_another_connection(failed));
    case remedy::primary_once: return failed.on_replica ? once(failed, next_attempt::primary) : give_up;
    case remedy::close:
      // A FATAL one is a proxy's in front of the server, which has lost it.
      if (cause.code() == errc::connection_failed) return {.next = on_another_connection(failed)};
      return give_up;
    case remedy::none:
    case remedy::root_cause:
    case remedy::give_up:
    case remedy::resolve: return give_up;
  }
  return give_up;
}

/// What may have been applied: sent once more only if that does no harm.
decision decide_unknown(const failed_attempt& failed) noexcept {
  if (!failed.idempotent || failed.cause.code() != errc::commit_unknown) return give_up;
  return {.next = failed.attempt > 1 ? next_attempt::other_primary : next_attempt::same};
}

}  // namespace

decision decide(const failed_attempt& failed) noexcept {
  switch (failed.cause.applied()) {
    case applied::yes: return give_up;
    case applied::unknown: return decide_unknown(failed);
    case applied::no: break;
  }
  // Which credentials are right may differ from node to node; the primary's will not change by themselves.
  if (failed.cause.code() == errc::authentication_failed && failed.on_replica) return {.next = next_attempt::elsewhere};
  return failed.cause.sqlstate().empty() ? decide_by_code(failed) : decide_by_remedy(failed);
}

bool is_infrastructure_failure(const error& cause, std::chrono::nanoseconds waited,
                               std::chrono::nanoseconds silence) noexcept {
  if (cause.sqlstate().empty()) {
    switch (cause.code()) {
      case errc::connection_failed:
      case errc::protocol_error: return true;
      // Without any answer on a connection that is given up for it. What waited for a connection in vain says that
      // callers are many, not that the server is ill.
      case errc::deadline_exceeded:
      case errc::commit_unknown: return cause.poisons_connection() && waited >= silence;
      default: return false;
    }
  }
  switch (remedy_of(cause.sqlstate())) {
    case remedy::connection_lost:
    case remedy::reconnect_paced:
    case remedy::reconnect_once: return true;
    case remedy::close: return cause.code() == errc::connection_failed || cause.code() == errc::commit_unknown;
    default: return false;
  }
}

}  // namespace breakwater::postgres
