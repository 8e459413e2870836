#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/repository/detail/bulk_sql_text.hpp>
#include <breakwater/repository/detail/decode.hpp>
#include <breakwater/repository/detail/entity_binding.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Many entities in few statements. For the library's own use.
namespace breakwater::detail {

/// The text of one array parameter, made element by element.
class array_parameter {
 public:
  /// Appends the `i`-th of these values.
  void add(const parameters& from, std::size_t i);
  [[nodiscard]] std::size_t size() const noexcept { return text_.size(); }
  /// Appends the array to `to`, without a type.
  void finish(parameters& to);

 private:
  std::string text_{};
  std::string_view column_{};
  bool sensitive_ = false;
};

/// What the rows of a bulk insert have in common.
struct bulk_shape {
  table_view table;
  std::span<const std::uint32_t> types;  // what the members' codecs send
  std::string_view name;
  /// What follows the rows: " on conflict ... returning ...".
  std::string tail;
  /// Columns that take their DEFAULT in every row.
  std::uint64_t all_default = 0;
  /// Rows differ in which columns do.
  bool mixed_defaults = false;
};

/// One statement of a bulk insert.
struct insert_chunk {
  run_time_statement statement;
  std::size_t rows = 0;
};

/// Puts rows together to statements: a single one, but for those so large that their values fill several.
///
/// The rows travel as one array for each column, so that there is one text for any number of rows, and the server
/// neither parses nor plans by the row. Where that can not be (a column is an array itself; the rows differ in which
/// columns take their DEFAULT) they travel as VALUES (...), (...).
///
/// Either way the returned rows come in the order given. The plan of such an insert has no freedom: one node lists the
/// rows in their order, and above it one node, never a parallel one, stores row after row and returns each as it is
/// stored. Generated keys are made between the two, so they follow this order as well.
class chunk_maker {
 public:
  explicit chunk_maker(const bulk_shape& shape);

  /// Appends a row as `bind_insert` made it.
  void add(const parameters& row, std::uint64_t use_default);
  [[nodiscard]] std::vector<insert_chunk> finish();

 private:
  void add_to_values(const parameters& row, std::uint64_t use_default);
  void end_chunk();

  const bulk_shape& shape_;
  bool as_arrays_ = false;
  std::vector<array_parameter> arrays_{};
  parameters values_{};
  std::string text_{};
  std::size_t rows_ = 0;
  std::size_t bytes_ = 0;
  std::vector<insert_chunk> done_{};
};

/// Why the first value of a row that can not be sent can not, naming its column and the row.
[[nodiscard]] error bad_row(const bulk_shape& shape, const binder& bound, std::size_t row);

/// Runs one chunk. Errors also when it did not return each of its rows.
[[nodiscard]] result<rows> run_chunk(executor& on, const insert_chunk& chunk, const table_view& table);

/// Runs `each` for every chunk: a single one on its own, several in one transaction.
[[nodiscard]] result<void> run_chunks(const std::shared_ptr<executor>& on, std::span<const insert_chunk> chunks,
                                      bool needs_transaction,
                                      result<void> (*each)(void*, executor&, const insert_chunk&), void* state);

/// What the codec of each member sends, in mapping order.
template <class E>
inline constexpr auto sent_types = [] {
  std::array<std::uint32_t, view_of<E>.columns.size()> types{};
  for_each_member(mapping_of<E>, [&](auto i, auto member) {
    types[i] = codec<without_optional_t<typename member_traits<decltype(member)>::value>>::type;
  });
  return types;
}();

template <class E>
[[nodiscard]] result<std::vector<insert_chunk>> make_chunks(bulk_shape& shape, std::span<const E> given) {
  shape.table = view_of<E>;
  shape.types = sent_types<E>;
  shape.all_default = defaults_of(given.front());
  for (const E& each : given.subspan(1)) {
    shape.mixed_defaults = shape.mixed_defaults || defaults_of(each) != shape.all_default;
  }
  chunk_maker chunks(shape);
  binder row;
  for (std::size_t i = 0; i < given.size(); ++i) {
    row.values.clear();
    const std::uint64_t use_default = bind_insert(row, given[i]);
    if (!row.bad_column.empty()) return bad_row(shape, row, i);
    chunks.add(row.values, use_default);
  }
  return chunks.finish();
}

template <entity E>
[[nodiscard]] result<std::vector<E>> insert_many(const std::shared_ptr<executor>& on, std::span<const E> given) {
  std::vector<E> stored;
  if (given.empty()) return stored;
  bulk_shape shape{.table = view_of<E>,
                   .types = {},
                   .name = statement_name<E, action::insert_many>,
                   .tail = written([](text_out& out) { write_returning(out, view_of<E>); })};
  BOOST_OUTCOME_TRY(const auto chunks, make_chunks(shape, given));
  stored.reserve(given.size());
  BOOST_OUTCOME_TRY(run_chunks(
      on, chunks, false,
      [](void* to, executor& runs_on, const insert_chunk& chunk) -> result<void> {
        BOOST_OUTCOME_TRY(const auto answer, run_chunk(runs_on, chunk, view_of<E>));
        return append_written(runs_on, answer, chunk.statement.view(), *static_cast<std::vector<E>*>(to));
      },
      &stored));
  return stored;
}

}  // namespace breakwater::detail
