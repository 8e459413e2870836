#include <breakwater/repository/condition.hpp>

namespace breakwater {
namespace detail {

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

sql_fragment in_sub_query(sql_fragment left, sql_fragment inner, bool negated, bool nullable) {
  left.add(negated ? " not in (" : " in (");
  if (negated && nullable) {
    // One NULL among them would make "not in" unknown for every row.
    left.add(R"(select "value" from ()").add(inner).add(R"() as "inner"("value") where "value" is not null)");
  } else {
    left.add(inner);
  }
  left.add(")");
  return left;
}

void append_up_to_question(std::string_view& rest, sql_fragment& to) {
  const std::size_t at = find_question(rest);
  const std::string_view piece = rest.substr(0, at);
  for (std::size_t i = 0; i < piece.size(); ++i) {
    to.text.push_back(piece[i]);
    // Outside quotes every ? before `at` is half of a ??; inside them both halves are the text's own.
    if (piece[i] == '?' && find_question(piece.substr(0, i + 1)) == i && i + 1 < piece.size()) ++i;
  }
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
}

}  // namespace detail

std::string like_escape(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size() + 8);
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') escaped.push_back('\\');
    escaped.push_back(c);
  }
  return escaped;
}

}  // namespace breakwater
