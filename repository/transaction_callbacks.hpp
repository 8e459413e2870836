#pragma once

#include <breakwater/repository/transaction.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace breakwater::detail {

/// What became of a transaction, as far as it is known.
enum class transaction_fate : std::uint8_t { committed, undone, unknown };

using end_callbacks = std::vector<std::unique_ptr<end_callback>>;

/// What `on_commit` and `on_rollback` were given in one run of a closure, in that order.
///
///     registered by | its savepoint is rolled back | committed | undone | unknown
///     on_commit     | dropped                      | called    | -      | -
///     on_rollback   | called, whatever follows     | -         | called | -
///
/// For one thread at a time.
class callback_list {
 public:
  /// `depth`: how many savepoints are open.
  void add(std::unique_ptr<end_callback> call, transaction_end when, unsigned depth);
  /// The savepoint of this depth, from 1, became a part of what is around it.
  void release(unsigned depth) noexcept;
  /// It was rolled back.
  void undo(unsigned depth) noexcept;
  /// Hands out what is to be called, and forgets the rest.
  [[nodiscard]] end_callbacks take(transaction_fate fate);

 private:
  struct entry {
    std::unique_ptr<end_callback> call;
    transaction_end when;
    unsigned depth;
    bool due;  // whatever becomes of the transaction
  };
  std::vector<entry> entries_;
};

/// Calls all of them, one after the other, also when one throws; the first exception then passes through.
void call_all(end_callbacks callbacks);

}  // namespace breakwater::detail
