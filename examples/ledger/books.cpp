#include "books.hpp"

#include "workload.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

namespace ledger {

bw::result<books> audit(const bw::database& db, const statistics& seen) {
  using namespace std::chrono_literals;
  const bw::session session = db.session({.operation_timeout = 60s});
  books found;
  BOOST_OUTCOME_TRY(auto written, session.query("select id from transfers").as<bw::uuid>());
  BOOST_OUTCOME_TRY(found.money, session.query("select coalesce(sum(balance), 0) from accounts").one<bw::numeric>());
  BOOST_OUTCOME_TRY(found.wrong_accounts,
                    session
                        .query("select count(*) from accounts a where balance <> ? "
                               "+ (select coalesce(sum(amount), 0) from transfers t where t.\"to\" = a.id) "
                               "- (select coalesce(sum(amount), 0) from transfers t where t.\"from\" = a.id)",
                               bw::numeric(opening_balance))
                        .one<std::int64_t>());
  found.lines = written.size();

  auto told = seen.acknowledged();
  auto perhaps = seen.unknown();
  std::ranges::sort(written);
  std::ranges::sort(told);
  std::ranges::sort(perhaps);
  std::vector<bw::uuid> lost;
  std::vector<bw::uuid> more;
  std::vector<bw::uuid> doubled;
  std::ranges::set_difference(told, written, std::back_inserter(lost));
  std::ranges::set_difference(written, told, std::back_inserter(more));
  std::ranges::set_difference(more, perhaps, std::back_inserter(doubled));
  found.lost = lost.size();
  found.doubled = doubled.size();
  return found;
}

}  // namespace ledger
