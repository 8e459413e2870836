#pragma once

#include "operation_report.hpp"
#include "postgres/server_cursor.hpp"
#include "session_state.hpp"
#include <breakwater/postgres/row_cursor.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace breakwater::detail {

/// The query of a cursor, with texts of its own: who made it may be gone before the last row is read.
class cursor_query {
 public:
  cursor_query(const statement& what, parameters values)
      : sql_(what.sql), name_(what.name), values_(std::move(values)), what_(what) {
    what_.sql = sql_;
    what_.name = name_;
  }
  cursor_query(const cursor_query&) = delete;
  cursor_query& operator=(const cursor_query&) = delete;

  [[nodiscard]] const statement& what() const noexcept { return what_; }
  [[nodiscard]] const parameters& values() const noexcept { return values_; }

 private:
  const std::string sql_;
  const std::string name_;
  const parameters values_;
  statement what_;
};

/// A cursor of a session: in a transaction of its own, on a connection of its own. A query that only reads gives both
/// back with its last rows; what another one did is committed when the end is asked for, and undone when it never is.
class session_cursor final : public row_cursor {
 public:
  /// `limits` are those of the whole.
  session_cursor(session_state& on, const statement& what, const parameters& values, const request& limits,
                 bool replica_allowed);
  ~session_cursor() override;

  [[nodiscard]] result<rows> fetch(std::size_t count) override;

 private:
  [[nodiscard]] result<rows> open(std::size_t count);
  void finish(const error* failure) noexcept;

  session_state& on_;
  const cursor_query query_;
  std::optional<postgres::causal_read> fresh_;
  const request wanted_;
  const bool replica_allowed_;
  const operation_report report_;
  std::optional<postgres::transaction_channel> channel_;
  postgres::server_cursor server_{1};
  std::string node_;
  node_role role_ = node_role::unknown;
  unsigned attempts_ = 0;
  std::size_t rows_ = 0;
  bool finished_ = false;
};

/// A cursor on a transaction's connection.
class transaction_cursor final : public row_cursor {
 public:
  transaction_cursor(transaction_state& on, const statement& what, const parameters& values);
  ~transaction_cursor() override;

  [[nodiscard]] result<rows> fetch(std::size_t count) override;
  /// A savepoint was released or rolled back: what was declared inside it went with it.
  void note_savepoint_end(unsigned depth, bool keep) noexcept;

 private:
  void finish(const error* failure) noexcept;

  transaction_state& on_;
  const cursor_query query_;
  const operation_report report_;
  postgres::server_cursor server_;
  unsigned depth_;  // of the savepoint that it belongs to
  std::size_t rows_ = 0;
  bool lost_ = false;
  bool finished_ = false;
};

}  // namespace breakwater::detail
