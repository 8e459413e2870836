#pragma once

#include <breakwater/core/deadline.hpp>
#include <breakwater/postgres/parameters.hpp>
#include <breakwater/postgres/statement.hpp>

#include <cstdint>
#include <span>
#include <stop_token>

namespace breakwater::postgres {

/// One statement of a batch with its values.
struct command {
  const statement* what;
  const parameters* values;
};

/// What a batch means for the database, and so what its loss means.
enum class batch_kind : std::uint8_t {
  autocommit,      ///< commits when the server meets its Sync
  in_transaction,  ///< applies nothing: the transaction's COMMIT does
  commit           ///< is the COMMIT: never cancelled, and its loss leaves the fate of all unknown
};

/// Statements that travel together, under one Sync and in one round trip.
struct batch {
  std::span<const command> commands;  ///< the last one is the caller's, those before it prepare its way
  batch_kind kind = batch_kind::autocommit;
  deadline until;
  const std::stop_token* cancel = nullptr;

  [[nodiscard]] const statement& subject() const noexcept { return *commands.back().what; }
  /// Its Sync makes changes permanent: once sent, only the server's answer tells what became of it.
  [[nodiscard]] bool may_apply() const noexcept {
    return kind == batch_kind::commit || (kind == batch_kind::autocommit && subject().kind == statement_class::write);
  }
};

}  // namespace breakwater::postgres
