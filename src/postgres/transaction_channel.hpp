#pragma once

#include "postgres/batch.hpp"
#include "postgres/native.hpp"
#include "postgres/outcome_guard.hpp"
#include "postgres/pool.hpp"
#include <breakwater/core/deadline.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/postgres/transaction_options.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace breakwater::postgres {

/// The statements behind `set_savepoint` and `release_savepoint`, for who sends them together with others.
[[nodiscard]] std::string savepoint_sql(unsigned depth);
[[nodiscard]] std::string release_sql(unsigned depth);

/// One transaction on one connection: every statement runs there and nowhere else.
///
/// BEGIN travels with the first statement, so a transaction of n statements costs n + 1 round trips, and one
/// without any costs none.
///
///     state      | becomes     | when
///     fresh      | open        | the first statement was answered
///     open       | failed      | the server answered a statement with ERROR: it accepts only a rollback now
///     open       | ended       | commit, rollback, or a raw statement ended it behind our back
///     any        | ended       | the connection was lost, or an answer is overdue
///
/// A guarded one writes its token's row in the same message as BEGIN (outcome_guard.hpp): no further round trip. Where
/// the table is missing it is made on this connection, in a transaction before this one, which then begins again.
///
/// What sets it up travels behind BEGIN as well, or, where a claim has begun it, ahead of the first statement.
///
/// For one thread at a time.
class transaction_channel final : public channel {
 public:
  /// `until` bounds every statement and the COMMIT.
  transaction_channel(lease held, const transaction_options& options, deadline until);

  /// The library's own, sent ahead of all that runs in it; see `request::before`. What they are views of outlives this.
  /// REQUIRES that nothing has run.
  void set_up(std::span<const batched_statement> before) noexcept {
    before_ = before;
    cacheable_ = shares_plans(before);
  }

  /// \name The outcome guard
  /// @{
  /// The first statement brings the token's row. REQUIRES that none has run.
  void guard(const outcome_token& token, bool make_table) noexcept;
  /// Begins with a token that another transaction may hold: waits `lock_timeout` for that to end, and leaves no trace in
  /// the transaction's settings. Errors: see `is_known_token` and `is_token_in_flight`. REQUIRES that no statement has run.
  [[nodiscard]] result<void> claim(const outcome_token& token, std::chrono::milliseconds lock_timeout, deadline until,
                                   const std::stop_token* cancel);
  /// Gives up what is under way on a connection that was lost or has fallen silent, and has it closed when it is given back,
  /// so that to end its server process ends nothing of anybody else's. Returns that process, where it is known for sure.
  [[nodiscard]] std::optional<server_process> abandon();
  /// What is needed to find out what became of it; nothing where it wrote no token.
  [[nodiscard]] const std::optional<outcome_mark>& mark() const noexcept { return mark_; }
  /// @}

  [[nodiscard]] result<rows> run(const request& wanted) override;
  [[nodiscard]] result<std::vector<rows>> run_batch(const request& wanted,
                                                    std::span<const batched_statement> statements) override;

  /// \name COPY; while its rows pass, no other statement runs.
  /// @{
  /// A failure while rows pass, and an exception of the source, leave the transaction failed.
  [[nodiscard]] result<std::size_t> copy_in(const request& wanted, copy_source& from);
  /// A sink that wants no more, fails or throws leaves the transaction as it was before.
  [[nodiscard]] result<std::size_t> copy_out(const request& wanted, std::string_view shape, copy_sink& to);
  /// @}

  /// Success says: committed, durably as the server is set. Every error says whether it was applied. `written`, where it
  /// is not null, is then what has seen the transaction; asked for in the same message.
  [[nodiscard]] result<void> commit(causality_token* written = nullptr);
  /// Undoes all. Where that is not possible the connection is closed, which undoes it too.
  void rollback() noexcept;

  /// \name Savepoints, for closures inside the closure.
  /// @{
  [[nodiscard]] result<void> set_savepoint(unsigned depth);
  [[nodiscard]] result<void> release_savepoint(unsigned depth);
  [[nodiscard]] result<void> rollback_to_savepoint(unsigned depth);
  /// @}

  /// The transaction for libpqxx. When BEGIN fails, what is handed out is broken: its first use throws
  /// pqxx::broken_connection rather than run anything outside the transaction.
  [[nodiscard]] pqxx::dbtransaction& native();

  /// The server knows of the transaction.
  [[nodiscard]] bool has_begun() const noexcept { return begun_; }
  [[nodiscard]] const std::string& node() const noexcept { return held_->node(); }
  /// Its server was the primary when the connection was made, and says now that it follows another one.
  [[nodiscard]] bool is_demoted() const noexcept {
    return !held_->is_broken() && !held_->was_replica() && held_->is_replica();
  }
  [[nodiscard]] node_role role() const noexcept {
    return held_->was_replica() ? node_role::replica : node_role::primary;
  }

 private:
  struct own_limits {
    deadline until;
    const std::stop_token* cancel = nullptr;
  };
  [[nodiscard]] result<std::vector<rows>> run_behind_begin(std::span<const command> statements, std::string_view name,
                                                           const own_limits& limits);
  [[nodiscard]] result<std::vector<rows>> run_guarded(std::span<const command> statements, const own_limits& limits);
  [[nodiscard]] result<std::vector<rows>> send(std::span<const command> statements, const own_limits& limits);
  [[nodiscard]] result<void> send_commit(causality_token* written);
  void note_effects(const statement& what, const parameters& values);
  [[nodiscard]] deadline commit_deadline() const noexcept;
  [[nodiscard]] result<rows> run_one(const statement& what, const parameters& values, const own_limits& limits);
  [[nodiscard]] std::optional<error> refusal(std::string_view name);
  [[nodiscard]] copy_order order_for(const request& wanted) const;
  void note_copy_was_left();
  void end_copy_out();
  [[nodiscard]] result<void> run_plain(const std::string& sql, const char* name);
  [[nodiscard]] error explain(error failure);
  [[nodiscard]] error token_not_taken();
  [[nodiscard]] error ended_behind_our_back(std::string_view statement_name);
  [[nodiscard]] std::string begin_sql() const;

  lease held_;
  const transaction_options options_;
  const deadline until_;
  std::optional<outcome_token> token_;  // of a guarded one
  std::optional<outcome_mark> mark_;    // its row was written
  std::span<const command> before_{};   // not sent yet
  bool cacheable_ = true;               // its statements may be kept prepared
  bool make_table_ = false;
  bool begun_ = false;
  bool ended_ = false;
  bool session_changed_ = false;
  std::optional<error> root_cause_;  // why the server refuses everything but a rollback
  std::unique_ptr<native_transaction> native_;
};

}  // namespace breakwater::postgres
