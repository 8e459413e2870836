#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/repository/detail/decode.hpp>
#include <breakwater/repository/session.hpp>

#include <span>

namespace breakwater::detail {

struct mapped_table {
  table_view table;
  std::span<const field_type> fields;
};

/// Errors: `mapping_mismatch` listing every difference between the mappings and the schema.
[[nodiscard]] result<void> verify_tables(const session& on, std::span<const mapped_table> tables);

}  // namespace breakwater::detail
