#pragma once

#include <breakwater/breakwater.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace ledger {

/// An account of the bank. Two clerks who change it at once are told apart by its version.
struct account {
  std::int64_t id{};
  std::string owner{};
  bw::numeric balance{};
  std::int32_t version{};
  std::optional<bw::timestamptz> deleted_at{};
};

/// A line of the journal: money that went from one account to another.
struct transfer {
  bw::uuid id{};
  std::int64_t from{};
  std::int64_t to{};
  bw::numeric amount{};
  std::optional<bw::timestamptz> booked_at{};
};

}  // namespace ledger

template <>
inline constexpr auto breakwater::mapping<ledger::account> = bw::table(
    "accounts", bw::column<&ledger::account::id>("id", bw::primary_key, bw::generated),
    bw::column<&ledger::account::owner>("owner", bw::sensitive), bw::column<&ledger::account::balance>("balance"),
    bw::column<&ledger::account::version>("version", bw::version),
    bw::column<&ledger::account::deleted_at>("deleted_at", bw::soft_delete));

template <>
inline constexpr auto breakwater::mapping<ledger::transfer> =
    bw::table("transfers", bw::column<&ledger::transfer::id>("id", bw::primary_key),
              bw::column<&ledger::transfer::from>("from"),  // a reserved word: names are always quoted
              bw::column<&ledger::transfer::to>("to"), bw::column<&ledger::transfer::amount>("amount"),
              bw::column<&ledger::transfer::booked_at>("booked_at", bw::created_at));
