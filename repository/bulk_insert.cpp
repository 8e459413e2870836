#include <breakwater/postgres/unsendable.hpp>
#include <breakwater/repository/detail/bulk_insert.hpp>

#include <algorithm>

namespace breakwater::detail {
namespace {

/// How much text one statement carries at most: far below the server's limit of a gigabyte, and enough that a round
/// trip more does not count.
constexpr std::size_t most_bytes = std::size_t{8} << 20U;

/// The protocol counts a statement's values with sixteen bits.
constexpr std::size_t most_values = 65535;

/// Text of these types needs no quotes in an array.
bool is_plain(std::uint32_t type) noexcept {
  switch (type) {
    case oid::boolean:
    case oid::int8:
    case oid::int2:
    case oid::int4:
    case oid::float4:
    case oid::float8:
    case oid::numeric: return true;
    default: return false;
  }
}

/// The columns that values are sent for.
std::vector<const column_info*> sent_columns(const table_view& table, std::uint64_t use_default) {
  std::vector<const column_info*> sent;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (is_sent_by_insert(table.columns[i]) && !in_column_set(use_default, i)) sent.push_back(&table.columns[i]);
  }
  return sent;
}

}  // namespace

void array_parameter::add(const parameters& from, std::size_t i) {
  text_.push_back(text_.empty() ? '{' : ',');
  sensitive_ = sensitive_ || from.is_sensitive(i);
  column_ = from.column(i);
  if (from.is_null(i)) {
    text_.append("NULL");
    return;
  }
  const std::string_view value = from.text(i);
  if (is_plain(from.type(i))) {
    text_.append(value);
    return;
  }
  const std::size_t begin = text_.size();
  text_.resize(begin + 2 * value.size() + 2);  // quotes, and before each character a backslash
  char* to = text_.data() + begin;
  *to++ = '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') *to++ = '\\';
    *to++ = c;
  }
  *to++ = '"';
  text_.resize(static_cast<std::size_t>(to - text_.data()));
}

void array_parameter::finish(parameters& to) {
  text_.append(text_.empty() ? "{}" : "}");
  to.add_text(text_);
  if (sensitive_) to.mark_sensitive();
  if (!column_.empty()) to.mark_column(column_);
  text_.clear();
}

chunk_maker::chunk_maker(const bulk_shape& shape) : shape_(shape) {
  const auto sent = sent_columns(shape.table, shape.all_default);
  as_arrays_ =
      !shape.mixed_defaults && std::ranges::all_of(sent, [](const column_info* column) { return fits_array(*column); });
  if (as_arrays_) arrays_.resize(sent.size());
}

void chunk_maker::add(const parameters& row, std::uint64_t use_default) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < row.size(); ++i) bytes += row.text(i).size() + 4;  // quotes, separator
  const bool full = bytes_ + bytes > most_bytes || (!as_arrays_ && values_.size() + row.size() > most_values);
  if (rows_ > 0 && full) end_chunk();
  bytes_ += bytes;
  if (as_arrays_) {
    for (std::size_t i = 0; i < row.size(); ++i) arrays_[i].add(row, i);
  } else {
    add_to_values(row, use_default);
  }
  ++rows_;
}

void chunk_maker::add_to_values(const parameters& row, std::uint64_t use_default) {
  const std::size_t parameter = values_.size() + 1;
  text_ += written([&](text_out& out) {
    if (rows_ == 0) write_insert_columns(out, shape_.table);
    out << (rows_ == 0 ? " values " : ", ");
    write_insert_row(out, shape_.table, use_default, parameter);
  });
  values_.append(row);
}

void chunk_maker::end_chunk() {
  insert_chunk made{.statement = {}, .rows = rows_};
  run_time_statement& statement = made.statement;
  if (as_arrays_) {
    for (array_parameter& array : arrays_) array.finish(statement.values);
    if (arrays_.empty()) bind(statement.values, static_cast<std::int64_t>(rows_));
    text_ =
        written([&](text_out& out) { write_insert_from_arrays(out, shape_.table, shape_.all_default, shape_.types); });
  } else {
    statement.values = std::move(values_);
  }
  statement.text = std::move(text_) + shape_.tail;
  statement.made =
      dynamic_statement(statement.text, statement.values, shape_.table, shape_.name, "INSERT", statement_class::write);
  // A text for one number of rows is hardly met again, and as long as its rows.
  statement.made.prepare = as_arrays_;
  done_.push_back(std::move(made));
  text_.clear();
  values_.clear();
  rows_ = bytes_ = 0;
}

std::vector<insert_chunk> chunk_maker::finish() {
  if (rows_ > 0) end_chunk();
  return std::move(done_);
}

error bad_row(const bulk_shape& shape, const binder& bound, std::size_t row) {
  return unsendable(bound.values, "for column \"" + std::string(bound.bad_column) + "\" in row " +
                                      std::to_string(row + 1) + " (counted from 1)")
      .with_statement(shape.name)
      .with_table(shape.table.name.table)
      .with_column(bound.bad_column);
}

result<rows> run_chunk(executor& on, const insert_chunk& chunk, const table_view& table) {
  const statement what = chunk.statement.view();
  BOOST_OUTCOME_TRY(auto answer, on.execute(what, chunk.statement.values));
  if (answer.size() == chunk.rows) return answer;
  // The rows that are there can not be told apart by place any more.
  return error(errc::unsafe_operation, "the database returned " + std::to_string(answer.size()) + " of " +
                                           std::to_string(chunk.rows) +
                                           " rows: a trigger or rule suppressed or redirected some")
      .with_applied(on.autocommits() ? applied::unknown : applied::no)
      .with_statement(what.name)
      .with_table(table.name.table);
}

result<void> run_chunks(const std::shared_ptr<executor>& on, std::span<const insert_chunk> chunks,
                        bool needs_transaction, result<void> (*each)(void*, executor&, const insert_chunk&),
                        void* state) {
  if (chunks.size() == 1 && !needs_transaction) return each(state, *on, chunks.front());
  const auto all = [&](const std::shared_ptr<executor>& runs_on) -> result<void> {
    for (const insert_chunk& chunk : chunks) {
      BOOST_OUTCOME_TRY(each(state, *runs_on, chunk));
    }
    return success();
  };
  return on->run_in_transaction(all);
}

}  // namespace breakwater::detail
