#pragma once

#include <breakwater/breakwater.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

/// Entities that show every kind of mapping; used by unit and integration tests alike.
namespace tests {

/// Everything at once: generated key, sensitive text, defaults, version, times, trash.
struct account {
  std::int64_t id{};
  std::string owner{};
  bw::numeric balance{};
  std::int32_t version{};
  std::optional<bw::timestamptz> created_at{};
  std::optional<bw::timestamptz> updated_at{};
  std::optional<bw::timestamptz> deleted_at{};
};

/// A composite key, hostile names, no version, no trash.
struct line {
  std::int64_t order_id{};
  std::int32_t number{};
  std::string product{};
  std::optional<std::string> note{};
};

/// A key made by the database's default, and a column with a default.
struct ticket {
  bw::uuid id{};
  std::string state{};
  std::int32_t priority{};
};

/// Nothing but a key.
struct tag {
  std::string name{};
};

constexpr auto breakwater_mapping(std::type_identity<tag>) {
  return bw::table("tags", bw::column<&tag::name>("name", bw::primary_key));
}

}  // namespace tests

template <>
inline constexpr auto breakwater::mapping<tests::account> = bw::table(
    "accounts", bw::column<&tests::account::id>("id", bw::primary_key, bw::generated),
    bw::column<&tests::account::owner>("owner", bw::sensitive), bw::column<&tests::account::balance>("balance"),
    bw::column<&tests::account::version>("version", bw::version),
    bw::column<&tests::account::created_at>("created_at", bw::created_at),
    bw::column<&tests::account::updated_at>("updated_at", bw::updated_at),
    bw::column<&tests::account::deleted_at>("deleted_at", bw::soft_delete));

template <>
inline constexpr auto breakwater::mapping<tests::line> =
    bw::table(bw::in_schema("shop", "order"), bw::column<&tests::line::order_id>("user.name", bw::primary_key),
              bw::column<&tests::line::number>("a \"quoted\" name", bw::primary_key),
              bw::column<&tests::line::product>("select"), bw::column<&tests::line::note>("Note"));

template <>
inline constexpr auto breakwater::mapping<tests::ticket> =
    bw::table("tickets", bw::column<&tests::ticket::id>("id", bw::primary_key, bw::generated),
              bw::column<&tests::ticket::state>("state", bw::defaulted),
              bw::column<&tests::ticket::priority>("priority", bw::defaulted));
