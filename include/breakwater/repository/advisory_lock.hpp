#pragma once

#include <breakwater/postgres/statement.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>

namespace breakwater {

/// What an advisory lock is taken on: a number of 64 bits, a pair of 32 bits each, or a text.
///
///     tx.advisory_lock(42)              // a number
///     tx.advisory_lock({7, 42})         // a kind and a number; never the same lock as any of the other form
///     tx.advisory_lock("invoices/2026") // a text
///
/// A text stands for the number that FNV-1a, 64 bits, makes of its bytes, read as a signed one. That is the same in
/// every program, version and database, so other languages can take the same lock; two texts, or a text and a number,
/// may mean one lock by accident, which costs waiting and nothing else.
class advisory_key {
 public:
  /// An integer of any type whose values all fit.
  template <std::integral Int>
  requires(!std::same_as<Int, bool>) constexpr advisory_key(Int number) noexcept : number_(number) {
    static_assert(std::numeric_limits<Int>::digits <= std::numeric_limits<std::int64_t>::digits,
                  "breakwater: an advisory lock's key is a signed number of 64 bits; cast it");
  }
  constexpr advisory_key(std::int32_t kind, std::int32_t number) noexcept
      : number_(number), kind_(kind), is_pair_(true) {}
  template <std::convertible_to<std::string_view> Text>
  requires(!std::integral<Text>) constexpr advisory_key(const Text& text) noexcept
      : number_(static_cast<std::int64_t>(fingerprint(static_cast<std::string_view>(text)))) {}

  /// The key as the server is given it; of a pair, its second number.
  [[nodiscard]] constexpr std::int64_t number() const noexcept { return number_; }
  /// Of a pair, its first number.
  [[nodiscard]] constexpr std::int32_t kind() const noexcept { return kind_; }
  [[nodiscard]] constexpr bool is_pair() const noexcept { return is_pair_; }

 private:
  std::int64_t number_;
  std::int32_t kind_ = 0;
  bool is_pair_ = false;
};

/// How an advisory lock is waited for.
struct advisory_lock_options {
  /// Longest time to wait; then it is `errc::lock_not_available`, and the transaction can go on. Zero or less: not at
  /// all. Without it, and where the deadline comes first, the deadline ends the wait, and the transaction with it.
  /// Costs a second round trip.
  std::optional<std::chrono::milliseconds> timeout = std::nullopt;
  /// Together with other shared ones; excludes exclusive ones.
  bool shared = false;
};

}  // namespace breakwater
