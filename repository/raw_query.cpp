#include "postgres/statement_effects.hpp"
#include <breakwater/postgres/unsendable.hpp>
#include <breakwater/repository/detail/raw_sql.hpp>
#include <breakwater/repository/raw_query.hpp>

namespace breakwater {
namespace {

/// Which argument it is, for errors: by its name or its place.
std::string describe(const detail::raw_arguments& given, std::size_t i) {
  if (i < given.names.size()) return "named \"" + std::string(given.names[i]) + '"';
  return "number " + std::to_string(i + 1);
}

/// For each argument its text as a list, empty for one that is no list. Nothing at all where none is.
std::vector<std::string_view> list_texts(const detail::raw_arguments& given) {
  std::vector<std::string_view> texts;
  if (given.lists.empty()) return texts;
  texts.resize(given.values.size());
  for (const std::size_t i : given.lists) texts[i] = given.values.is_null(i) ? "{NULL}" : given.values.text(i);
  return texts;
}

void append_elements(parameters& to, std::size_t list) {
  const bool null = to.is_null(list);
  const bool sensitive = to.is_sensitive(list);
  const auto elements = detail::array_elements(null ? "{NULL}" : to.text(list));
  if (!elements) return;
  for (std::size_t i = 0; i < elements->size(); ++i) {
    to.append(*elements, i);
    if (sensitive) to.mark_sensitive();
  }
}

bool in_order(const std::vector<std::size_t>& order) noexcept {
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order[i] != i) return false;
  }
  return true;
}

}  // namespace

void raw_query::bind(std::string_view sql, detail::raw_arguments&& given) {
  sql_ = sql;
  auto found = detail::rewrite_placeholders(sql, given.names, given.positional, list_texts(given));
  if (!found) {
    mistake_ = std::move(found).error();
    return;
  }
  detail::raw_sql& rewritten = found.assume_value();
  sql_ = std::move(rewritten.text);
  if (const auto bad = given.values.first_invalid()) {
    mistake_ = unsendable(given.values, "of the argument " + describe(given, *bad));
    return;
  }
  if (!rewritten.expanded.empty()) {
    for (const std::size_t list : rewritten.expanded) append_elements(given.values, list);
    prepare_ = false;  // each length is another text
  }
  if (in_order(rewritten.order) && rewritten.order.size() == given.values.size()) {
    values_ = std::move(given.values);
  } else {
    for (const std::size_t i : rewritten.order) values_.append(given.values, i);
  }
}

statement raw_query::description() const noexcept {
  std::uint64_t print = fingerprint(sql_);
  // One text prepared with other types is another statement to the server.
  for (std::size_t i = 0; i < values_.size(); ++i) {
    print = print * 0x100000001b3U + values_.type(i);
  }
  return {.sql = sql_,
          .name = name_,
          .operation = "SQL",
          .print = print,
          .kind = read_only_ ? statement_class::read : statement_class::write,
          .mapped = false,
          .prepare = prepare_,
          .enforce_read_only = read_only_,
          .idempotent = idempotent_};
}

result<rows> raw_query::rows() const {
  if (mistake_) return error(*mistake_).with_statement(name_);
  return on_->execute(description(), values_);
}

result<detail::row_source> raw_query::open(const stream_options& options) const {
  if (mistake_) return error(*mistake_).with_statement(name_);
  if (!postgres::may_be_cursor(sql_)) {
    return error(errc::invalid_argument,
                 "only a SELECT, VALUES or TABLE can be streamed; run anything else with as<T>() or execute()")
        .with_statement(name_);
  }
  return detail::row_source::open(on_, description(), values_, options);
}

result<std::size_t> raw_query::execute() const {
  BOOST_OUTCOME_TRY(const auto answer, rows());
  return answer.affected();
}

std::string raw_query::to_sql(with_values_t /*tag*/) const {
  if (mistake_) return sql_;
  return detail::with_values_inlined(detail::with_values_of(sql_, values_));
}

error raw_query::after_execution(error failure) const {
  const bool wrote = !read_only_ && on_->autocommits();
  return failure.with_applied(wrote ? applied::yes : applied::no).with_statement(name_);
}

error raw_query::not_one(std::size_t count) const {
  if (count == 0) return after_execution(errc::not_found);
  return after_execution(
      error(errc::too_many_rows, "the statement answered with more than the one row that was asked for"));
}

}  // namespace breakwater
