#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/postgres/rows.hpp>
#include <breakwater/postgres/statement.hpp>

#include <span>
#include <vector>

namespace breakwater::routing {

/// \name What is known in the end of a write that was run again although an earlier attempt may have been applied.
///
///     the last attempt                          | the answer
///     changed or returned a row                 | is it: it was applied, as its caller meant it
///     changed none, and might have              | commit_unknown: the earlier attempt may have done it
///     failed, in whatever way                   | commit_unknown: the earlier attempt may have been applied
/// @{
[[nodiscard]] result<rows> settle_doubt(result<rows> last, const statement& what);
[[nodiscard]] result<std::vector<rows>> settle_doubt(result<std::vector<rows>> last,
                                                     std::span<const batched_statement> statements);
/// @}

}  // namespace breakwater::routing
