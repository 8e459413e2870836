#pragma once

#include "postgres/batch.hpp"
#include "postgres/server_error.hpp"
#include "postgres/socket_wait.hpp"
#include "postgres/statement_cache.hpp"
#include <breakwater/postgres/rows.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

extern "C" {
struct pg_conn;
struct pg_result;
}

namespace breakwater::postgres {

/// How far a batch came.
enum class phase : std::uint8_t {
  not_sent,  ///< nothing of it was given to the socket
  sent,      ///< its Sync may have reached the server
  complete   ///< its ReadyForQuery was read
};

/// What happened to a batch on the wire; `judge` (verdict.hpp) says what it means.
struct exchange_outcome {
  phase reached = phase::not_sent;
  wait_result ended = wait_result::ready;  ///< why the wait for an answer ended, if it did
  std::optional<server_error> failure;     ///< the first error, by the server or by libpq
  rows answer;                             ///< of the caller's last statement, when there was no failure
  std::vector<rows> earlier;               ///< of the caller's statements before that, in order
  std::optional<std::size_t> failed;       ///< which of the caller's statements `failure` is the answer to
  bool committed = false;                  ///< the batch's `commit` was answered with COMMIT
  bool undone = false;                     ///< or with ROLLBACK
  std::optional<rows> told;                ///< of `batch::told`, once it was answered
};

/// Sends one batch in pipeline mode under one Sync, preparing on the way what is not prepared yet, and reads the
/// answers. REQUIRES a connection in pipeline mode with nothing outstanding.
class exchange {
 public:
  exchange(pg_conn* handle, statement_cache& cache, const stop_signal& stop) noexcept
      : handle_(handle), cache_(cache), stop_(&stop) {}

  /// Never waits past `until`. The outcome's `failure` is set whenever `reached` is not `complete` and the wait
  /// was not cut short.
  [[nodiscard]] exchange_outcome run(const batch& wanted, deadline until);
  /// Reads on after a wait was cut short, for an answer that may still come. Not the batch but only what this object
  /// and the connection remember of it needs to be alive, when `outlive_batch` was called.
  void read_on(exchange_outcome& outcome, deadline until, const stop_signal& stop);
  void outlive_batch() noexcept;

 private:
  enum class step_kind : std::uint8_t { deallocate, prepare, execute };
  struct step {
    step_kind kind;
    std::uint64_t print;
    std::optional<std::size_t> subject;  // which of the caller's statements it serves
    const statement* what;
    std::string name{};  // of the prepared statement, where one is used
    bool behind = false;
    bool told = false;  // its answer is kept, although it is none of the caller's
  };

  [[nodiscard]] bool queue(const batch& wanted);
  [[nodiscard]] bool queue_command(const command& sent, std::optional<std::size_t> subject, bool behind,
                                   bool cacheable);
  [[nodiscard]] bool queue_prepare(const command& sent, std::optional<std::size_t> subject,
                                   statement_cache::entry& entry, const std::uint32_t* types);
  [[nodiscard]] bool is_queued_to_prepare(const std::string& name) const noexcept;
  [[nodiscard]] static bool ran_out(exchange_outcome& outcome, deadline until) noexcept;
  [[nodiscard]] bool flush(exchange_outcome& outcome, deadline until);
  void read_answers(exchange_outcome& outcome, deadline until);
  /// The next result, or null between two; false when the wait was cut short.
  [[nodiscard]] bool next_result(exchange_outcome& outcome, deadline until, pg_result*& result);
  void take(exchange_outcome& outcome, pg_result* result);
  void refuse_copy(exchange_outcome& outcome, bool outwards);
  void fail(exchange_outcome& outcome, const pg_result* result);
  void keep(exchange_outcome& outcome, std::size_t subject, rows answer);
  void note_answer(exchange_outcome& outcome, const step& of, rows answer);
  [[nodiscard]] const statement* last_subject() const noexcept;

  pg_conn* handle_;
  statement_cache& cache_;
  const stop_signal* stop_;
  std::vector<step> steps_;
  std::size_t subjects_ = 0;
  const statement* commit_ = nullptr;
  std::vector<rows>* reports_ = nullptr;
  bool may_apply_ = false;
  bool abandoned_ = false;  // what the server waits for will never be sent
  std::size_t at_ = 0;      // the step whose answer is read next; steps_.size(): the Sync's
};

}  // namespace breakwater::postgres
