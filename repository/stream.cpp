#include <breakwater/repository/detail/query_stream.hpp>
#include <breakwater/repository/stream.hpp>

#include <algorithm>
#include <string>

namespace breakwater::detail {
namespace {

/// So small that the first rows come soon and rows of any usual size fit.
constexpr std::size_t first_fetch_rows = 64;
/// Large enough that round trips do not count, small enough that many streams can run beside each other.
constexpr std::size_t wanted_fetch_bytes = std::size_t{256} * 1024;
/// Rows may have no columns.
constexpr std::size_t most_fetch_rows = 16384;

}  // namespace

fetch_size::fetch_size(std::size_t fixed) noexcept : fixed_(fixed > 0), next_(fixed > 0 ? fixed : first_fetch_rows) {}

void fetch_size::learn(std::size_t rows, std::size_t bytes) noexcept {
  if (fixed_ || rows == 0) return;
  const std::size_t fitting = wanted_fetch_bytes / std::max<std::size_t>(bytes / rows, 1);
  next_ = std::clamp<std::size_t>(fitting, 1, std::min(2 * next_, most_fetch_rows));
}

result<row_source> row_source::open(std::shared_ptr<executor> on, const statement& what, const parameters& values,
                                    const stream_options& options) {
  BOOST_OUTCOME_TRY(auto from, on->open_cursor(what, values));
  row_source made(std::move(on), std::move(from), options);
  BOOST_OUTCOME_TRY(made.fetch());
  return made;
}

result<void> row_source::fetch() {
  fetched_ = rows();  // before the next ones come
  next_ = 0;
  auto fetched = from_->fetch(size_.next());
  if (!fetched) {
    close();
    return std::move(fetched).error();
  }
  fetched_ = std::move(fetched).assume_value();
  size_.learn(fetched_.size(), fetched_.memory());
  return success();
}

result<bool> row_source::next() {
  if (next_ == fetched_.size()) {
    if (!from_) return false;
    BOOST_OUTCOME_TRY(fetch());
    if (fetched_.empty()) {
      close();
      return false;
    }
  }
  ++next_;
  return true;
}

void row_source::close() noexcept {
  from_.reset();
  fetched_ = rows();
  next_ = 0;
}

error refuse_includes(std::string_view name) {
  return error(errc::invalid_argument,
               "a stream gives one row at a time and loads no relations; use in_batches, which loads them for each "
               "batch, or repository::load")
      .with_statement(name);
}

result<row_source> open_select(const std::shared_ptr<executor>& on, const query_state& wanted, std::string_view name,
                               const stream_options& options) {
  const auto refuse = [&](const char* why) {
    return error(errc::invalid_argument, why).with_statement(name).with_table(wanted.table.name.table);
  };
  if (on == nullptr) return refuse("a query made by bw::from has no session to run on; make it from a repository");
  BOOST_OUTCOME_TRY(wanted.check());
  if (wanted.is_backward()) {
    return refuse("a stream goes forward, and the rows before a place are found from their end; use after, or all()");
  }
  BOOST_OUTCOME_TRY(const auto sent, wanted.with_keyset_applied());
  sql_fragment sql;
  sent.append_select(sql, false);
  sent.append_order_and_bounds(sql);
  const std::string text = numbered(sql.text);
  const auto kind = sent.lock == row_lock::none ? statement_class::read : statement_class::locking_read;
  return row_source::open(on, dynamic_statement(text, sql.values, sent.table, name, "SELECT", kind), sql.values,
                          options);
}

}  // namespace breakwater::detail
