#pragma once

#include "postgres/batch.hpp"
#include "postgres/cancel_request.hpp"
#include "postgres/log_position.hpp"
#include "postgres/statement_cache.hpp"
#include <breakwater/core/config.hpp>
#include <breakwater/core/deadline.hpp>
#include <breakwater/core/dsn.hpp>
#include <breakwater/core/pooler.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

extern "C" {
struct pg_conn;
}
namespace pqxx {
class connection;
}  // namespace pqxx

namespace breakwater {
class secret_cache;
class task_runner;
struct credentials;
}  // namespace breakwater

namespace breakwater::postgres {

class copy_wire;
class exchange;
class transaction_prologue;
struct exchange_outcome;
struct wait_limits;

/// What a connection needs to know to be made. Shared by all connections of a node.
struct connection_settings {
  dsn address;
  std::string node;  ///< "host:port", for errors and events
  std::string application_name;
  std::chrono::milliseconds connect_timeout{};
  std::chrono::milliseconds statement_timeout{};  ///< the server's own bound on every statement
  std::chrono::milliseconds idle_in_transaction_timeout{};
  std::size_t statement_cache_size = 0;  ///< 0: nothing is prepared
  tcp_options tcp;
  std::shared_ptr<secret_cache> secrets{};  ///< null: user and password are the address's
  breakwater::pooler pooler = defaults::pooler;
  bool pooler_prepares = defaults::pooler_prepares;
};

/// The server process behind a connection, as it was told last; empty: not known yet.
struct server_process {
  std::string number{};
  std::string start{};  ///< with the number, tells it from a later process of the same number
  /// When the transaction in question began, where the process may run another client's by now; empty: whatever it runs.
  std::string transaction{};
  bool changes = false;    ///< a proxy stands between: it is another one at times
  bool is_direct = false;  ///< no proxy stands between: whatever is sent there runs in it, and nobody else's does

  [[nodiscard]] bool is_settled() const noexcept { return !number.empty() && !changes; }
};

/// A COPY with what travels in the same message.
struct copy_order {
  const statement& what;
  std::string before{};      ///< statements that prepare its way, each ended by a semicolon
  std::string_view after{};  ///< the same, begun by one
  batch_kind kind = batch_kind::autocommit;
  bool sets_timeout = true;  ///< false: the transaction that it belongs to has done so
  deadline until{};
  const std::stop_token* cancel = nullptr;
};

/// One connection to one server: sends batches, waits no longer than told, and says what became of a write.
///
/// A libpqxx connection whose libpq handle is driven here, always in pipeline mode and never blocking, because
/// only so can a wait end at a deadline. Phases of a batch, and what its loss means in each:
///
///     phase            | entered when                        | read, in transaction | write, COMMIT
///     not sent         | before the first byte is handed on  | applied::no          | applied::no
///     sent             | the Sync was given to the socket    | applied::no          | applied::unknown
///     refused          | an ERROR answer was read            | applied::no          | applied::no
///     complete         | ReadyForQuery was read              | -                    | -
///
/// CommandComplete alone proves nothing for an autocommit write: it commits at the Sync, so only ReadyForQuery
/// counts. For one thread at a time.
class connection {
 public:
  using clock = deadline::clock;

  /// Connects, authenticates and sets the session up, within `until`. Resolving a host name may take longer
  /// than that: libpq resolves with a blocking call. Callers therefore never connect on their own thread.
  [[nodiscard]] static result<std::unique_ptr<connection>> open(std::shared_ptr<const connection_settings> settings,
                                                                deadline until, const std::stop_token* cancel);

  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  /// Closes. A connection that may hold unsent or unanswered data is reset, so that nothing can run later.
  ~connection();

  /// Runs a batch and returns the rows of its last statement. A prepared statement that the server lost or
  /// that no longer fits its tables is prepared anew, and outside a transaction the batch is run again.
  [[nodiscard]] result<rows> run(const batch& wanted);
  /// The same for a batch of several statements of the caller: the rows of each, in order.
  [[nodiscard]] result<std::vector<rows>> run_all(const batch& wanted);

  /// \name COPY; see connection_copy.cpp. While its rows pass, the connection does nothing else.
  /// @{
  /// Sends the source's rows. Returns how many the server counted.
  [[nodiscard]] result<std::size_t> copy_in(const copy_order& wanted, copy_source& from);
  /// Hands out rows, as many as the sink takes, and returns their number. `shape` answers with the same columns and no
  /// row. A COPY whose sink wanted no more, failed or threw is left as it is: for `end_copy`, or `recover`.
  [[nodiscard]] result<std::size_t> copy_out(const copy_order& wanted, std::string_view shape, copy_sink& to);
  [[nodiscard]] bool is_copying() const noexcept { return copying_ != nullptr; }
  /// Its sink wanted no more, failed or threw.
  [[nodiscard]] bool was_copy_left() const noexcept { return copying_ != nullptr && copy_left_; }
  /// Ends a COPY that was left, and nothing else: a transaction stays open, failed as a rule. False: the connection can
  /// not be used as it is.
  [[nodiscard]] bool end_copy(deadline until);
  /// @}

  /// Ends what is still running and rolls back an open transaction, within `until`. False: close it.
  [[nodiscard]] bool recover(deadline until);
  /// A round trip to see whether it lives.
  [[nodiscard]] bool ping(deadline until);
  /// Reads what the server sent unasked. False: the connection is lost, or the server said goodbye.
  [[nodiscard]] bool consume_pending();
  /// Makes everything on it fail at once. The only member that another thread may call, while this one lives; and so
  /// it keeps to a descriptor of its own, for libpq may close its one at any time.
  void abort() noexcept;

  /// The error of a connection that is lost: by what the server said when it ended the session, if it said anything.
  [[nodiscard]] error goodbye(std::string text) const;

  /// Not to be lent again: its session is not as the next borrower expects it.
  void retire() noexcept { spoiled_ = true; }

  /// Idle and outside any transaction: fit for another borrower.
  [[nodiscard]] bool is_clean() const noexcept;
  /// Lost, told goodbye by the server, or in a state that can not be repaired.
  [[nodiscard]] bool is_broken() const noexcept;
  [[nodiscard]] bool in_transaction() const noexcept;
  /// In a transaction in which the server refuses everything but its end.
  [[nodiscard]] bool in_failed_transaction() const noexcept;
  /// A pooler stands between, and may run each transaction on another connection to the server: nothing can be left in
  /// the session. A setting travels with every transaction instead (transaction_prologue.hpp).
  [[nodiscard]] bool is_pooled() const noexcept { return prologue_ != nullptr; }
  /// The server says that it follows a primary, or said so last where it does not tell by itself: when the connection
  /// was made, and behind a pooler with each transaction. Costs a search of libpq's after something was read, else
  /// nothing.
  [[nodiscard]] bool is_replica() noexcept { return role_known_ ? replica_ : look_up_role(); }
  /// It was made to a replica, and its session is read-only.
  [[nodiscard]] bool was_replica() const noexcept { return was_replica_; }
  [[nodiscard]] const std::string& node() const noexcept { return settings_->node; }
  [[nodiscard]] clock::time_point opened_at() const noexcept { return opened_at_; }
  /// Which of a provider's secrets it was opened with; 0: none of them.
  [[nodiscard]] std::uint64_t secret_version() const noexcept { return secret_version_; }
  [[nodiscard]] std::chrono::milliseconds statement_timeout() const noexcept { return settings_->statement_timeout; }
  /// Known from the start where no proxy stands between. Who is told more of it than is known remembers it here.
  [[nodiscard]] server_process& process() noexcept { return process_; }
  /// What was learnt of the server as long as this connection stands; see there. For who asks it.
  [[nodiscard]] known_server& server() noexcept { return server_; }
  /// The server process, as libpq was told when it connected.
  [[nodiscard]] int backend() const noexcept;
  /// What was lost is a COMMIT or its like: it must not be cancelled, only closed.
  [[nodiscard]] bool must_not_cancel() const noexcept { return unanswered_ && permanent_; }

  /// The libpqxx connection that this is: blocking, out of pipeline mode, until the next `run` takes it back. Where
  /// that is not possible the connection is cut, so that its first use throws pqxx::broken_connection.
  [[nodiscard]] pqxx::connection& take_native() noexcept;
  /// Reads what libpqxx has left unread, without waiting: only then does libpq know the transaction's state.
  void finish_native_answers();

 private:
  struct native_closer {
    void operator()(pqxx::connection* closed) const noexcept;
  };

  explicit connection(std::shared_ptr<const connection_settings> settings) noexcept;

  [[nodiscard]] static result<std::unique_ptr<connection>> open_with(
      const std::shared_ptr<const connection_settings>& settings, const credentials* secret, deadline until,
      const std::stop_token* cancel);
  [[nodiscard]] result<void> establish(const credentials* secret, deadline until, const std::stop_token* cancel);
  [[nodiscard]] result<void> set_up_session(deadline until, const std::stop_token* cancel);
  struct session_extras {
    bool client_check = true;  // not on every system, and not before version 14
    bool process = true;       // where the role may ask for it
    bool role = false;         // of a server, or proxy, that does not report it
    bool only_direct = false;  // nothing is set where a pooler stands between
  };
  [[nodiscard]] result<rows> send_settings(session_extras with, deadline until, const std::stop_token* cancel);
  void note_process(const rows& answer);
  /// False: a pooler stands between, and nothing was set.
  [[nodiscard]] result<bool> set_up_direct(deadline until, const std::stop_token* cancel);
  [[nodiscard]] result<void> set_up_behind_pooler(deadline until, const std::stop_token* cancel);
  /// Puts what every transaction needs ahead of one that begins.
  [[nodiscard]] batch behind_prologue(const batch& wanted, std::vector<command>& commands) const;
  [[nodiscard]] result<void> check_session_stays(const batch& wanted) const;
  [[nodiscard]] result<void> enter_pipeline_mode();
  [[nodiscard]] result<void> check(const batch& wanted, clock::time_point now) const;
  [[nodiscard]] result<void> check_values(const batch& wanted) const;
  [[nodiscard]] result<rows> converse(const batch& given, std::vector<rows>& earlier);
  [[nodiscard]] result<rows> converse_with(const batch& wanted, std::vector<rows>& earlier);
  [[nodiscard]] exchange_outcome send_and_read(exchange& wire, const batch& wanted);
  [[nodiscard]] bool drain(deadline until);
  /// What the server reports by itself, "on" for a replica; null where nobody does, or not truly.
  [[nodiscard]] const char* reported_role() const noexcept;
  [[nodiscard]] bool look_up_role() noexcept;
  [[nodiscard]] bool cancel_running(deadline until);
  void forget_stale_plans(const error& cause, const batch& wanted);
  [[nodiscard]] result<void> begin_copy(const copy_order& wanted);
  [[nodiscard]] result<bool> send_rows(copy_source& from, exchange_outcome& outcome, const wait_limits& within);
  void finish_copy_in(const copy_order& wanted, exchange_outcome& outcome, const wait_limits& within);
  [[nodiscard]] result<rows> conclude_copy(const copy_order& wanted, exchange_outcome outcome);
  [[nodiscard]] std::string_view copy_prologue(const copy_order& wanted) const noexcept;
  [[nodiscard]] error give_copy_up(const copy_order& wanted, error cause);
  void install_notice_receiver();

  std::shared_ptr<const connection_settings> settings_;
  pg_conn* handle_ = nullptr;  // owned by native_ once the connection stands
  std::unique_ptr<pqxx::connection, native_closer> native_;
  std::optional<cancel_key> cancel_key_;
  owned_socket unanswered_cancel_;
  int abort_socket_ = -1;  // a duplicate of libpq's, for abort() alone
  statement_cache cache_;
  server_process process_;
  known_server server_;
  clock::time_point opened_at_{};
  std::uint64_t secret_version_ = 0;
  bool was_replica_ = false;
  bool replica_ = false;
  bool told_replica_ = false;                       // what it said when it was asked last
  bool role_known_ = false;                         // nothing was read since `replica_` was found
  std::unique_ptr<transaction_prologue> prologue_;  // behind a pooler of transactions, else null
  std::unique_ptr<exchange> overdue_;               // sent and not answered in time; knows what its answers mean
  std::unique_ptr<copy_wire> copying_;              // a COPY that has not come to its end
  bool copy_left_ = false;
  unsigned notices_ = 0;              // received so far
  bool unanswered_ = false;           // a Sync is out whose ReadyForQuery was not read
  bool permanent_ = false;            // and it belongs to a write that commits, or to a COMMIT
  bool dismissed_ = false;            // the server said that the session is over
  std::string dismissal_;             // and with which SQLSTATE
  bool spoiled_ = false;              // nobody may use it any more: what runs, or may yet be cancelled, is not known
  bool unreplicated_commit_ = false;  // the server warned that a commit may not have reached its standbys
};

}  // namespace breakwater::postgres
