#include <breakwater/postgres/enum_type.hpp>

#include <algorithm>

namespace breakwater::detail {

const enum_entry* find_value(std::span<const enum_entry> sorted, std::int64_t value) noexcept {
  const auto found = std::ranges::lower_bound(sorted, value, {}, &enum_entry::value);
  return found != sorted.end() && found->value == value ? &*found : nullptr;
}

const enum_entry* find_label(std::span<const enum_entry> sorted, std::string_view label) noexcept {
  const auto found = std::ranges::lower_bound(sorted, label, {}, &enum_entry::label);
  return found != sorted.end() && found->label == label ? &*found : nullptr;
}

}  // namespace breakwater::detail
