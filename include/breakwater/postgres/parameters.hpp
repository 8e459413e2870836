#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace breakwater {

/// PostgreSQL's type numbers (pg_type.oid) of the built-in types that the library names.
namespace oid {
inline constexpr std::uint32_t unknown = 0;  ///< the server works the type out from the context
inline constexpr std::uint32_t boolean = 16, bytea = 17, name = 19, int8 = 20, int2 = 21, int4 = 23, text = 25,
                               json = 114, cidr = 650, float4 = 700, float8 = 701, inet = 869, bpchar = 1042,
                               varchar = 1043, date = 1082, time = 1083, timestamp = 1114, timestamptz = 1184,
                               interval = 1186, numeric = 1700, uuid = 2950, jsonb = 3802;
}  // namespace oid

/// The values bound to a statement's $1 ... $n, owned, in the text form that the server reads.
///
///     bw::parameters values;
///     bw::bind(values, std::int64_t{42});      // see codec.hpp
///
/// Up to `inline_slots` values of together `inline_bytes` live inside the object: a lookup by key allocates
/// nothing. A value for one thread at a time.
class parameters {
 public:
  static constexpr std::size_t inline_slots = 12;   // a primary key, or a row of a usual width
  static constexpr std::size_t inline_bytes = 192;  // twelve numbers or three short texts

  // None of these is defaulted: the inline buffers stay uninitialised, and only what is used of them is copied. That is
  // what makes an empty one cheap.
  // NOLINTBEGIN(cppcoreguidelines-pro-type-member-init, modernize-use-equals-default)
  parameters() noexcept {}
  parameters(const parameters& other)
      : size_(other.size_),
        used_(other.used_),
        overflow_(other.overflow_),
        more_slots_(other.more_slots_),
        first_invalid_(other.first_invalid_),
        refusal_(other.refusal_) {
    copy_inline_part(other);
  }
  parameters(parameters&& other) noexcept
      : size_(std::exchange(other.size_, 0)),
        used_(std::exchange(other.used_, 0)),
        overflow_(std::move(other.overflow_)),
        more_slots_(std::move(other.more_slots_)),
        first_invalid_(std::exchange(other.first_invalid_, std::nullopt)),
        refusal_(std::exchange(other.refusal_, nullptr)) {
    copy_inline_part(other);
    other.clear();
  }
  // NOLINTEND(cppcoreguidelines-pro-type-member-init, modernize-use-equals-default)
  parameters& operator=(const parameters& other) {
    if (this != &other) *this = parameters(other);
    return *this;
  }
  parameters& operator=(parameters&& other) noexcept {
    if (this == &other) return *this;
    size_ = std::exchange(other.size_, 0);
    used_ = std::exchange(other.used_, 0);
    overflow_ = std::move(other.overflow_);
    more_slots_ = std::move(other.more_slots_);
    first_invalid_ = std::exchange(other.first_invalid_, std::nullopt);
    refusal_ = std::exchange(other.refusal_, nullptr);
    copy_inline_part(other);
    other.clear();
    return *this;
  }
  ~parameters() = default;

  /// Appends SQL NULL.
  void add_null(std::uint32_t type = oid::unknown) { add_slot(0, null_length, type); }

  /// Appends a value in text form. A NUL byte can not be sent in text: the first such value is remembered
  /// in `first_invalid()`, and executing then fails before anything is sent.
  void add_text(std::string_view value, std::uint32_t type = oid::unknown) {
    char* at = reserve(value.size());
    if (!value.empty()) std::memcpy(at, value.data(), value.size());
    if (std::memchr(at, '\0', value.size()) != nullptr && !first_invalid_) first_invalid_ = size_;
    commit(value.size(), type);
  }

  /// Stands for a value that can not be sent, and remembers why: the first such is `first_invalid()`, and executing
  /// then fails with `errc::data_error` before anything is sent. `why` goes on from "the value for column "x" ", holds
  /// no value itself, and lives as long as the program.
  void refuse(const char* why) {
    add_null();
    mark_refused(why);
  }
  /// The same of the value added last.
  void mark_refused(const char* why) noexcept {
    if (first_invalid_) return;
    first_invalid_ = size_ - 1;
    refusal_ = why;
  }

  /// Room for a text of up to `bytes` characters, to be filled and then given its true length by `commit`.
  /// The next call on this object ends the pointer's validity.
  [[nodiscard]] char* reserve(std::size_t bytes) {
    const std::size_t needed = used_ + bytes + 1;  // libpq reads text values up to a NUL
    if (!overflow_.empty() || needed > inline_bytes) grow(needed);
    return buffer() + used_;
  }
  void commit(std::size_t bytes, std::uint32_t type = oid::unknown) {
    buffer()[used_ + bytes] = '\0';
    add_slot(used_, bytes, type);
    used_ += bytes + 1;
  }

  /// Marks the value added last as sensitive: it is shown as *** wherever parameters are shown.
  void mark_sensitive() noexcept { slot(size_ - 1).sensitive = true; }

  /// Says which column the value added last is for, so that an error about it can name the column. REQUIRES that
  /// the name outlives the statement; a mapping's names live as long as the program.
  void mark_column(std::string_view name) noexcept {
    slot_type& last = slot(size_ - 1);
    last.column = name.data();
    last.column_length = static_cast<std::uint8_t>(name.size());  // PostgreSQL's names have at most 63 bytes
  }

  /// Appends all values of `other`.
  void append(const parameters& other) {
    for (std::size_t i = 0; i < other.size(); ++i) append(other, i);
  }
  /// Appends one value of `other`, with all that is known of it.
  void append(const parameters& other, std::size_t i) {
    if (other.first_invalid_ == i && !first_invalid_) {
      first_invalid_ = size_;
      refusal_ = other.refusal_;
    }
    const slot_type& from = other.slot(i);
    if (from.length == null_length) {
      add_null(from.type);
    } else {
      char* at = reserve(from.length);
      if (from.length > 0) std::memcpy(at, other.buffer() + from.offset, from.length);
      commit(from.length, from.type);
    }
    slot_type& added = slot(size_ - 1);
    added.sensitive = from.sensitive;
    added.column = from.column;
    added.column_length = from.column_length;
  }

  void clear() noexcept {
    size_ = used_ = 0;
    more_slots_.clear();
    overflow_.clear();
    first_invalid_.reset();
    refusal_ = nullptr;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] bool is_null(std::size_t i) const noexcept { return slot(i).length == null_length; }
  [[nodiscard]] bool is_sensitive(std::size_t i) const noexcept { return slot(i).sensitive; }
  [[nodiscard]] std::uint32_t type(std::size_t i) const noexcept { return slot(i).type; }
  /// The value's text; empty for NULL. Followed by a NUL byte.
  [[nodiscard]] std::string_view text(std::size_t i) const noexcept {
    return is_null(i) ? std::string_view{} : std::string_view{buffer() + slot(i).offset, slot(i).length};
  }
  /// The column the value is for, where that is known.
  [[nodiscard]] std::string_view column(std::size_t i) const noexcept {
    return slot(i).column == nullptr ? std::string_view{} : std::string_view{slot(i).column, slot(i).column_length};
  }
  /// Index of the first value that can not be sent.
  [[nodiscard]] std::optional<std::size_t> first_invalid() const noexcept { return first_invalid_; }
  /// Why it can not be sent, as given to `refuse`; null for a text with a NUL byte.
  [[nodiscard]] const char* refusal() const noexcept { return refusal_; }

 private:
  static constexpr std::size_t null_length = static_cast<std::size_t>(-1);
  // Without initialisers: an array of these is left uninitialised, and add_slot gets them whole.
  struct slot_type {
    std::size_t offset;
    std::size_t length;
    const char* column;
    std::uint32_t type;
    std::uint8_t column_length;
    bool sensitive;
  };

  /// The used part of the inline buffers; size_ and used_ are set already.
  void copy_inline_part(const parameters& other) noexcept {
    if (overflow_.empty()) std::memcpy(inline_.data(), other.inline_.data(), used_);
    std::copy_n(other.slots_.begin(), std::min(size_, inline_slots), slots_.begin());
  }

  [[nodiscard]] char* buffer() noexcept { return overflow_.empty() ? inline_.data() : overflow_.data(); }
  [[nodiscard]] const char* buffer() const noexcept { return overflow_.empty() ? inline_.data() : overflow_.data(); }
  void grow(std::size_t needed) {
    if (overflow_.empty()) {
      overflow_.resize(std::max(needed, 2 * inline_bytes));
      std::memcpy(overflow_.data(), inline_.data(), used_);
    } else if (needed > overflow_.size()) {
      overflow_.resize(std::max(needed, 2 * overflow_.size()));
    }
  }
  [[nodiscard]] slot_type& slot(std::size_t i) noexcept {
    return i < inline_slots ? slots_[i] : more_slots_[i - inline_slots];
  }
  [[nodiscard]] const slot_type& slot(std::size_t i) const noexcept {
    return i < inline_slots ? slots_[i] : more_slots_[i - inline_slots];
  }
  void add_slot(std::size_t offset, std::size_t length, std::uint32_t type) {
    const slot_type added{offset, length, nullptr, type, 0, false};
    if (size_ < inline_slots) {
      slots_[size_] = added;
    } else {
      more_slots_.push_back(added);
    }
    ++size_;
  }

  std::size_t size_ = 0;
  std::size_t used_ = 0;
  std::array<char, inline_bytes> inline_;
  std::array<slot_type, inline_slots> slots_;
  std::string overflow_;
  std::vector<slot_type> more_slots_;
  std::optional<std::size_t> first_invalid_;
  const char* refusal_ = nullptr;
};

}  // namespace breakwater
