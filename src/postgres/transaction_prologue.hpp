#pragma once

#include <breakwater/postgres/executor.hpp>
#include <breakwater/postgres/parameters.hpp>
#include <breakwater/postgres/rows.hpp>
#include <breakwater/postgres/statement.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace breakwater::postgres {

/// What a connection needs of its session, for every transaction anew: behind a pooler the next one may run in a session
/// that another client has used in between, and what would be set there would meet others.
///
///     directly or in session mode              | in transaction mode
///     set_config(..., is_local = false), once  | set_config(..., is_local = true) ahead of each transaction, under
///     when the connection is made              | the same Sync: no round trip; gone with the transaction
///
/// One statement, which also asks whether the server is a replica: the answer may be another one each time. All is sent
/// each time, although most is what the server has set anyway, because whoever uses the pooler besides us may have left
/// anything. Not among it: what concerns the link between pooler and server (keepalives, the look for a lost client).
///
/// For one thread at a time, as its connection.
class transaction_prologue {
 public:
  /// `prepare`: the pooler brings prepared statements along.
  transaction_prologue(std::chrono::milliseconds statement_timeout, std::chrono::milliseconds idle_in_transaction,
                       bool prepare);
  transaction_prologue(const transaction_prologue&) = delete;
  transaction_prologue& operator=(const transaction_prologue&) = delete;
  ~transaction_prologue() = default;

  /// To be sent first in the implicit transaction of a Sync (`read_only`: in which nothing can be written then), or
  /// behind BEGIN, which says for itself what it can do.
  [[nodiscard]] batched_statement command(bool read_only) const noexcept {
    return {read_only ? &read_only_statement_ : &statement_, &none_};
  }
  /// The same as a part of a select list.
  [[nodiscard]] std::string_view select_list(bool read_only) const noexcept;

  /// What the server's answer says: does it follow a primary? Nothing where it is no such answer.
  [[nodiscard]] static std::optional<bool> read_role(const rows& answer);

 private:
  std::string sql_;
  std::string read_only_sql_;
  parameters none_;
  statement statement_;
  statement read_only_statement_;
};

}  // namespace breakwater::postgres
