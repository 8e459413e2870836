#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/copy.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/repository/copy.hpp>
#include <breakwater/repository/detail/decode.hpp>
#include <breakwater/repository/detail/query_state.hpp>
#include <breakwater/repository/detail/row_handler.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

/// From the text of a COPY ... TO STDOUT to entities. For the library's own use.
namespace breakwater::detail {

/// Takes a line of COPY's text format apart. The cells' texts are parts of `line`, or of `unescaped`, which is filled
/// anew. False: there are more or fewer than `cells`.
[[nodiscard]] bool split_copy_line(std::string_view line, std::string& unescaped, std::span<cell> cells);

/// A line that can not be read.
[[nodiscard]] error bad_copy_line(const table_view& table, std::size_t row);

template <class E, class Handler>
class copied_lines final : public copy_sink {
 public:
  explicit copied_lines(Handler& handler) noexcept : handler_(handler) {}

  [[nodiscard]] result<void> begin(const rows& shape) override {
    return check_types(shape, field_types<E>, view_of<E>.name.table);
  }

  [[nodiscard]] result<bool> take(std::string_view line) override {
    ++row_;
    std::array<cell, view_of<E>.columns.size()> cells;
    if (!split_copy_line(line, unescaped_, cells)) return bad_copy_line(view_of<E>, row_);
    E read{};
    std::size_t failed = cells.size();
    for_each_member(mapping_of<E>, [&](auto i, auto member) {
      if (failed == cells.size() && !decode_cell(cells[i], read.*member)) failed = i;
    });
    if (failed < cells.size()) {
      return bad_cell(cells[failed].null, view_of<E>.name.table, view_of<E>.columns[failed].name).with_row(row_);
    }
    loaded(read);
    return hand_over(handler_, std::move(read));
  }

 private:
  Handler& handler_;
  std::string unescaped_;
  std::size_t row_ = 0;
};

/// All rows of the query, which has no values in it.
[[nodiscard]] result<std::size_t> run_copy_out(executor& on, const query_state& all, copy_sink& to,
                                               std::string_view name);

}  // namespace breakwater::detail
