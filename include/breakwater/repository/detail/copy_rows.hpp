#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/copy.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/repository/copy.hpp>
#include <breakwater/repository/detail/entity_binding.hpp>
#include <breakwater/repository/detail/entity_traits.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// From entities to the text of a COPY ... FROM STDIN. For the library's own use.
namespace breakwater::detail {

/// Appends a value in COPY's text format, in which backslash, tab and the ends of lines are escaped.
void append_copy_text(std::string& to, std::string_view value);

/// Entities on their way into a COPY, without their types: what has been bound of one is appended as a row.
///
/// Which columns travel is fixed by the first row: those that an insert names, without the ones that the first row
/// leaves to their DEFAULT. COPY knows no DEFAULT for a single row, so a row that decides otherwise is refused.
class copied_rows : public copy_source {
 public:
  [[nodiscard]] std::span<const std::string_view> columns() const noexcept final { return names_; }
  [[nodiscard]] bool sent() final;
  /// copy "t" ("a", "b") from stdin
  [[nodiscard]] std::string sql() const;
  /// Binds the first row. False: there is none, and nothing is to be sent.
  [[nodiscard]] virtual result<bool> begin() = 0;

 protected:
  copied_rows(const table_view& table, const copy_progress_callback& progress) : table_(table), progress_(progress) {}

  /// Errors: `invalid_argument` when no column is left.
  [[nodiscard]] result<void> choose_columns(std::uint64_t use_default);
  /// Appends the bound values as a row. Errors: `invalid_argument` naming row and column of a text with a NUL byte, or
  /// of a DEFAULT that the first row decided otherwise about.
  [[nodiscard]] result<void> append_row(std::string& to, std::uint64_t use_default, std::string_view now);

  binder row_;  // the row at hand, as for an insert

 private:
  enum class origin : std::uint8_t { entity, clock, version };
  [[nodiscard]] error other_defaults(std::uint64_t use_default) const;

  const table_view table_;
  const copy_progress_callback progress_;
  std::uint64_t use_default_ = 0;
  std::vector<std::string_view> names_;
  std::vector<origin> origins_;  // as names_
  std::string version_;
  copy_progress so_far_;
};

template <class E>
inline constexpr bool has_inserted_columns = [] {
  for (const column_info& column : view_of<E>.columns) {
    if (is_inserted(column)) return true;
  }
  return false;
}();

template <class Range, class E>
consteval bool check_range_of() {
  if constexpr (requires(Range & range) {
                  std::begin(range) != std::end(range);
                  *std::begin(range);
                }) {
    return std::is_same_v<std::remove_cvref_t<decltype(*std::begin(std::declval<Range&>()))>, E>;
  } else {
    return false;
  }
}

/// Can be run through once, and gives E by reference or by value.
template <class Range, class E>
inline constexpr bool is_range_of = check_range_of<Range, E>();

/// The entities of a range, each looked at once and in order.
template <class E, class Range>
class copied_range final : public copied_rows {
 public:
  copied_range(Range& range, const copy_progress_callback& progress)
      : copied_rows(view_of<E>, progress), range_(range) {}

  [[nodiscard]] result<bool> begin() override {
    at_.emplace(std::begin(range_));
    if (!(*at_ != std::end(range_))) return false;
    takes_default_ = bind_insert<E>(row_, **at_);
    BOOST_OUTCOME_TRY(choose_columns(takes_default_));
    return true;
  }

  [[nodiscard]] result<bool> fill(std::string& to, std::string_view now) override {
    for (;;) {
      BOOST_OUTCOME_TRY(append_row(to, takes_default_, now));
      ++*at_;
      row_.values.clear();
      if (!(*at_ != std::end(range_))) return false;
      takes_default_ = bind_insert<E>(row_, **at_);
      if (to.size() >= copy_buffer_bytes) return true;
    }
  }

 private:
  Range& range_;
  std::optional<decltype(std::begin(std::declval<Range&>()))> at_;
  std::uint64_t takes_default_ = 0;  // of the row that is bound
};

/// Runs it; a source without rows is a success that sends nothing.
[[nodiscard]] result<std::size_t> run_copy_in(executor& on, const table_view& table, copied_rows& from,
                                              std::string_view name);

}  // namespace breakwater::detail
