#include <breakwater/repository/condition.hpp>

namespace breakwater::detail {

sql_fragment combine(const sql_fragment& left, std::string_view with, const sql_fragment& right) {
  sql_fragment both;
  both.add("(").add(left).add(with).add(right).add(")");
  return both;
}

sql_fragment negate(const sql_fragment& operand) {
  sql_fragment negated;
  negated.add("not (").add(operand).add(")");
  return negated;
}

}  // namespace breakwater::detail
