#pragma once

#include "account.hpp"
#include "statistics.hpp"

#include <cstdint>
#include <stop_token>
#include <vector>

namespace ledger {

inline constexpr std::size_t account_count = 50;
inline constexpr std::int64_t opening_balance = 1000;

/// Makes the tables and opens the accounts; returns their keys.
[[nodiscard]] bw::result<std::vector<std::int64_t>> open_accounts(const bw::database& db);

/// Moves money between random accounts until asked to stop.
void transfer_money(const bw::database& db, const std::vector<std::int64_t>& accounts, std::uint32_t seed,
                    statistics& seen, const std::stop_token& stop);

/// Looks at random accounts and lists the richest until asked to stop.
void look_around(const bw::database& db, const std::vector<std::int64_t>& accounts, std::uint32_t seed,
                 statistics& seen, const std::stop_token& stop);

}  // namespace ledger
