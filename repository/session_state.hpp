#pragma once

#include "cluster/router.hpp"
#include "outcome_sweeper.hpp"
#include "postgres/causal_read.hpp"
#include "postgres/decide.hpp"
#include "postgres/transaction_channel.hpp"
#include "tenant_databases.hpp"
#include "tenant_setup.hpp"
#include "transaction_callbacks.hpp"
#include <breakwater/core/causality_token.hpp>
#include <breakwater/core/config.hpp>
#include <breakwater/core/source_location.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/repository/session_options.hpp>
#include <breakwater/repository/transaction.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace breakwater::detail {

class transaction_cursor;

/// What a database's handles share.
class database_state {
 public:
  database_state(config settings, std::unique_ptr<routing::router> nodes)
      : settings_(std::move(settings)), nodes_(std::move(nodes)) {}

  [[nodiscard]] const config& settings() const noexcept { return settings_; }
  [[nodiscard]] routing::router& nodes() const noexcept { return *nodes_; }
  [[nodiscard]] observer* watcher() const noexcept { return settings_.observer.get(); }
  /// Sweeps the outcome guard's table, once something was guarded.
  [[nodiscard]] outcome_sweeper& sweeper() noexcept { return sweeper_; }
  /// Those of tenants that have one of their own.
  [[nodiscard]] tenant_databases& of_tenants() noexcept { return of_tenants_; }

 private:
  const config settings_;
  const std::unique_ptr<routing::router> nodes_;
  outcome_sweeper sweeper_{*nodes_, settings_.outcome_guard};  // after the nodes: it ends before them
  tenant_databases of_tenants_{settings_, *nodes_};
};

/// \name Why a statement is refused.
/// @{
[[nodiscard]] error refused_beside_transaction(std::string_view statement_name);
[[nodiscard]] error refused_after_transaction(std::string_view statement_name);
/// @}

/// A session behind its handles: routes single statements.
class session_state final : public executor, public std::enable_shared_from_this<session_state> {
 public:
  session_state(std::shared_ptr<database_state> database, session_options options, source_location where);
  /// Its statements are a tenant's. REQUIRES that none has run.
  [[nodiscard]] result<void> belong_to(const tenant_scope& scope) { return tenant_.set(scope); }
  /// Nothing is to run, for this reason.
  void refuse_all(error why) { refusal_ = std::move(why); }
  /// Nothing may run now; `refusal` says why.
  [[nodiscard]] bool refuses() const noexcept { return in_transaction || refusal_.has_value(); }
  /// Nothing: statements may run.
  [[nodiscard]] std::optional<error> refusal(std::string_view statement_name) const;
  /// What has to run before anything else in each transaction.
  [[nodiscard]] std::span<const batched_statement> before() const noexcept { return tenant_.before(); }

  [[nodiscard]] result<rows> execute(const statement& what, const parameters& values) override;
  [[nodiscard]] result<std::vector<rows>> execute_batch(std::span<const batched_statement> statements,
                                                        std::string_view name) override;
  [[nodiscard]] result<void> run_in_transaction(transaction_body body) override;
  [[nodiscard]] result<std::size_t> copy_in(const statement& what, copy_source& from) override;
  [[nodiscard]] result<std::size_t> copy_out(const statement& what, std::string_view shape, copy_sink& to) override;
  [[nodiscard]] result<std::unique_ptr<row_cursor>> open_cursor(const statement& what,
                                                                const parameters& values) override;

  [[nodiscard]] routing::router& nodes() const noexcept { return database_->nodes(); }
  [[nodiscard]] observer* watcher() const noexcept { return database_->watcher(); }
  [[nodiscard]] const session_options& options() const noexcept { return options_; }
  [[nodiscard]] database_state& database() const noexcept { return *database_; }
  /// Its writes are guarded where their own options do not say otherwise.
  [[nodiscard]] bool is_guarded() const noexcept {
    return options_.outcome_guard.value_or(database_->settings().outcome_guard.enabled);
  }
  /// When an operation that starts now has to end.
  [[nodiscard]] deadline operation_deadline(deadline::clock::time_point now) const noexcept;

  /// While set, single statements are refused.
  bool in_transaction = false;

  /// \name What its reads have to see; see session_causality.cpp.
  /// @{
  [[nodiscard]] const causality_token& token() const noexcept { return token_; }
  [[nodiscard]] breakwater::causality causality() const noexcept { return causality_; }
  /// Whether the position of its writes is worth asking for.
  [[nodiscard]] bool places_writes() const noexcept;
  /// Something was written; an empty token: it is not known where.
  void note_written(const causality_token& where) noexcept;
  /// What came of a write: `where` counts if it was applied.
  void note_write(const error* failure, const causality_token& where) noexcept;
  /// Which nodes may answer a read, and what they must have. Nothing where any node will do.
  [[nodiscard]] std::optional<postgres::causal_read> freshness_wanted() const noexcept;
  [[nodiscard]] bool may_read_replicas() const noexcept;
  /// What came of such a read. Error: with `strict_causality`, that nobody vouches for what it had to see.
  [[nodiscard]] result<void> note_read(const postgres::causal_read& read);
  template <class Answer>
  void note_causality(const causality_token* written, const std::optional<postgres::causal_read>& read,
                      result<Answer>& answer);
  /// @}

 private:
  /// \name Single writes of a guarded session, each in a transaction of its own; see outcome_single.cpp.
  /// @{
  [[nodiscard]] result<rows> execute_guarded(const statement& what, const parameters& values);
  [[nodiscard]] result<std::vector<rows>> execute_batch_guarded(std::span<const batched_statement> statements,
                                                                std::string_view name);
  [[nodiscard]] result<std::size_t> copy_in_guarded(const statement& what, copy_source& from);
  /// @}
  [[nodiscard]] request with_limits(const statement& what, const parameters& values) const noexcept;

  const std::shared_ptr<database_state> database_;
  const session_options options_;
  const source_location where_;
  tenant_setup tenant_;
  std::optional<error> refusal_;
  breakwater::consistency consistency_;
  causality_token token_;
  breakwater::causality causality_ = breakwater::causality::none;
  deadline until_;
  std::chrono::nanoseconds operation_timeout_;
};

/// A transaction behind its handles; outlives the transaction itself when a repository of it escapes.
class transaction_state final : public executor, public std::enable_shared_from_this<transaction_state> {
 public:
  transaction_state(std::shared_ptr<session_state> session, std::unique_ptr<postgres::transaction_channel> channel,
                    const transaction_options& options, deadline until, source_location where, unsigned attempt);

  [[nodiscard]] result<rows> execute(const statement& what, const parameters& values) override;
  [[nodiscard]] result<std::vector<rows>> execute_batch(std::span<const batched_statement> statements,
                                                        std::string_view name) override;
  [[nodiscard]] result<std::size_t> copy_in(const statement& what, copy_source& from) override;
  [[nodiscard]] result<std::size_t> copy_out(const statement& what, std::string_view shape, copy_sink& to) override;
  [[nodiscard]] result<std::unique_ptr<row_cursor>> open_cursor(const statement& what,
                                                                const parameters& values) override;

  [[nodiscard]] bool autocommits() const noexcept override { return false; }
  [[nodiscard]] result<void> run_in_transaction(transaction_body body) override;

  /// \name End of the transaction; the connection goes back to its pool.
  /// @{
  /// Of a guarded one that was not applied, the error says so; `carrying_on` then has it run again.
  [[nodiscard]] result<void> commit(bool may_run_again);
  void rollback() noexcept;
  /// @}
  /// After a guarded COMMIT was found not to have been applied: the transaction to run the closure in again.
  [[nodiscard]] std::unique_ptr<postgres::transaction_channel> carrying_on() noexcept {
    return std::move(carrying_on_);
  }

  [[nodiscard]] result<unsigned> begin_savepoint();
  [[nodiscard]] result<void> end_savepoint(unsigned depth, bool keep);
  [[nodiscard]] pqxx::dbtransaction& native();
  [[nodiscard]] unsigned attempt() const noexcept { return attempt_; }

  /// Takes an advisory lock; see `transaction::advisory_lock`.
  [[nodiscard]] result<void> advisory_lock(const advisory_key& key, const advisory_lock_options& options);
  /// Takes it if it is free; returns whether it did.
  [[nodiscard]] result<bool> try_advisory_lock(const advisory_key& key, bool shared);

  void remember(std::unique_ptr<end_callback> call, transaction_end when);
  /// What is to be called now that the transaction has ended in this way.
  [[nodiscard]] end_callbacks take_callbacks(transaction_fate fate) { return callbacks_.take(fate); }
  /// It was not undone for certain, although it was not committed for certain.
  [[nodiscard]] bool may_be_applied() const noexcept { return may_be_applied_; }
  /// Why a statement of it, or its COMMIT, failed, if that is a reason to run the whole transaction again.
  [[nodiscard]] const std::optional<error>& rerun_cause() const noexcept { return rerun_cause_; }
  /// What its node has to answer for: the first failure, or the one that ended the connection. Null: none.
  [[nodiscard]] const error* failure() const noexcept { return failure_ ? &*failure_ : nullptr; }
  /// Something was sent.
  [[nodiscard]] bool has_begun() const noexcept { return channel_ && channel_->has_begun(); }
  /// And how.
  [[nodiscard]] postgres::decision rerun() const noexcept { return rerun_; }

 private:
  friend class transaction_cursor;
  void note(const error& failure, bool mapped = true) noexcept;
  [[nodiscard]] error lost_savepoint(error failure);
  [[nodiscard]] result<void> find_outcome(error unknown, const postgres::outcome_mark& mark, bool may_run_again);
  [[nodiscard]] result<std::vector<rows>> run_batch(std::span<const batched_statement> statements,
                                                    std::string_view name);
  [[nodiscard]] result<void> lock_within(const advisory_key& key, bool shared, std::chrono::milliseconds timeout);
  void note_savepoint_end(unsigned depth, bool keep) noexcept;
  [[nodiscard]] request with_limits(const statement& what, const parameters& values) const noexcept;
  template <class Copy>
  [[nodiscard]] result<std::size_t> run_copy(const statement& what, const Copy& copy);

  const std::shared_ptr<session_state> session_;
  std::unique_ptr<postgres::transaction_channel> channel_;
  std::unique_ptr<postgres::transaction_channel> carrying_on_;
  const transaction_options options_;
  const deadline until_;
  const source_location where_;
  const unsigned attempt_;
  unsigned savepoints_ = 0;
  callback_list callbacks_;
  unsigned cursors_opened_ = 0;
  std::vector<transaction_cursor*> cursors_;  // those that live
  std::optional<error> rerun_cause_;
  std::optional<error> failure_;
  postgres::decision rerun_{};
  bool may_be_applied_ = false;
};

}  // namespace breakwater::detail
