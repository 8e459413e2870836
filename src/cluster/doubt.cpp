#include "cluster/doubt.hpp"

#include <string>
#include <utility>

namespace breakwater::routing {
namespace {

/// It could have changed a row, and did not. What has no count, DDL for one, did what it was to do.
bool changed_nothing(const rows& answer) {
  const std::string_view tag = answer.command_tag();
  const bool counts = !tag.empty() && tag.back() >= '0' && tag.back() <= '9';
  return counts && answer.affected() == 0 && answer.empty();
}

error nothing_changed() {
  return error(errc::commit_unknown,
               "the answer to the first attempt was lost, and the second one changed no row: the first may have been "
               "applied; read before writing again")
      .with_applied(applied::unknown);
}

error failed_again(const error& last) {
  return error(errc::commit_unknown,
               "the answer to an earlier attempt was lost, so that it may have been applied, and running it again "
               "failed (" +
                   last.text() + "); read before writing again")
      .with_applied(applied::unknown)
      .with_sqlstate(last.sqlstate())
      .with_node(last.node())
      .with_statement(last.statement());
}

}  // namespace

result<rows> settle_doubt(result<rows> last, const statement& what) {
  if (!last) return failed_again(last.assume_error());
  if (what.kind == statement_class::write && changed_nothing(last.assume_value())) return nothing_changed();
  return last;
}

result<std::vector<rows>> settle_doubt(result<std::vector<rows>> last, std::span<const batched_statement> statements) {
  if (!last) return failed_again(last.assume_error());
  for (std::size_t i = 0; i < statements.size() && i < last.assume_value().size(); ++i) {
    if (statements[i].what->kind == statement_class::write && changed_nothing(last.assume_value()[i])) {
      return nothing_changed().with_statement(statements[i].what->name);
    }
  }
  return last;
}

}  // namespace breakwater::routing
