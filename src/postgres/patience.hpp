#pragma once

#include <chrono>

/// How long an answer is awaited beyond what its caller asked for.
namespace breakwater::postgres {

/// How long past its deadline the answer to a write is awaited. The server ends the statement itself at the
/// deadline (statement_timeout), and knowing that it did is worth these milliseconds: the alternative is
/// `commit_unknown`. Half of what callers are promised at most (deadline + 10 ms).
inline constexpr std::chrono::milliseconds verdict_grace{5};

/// How long after cancelling a running write its answer is awaited, within the deadline.
inline constexpr std::chrono::milliseconds cancel_verdict_wait{250};

/// A rollback that takes longer is not worth waiting for: closing the connection does the same.
inline constexpr std::chrono::milliseconds rollback_patience{1000};

}  // namespace breakwater::postgres
