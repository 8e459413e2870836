#pragma once

#include "statistics.hpp"

#include <cstdint>

namespace ledger {

/// What the primary has at the end, against what the clerks were told.
struct books {
  bw::numeric money{};    ///< of all accounts together
  std::size_t lines{};    ///< in the journal
  std::size_t lost{};     ///< transfers that were acknowledged and are not in the journal
  std::size_t doubled{};  ///< lines of transfers that were said not to have happened
  std::int64_t wrong_accounts =
      0;  ///< whose balance is not what the journal makes it: something was applied twice, or half
};

[[nodiscard]] bw::result<books> audit(const bw::database& db, const statistics& seen);

}  // namespace ledger
