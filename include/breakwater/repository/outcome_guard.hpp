#pragma once

#include <string>

namespace breakwater {

/// The statements that make the outcome guard's table, for a migration: each ended by a semicolon, and harmless where
/// the table is there. Without them the first guarded transaction makes it, if `config.outcome_guard.create_table` is on
/// and the role may create a schema.
///
///     run_migration(bw::outcome_guard_ddl());
///
/// The role of the program then needs: usage on schema breakwater; select, insert, update, delete on breakwater.outcomes.
/// Thread-safe.
[[nodiscard]] std::string outcome_guard_ddl();

}  // namespace breakwater
