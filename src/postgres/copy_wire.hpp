#pragma once

#include "postgres/exchange.hpp"
#include "postgres/socket_wait.hpp"
#include <breakwater/core/deadline.hpp>
#include <breakwater/postgres/rows.hpp>
#include <breakwater/postgres/statement.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

extern "C" {
struct pg_conn;
struct pg_result;
}

namespace breakwater::postgres {

/// How long a step of a COPY may wait.
struct wait_limits {
  deadline until;
  const std::stop_token* cancel = nullptr;  // asked where there is nothing to wait for
  const stop_signal* stop = nullptr;        // ends a wait; REQUIRES that it is there
};

/// One COPY on the wire, in the simple query protocol: COPY does not mix with a pipeline.
///
///     state    | becomes  | when
///     asking   | inwards  | the server is ready for rows
///     asking   | outwards | the server is about to send rows
///     asking   | over     | it answered with an error
///     inwards  | over     | the end, or the wish to give up, was handed over
///     outwards | over     | the last row was read
///
/// In `over` only the rest of the server's answer is awaited. The functions that fill an `exchange_outcome` leave
/// `reached` at `not_sent` until the end of the rows is handed over: before that nothing can be applied.
class copy_wire {
 public:
  /// `notices` counts what the connection's notice receiver was told. REQUIRES a connection that is idle, not in
  /// pipeline mode and non-blocking, and that `handle` and `notices` outlive this.
  copy_wire(pg_conn* handle, const unsigned& notices) noexcept
      : handle_(handle), notices_(notices), notices_seen_(notices) {}

  /// Whose errors they are; forgotten with `outlive_request`.
  void name(const statement& what, std::span<const std::string_view> columns) noexcept {
    what_ = &what;
    columns_ = columns;
  }
  void outlive_request() noexcept {
    what_ = nullptr;
    columns_ = {};
  }

  /// Sends the statements, the last but few of which is the COPY, and waits until rows can pass. False: the outcome
  /// says why not.
  [[nodiscard]] bool start(const std::string& sql, exchange_outcome& outcome, const wait_limits& within);
  /// The last answer with rows before the COPY.
  [[nodiscard]] const rows& preface() const noexcept { return preface_; }
  [[nodiscard]] bool is_asking() const noexcept { return state_ == state::asking; }
  [[nodiscard]] bool is_inwards() const noexcept { return state_ == state::inwards; }
  [[nodiscard]] bool is_outwards() const noexcept { return state_ == state::outwards; }

  /// Hands text over and waits until the socket took it. False: the outcome says why not; the server's refusal of
  /// earlier rows is such a reason. REQUIRES `is_inwards()`.
  [[nodiscard]] bool put(std::string_view text, exchange_outcome& outcome, const wait_limits& within);
  /// Hands over that this was all, and reads the answer. REQUIRES `is_inwards()`.
  void finish(exchange_outcome& outcome, const wait_limits& within);
  /// Reads on after the wait for the answer was cut short.
  void read_on(exchange_outcome& outcome, const wait_limits& within);

  /// The next row; valid until the next call. False: there are no more, or the outcome says why not. REQUIRES
  /// `is_outwards()`.
  [[nodiscard]] bool next_line(std::string_view& line, exchange_outcome& outcome, const wait_limits& within);

  /// Brings it to an end from any state: refuses to send more rows, throws away those that come. True when the server
  /// awaits the next statement.
  [[nodiscard]] bool abandon(deadline until);

 private:
  enum class state : std::uint8_t { asking, inwards, outwards, over };
  struct free_line {
    void operator()(char* line) const noexcept;
  };

  [[nodiscard]] bool wait(readiness wanted, exchange_outcome& outcome, const wait_limits& within);
  [[nodiscard]] bool flush(exchange_outcome& outcome, const wait_limits& within);
  [[nodiscard]] bool was_refused(deadline until);
  [[nodiscard]] bool end_rows(const char* refusal) noexcept;
  void read_answers(exchange_outcome& outcome, const wait_limits& within);
  void fail(exchange_outcome& outcome, const pg_result* result) const;

  pg_conn* handle_;
  const unsigned& notices_;
  unsigned notices_seen_;
  const statement* what_ = nullptr;
  std::span<const std::string_view> columns_{};
  rows preface_{};
  std::unique_ptr<char, free_line> line_{};
  state state_ = state::asking;
  bool heard_ = false;  // something came in while rows went out
};

}  // namespace breakwater::postgres
