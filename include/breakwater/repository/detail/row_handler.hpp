#pragma once

#include <breakwater/core/result.hpp>

#include <type_traits>
#include <utility>

/// What callers pass to be called for each row. For the library's own use.
namespace breakwater::detail {

template <class Answer>
inline constexpr bool is_handler_answer =
    std::is_void_v<Answer> || std::is_same_v<Answer, bool> || std::is_same_v<Answer, result<void>>;

template <class Fn, class Row>
consteval bool check_handler() {
  if constexpr (std::is_invocable_v<Fn&, Row>) {
    return is_handler_answer<std::invoke_result_t<Fn&, Row>>;
  } else {
    return false;
  }
}

/// Can be called with a Row, and answers nothing, a bool (false: no more) or a bw::result<void>.
template <class Fn, class Row>
inline constexpr bool is_row_handler = check_handler<Fn, Row>();

/// For the start of whatever takes a handler: its caller's mistake in one sentence.
template <class Fn, class Row>
consteval void assert_row_handler() {
  static_assert(
      is_row_handler<Fn, Row>,
      "breakwater: what is called for each row, or each batch of rows, takes that (an entity by value, const& or "
      "&&; a std::span for batches) and answers nothing, a bool (false: no more) or a bw::result<void>");
}

/// True: go on with the next.
template <class Fn, class Row>
[[nodiscard]] result<bool> hand_over(Fn& handler, Row&& row) {
  if constexpr (!is_row_handler<Fn, Row>) {
    return errc::internal;  // has been asserted
  } else if constexpr (std::is_void_v<std::invoke_result_t<Fn&, Row>>) {
    handler(std::forward<Row>(row));
    return true;
  } else if constexpr (std::is_same_v<std::invoke_result_t<Fn&, Row>, bool>) {
    return handler(std::forward<Row>(row));
  } else {
    BOOST_OUTCOME_TRY(handler(std::forward<Row>(row)));
    return true;
  }
}

}  // namespace breakwater::detail
