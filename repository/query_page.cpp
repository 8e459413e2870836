// Pages of a query's rows.

#include <breakwater/postgres/codec.hpp>
#include <breakwater/repository/detail/query_state.hpp>

#include <limits>
#include <string>
#include <utility>

namespace breakwater::detail {
namespace {

error misuse(const query_state& query, std::string text, std::string_view name) {
  return error(errc::invalid_argument, std::move(text)).with_table(query.table.name.table).with_statement(name);
}

/// Errors: what no page can be made of.
result<void> check_page(const executor* on, const query_state& wanted, std::int64_t size, std::string_view name) {
  if (on == nullptr) return misuse(wanted, "a query made by bw::from has no session to run on", name);
  BOOST_OUTCOME_TRY(wanted.check());
  if (size < 1 || size == std::numeric_limits<std::int64_t>::max()) {
    return misuse(wanted, "a page has at least one row, not " + std::to_string(size), name);
  }
  if (wanted.limit || wanted.offset) {
    return misuse(wanted, "page() sets limit and offset itself; leave them out of the query", name);
  }
  return success();
}

statement_class class_of(const query_state& wanted) noexcept {
  return wanted.lock == row_lock::none ? statement_class::read : statement_class::locking_read;
}

}  // namespace

result<page_rows> run_keyset_page(executor* on, const query_state& wanted, std::int64_t size, std::string_view name) {
  BOOST_OUTCOME_TRY(check_page(on, wanted, size, name));
  if (wanted.folds_rows()) {
    return misuse(wanted,
                  "a keyset page goes by the rows' own keys: not with group_by or distinct. Use page(number, size)",
                  name);
  }
  const query_state ordered = wanted.with_complete_order();
  if (ordered.order.empty()) return misuse(wanted, "page() needs an order: the mapping has no primary key", name);
  for (const order_term& term : ordered.order) {
    if (term.sensitive) {
      return misuse(wanted,
                    "the order " + numbered(term.text) +
                        " is by a sensitive column, whose values would leave the process in the page's cursors",
                    name);
    }
  }
  // One more than asked for tells whether there is another page.
  query_state sent = ordered;
  sent.limit = size + 1;
  BOOST_OUTCOME_TRY(sent, sent.with_keyset_applied());
  sql_fragment sql;
  sent.append_select(sql, true);
  sent.append_order_and_bounds(sql);

  page_rows page;
  page.backward = wanted.is_backward();
  BOOST_OUTCOME_TRY(page.answer, run_fragment(*on, sql, wanted.table, name, "SELECT", class_of(wanted)));
  const bool more = page.answer.size() > static_cast<std::size_t>(size);
  page.count = more ? static_cast<std::size_t>(size) : page.answer.size();
  if (page.count == 0) return page;

  const std::uint64_t print = ordered.print_of_order();
  const std::size_t first_value = page.answer.columns() - ordered.order.size();
  const auto cursor = [&](std::size_t row) {
    return write_cursor(print, page.answer, row, first_value, ordered.order.size());
  };
  const std::size_t first_row = page.backward ? page.count - 1 : 0;
  const std::size_t last_row = page.backward ? 0 : page.count - 1;
  // Where the page was asked for from one side there is something on that side: the row it was asked by, or was.
  if (page.backward || more) page.next_cursor = cursor(last_row);
  if (page.backward ? more : wanted.after.given) page.previous_cursor = cursor(first_row);
  return page;
}

result<page_rows> run_numbered_page(executor* on, const query_state& wanted, std::int64_t number, std::int64_t size,
                                    std::string_view name) {
  BOOST_OUTCOME_TRY(check_page(on, wanted, size, name));
  if (number < 1) return misuse(wanted, "pages are counted from 1, not " + std::to_string(number), name);
  if (number - 1 > std::numeric_limits<std::int64_t>::max() / size) {
    return misuse(wanted, "page " + std::to_string(number) + " lies beyond what a number of rows can be", name);
  }
  if (wanted.is_keyset() || wanted.lock != row_lock::none) {
    return misuse(wanted, "a numbered page has neither after, before nor a lock; use page(size)", name);
  }
  const bool folded = wanted.folds_rows();
  const query_state ordered = folded ? wanted : wanted.with_complete_order();
  if (ordered.order.empty()) return misuse(wanted, "page() needs an order; say order_by", name);

  // One row at least, so that the total is told where the page has no items; the row's number is there to keep the
  // order through the join, and to tell "no item" from an item.
  sql_fragment sql;
  sql.add(R"(select "bw_total"."rows", "bw_page".* from (select count(*) as "rows" from ()");
  if (folded) {
    ordered.append_select(sql, false);
  } else {
    sql.add("select");
    ordered.append_from(sql);
    ordered.append_where(sql);
  }
  sql.add(R"() as "bw_all") as "bw_total" left join (select row_number() over () as "bw_row", "bw_rows".* from ()");
  ordered.append_select(sql, false);
  query_state bounded = ordered;
  bounded.limit = size;
  bounded.offset = (number - 1) * size;
  bounded.append_order_and_bounds(sql);
  sql.add(R"() as "bw_rows") as "bw_page" on true order by "bw_page"."bw_row")");

  page_rows page;
  BOOST_OUTCOME_TRY(page.answer, run_fragment(*on, sql, wanted.table, name, "SELECT", statement_class::read));
  std::int64_t total = 0;
  if (page.answer.empty() || !codec<std::int64_t>::decode(page.answer.at(0, 0).text, total)) {
    return error(errc::internal, "the server's answer has no total").with_statement(name);
  }
  page.total = total;
  page.first_column = 2;
  page.count = page.answer.at(0, 1).null ? 0 : page.answer.size();
  return page;
}

}  // namespace breakwater::detail
