#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

namespace breakwater {

/// The one row that a member stands for, or none: the member of a `has_one` or `belongs_to` relation.
///
///     struct Entry { std::int64_t id{}; std::int64_t account_id{}; bw::one<Account> account{}; };
///     if (entry.account) use(entry.account->owner);
///
/// By default not loaded; a relation fills it when asked (`include`, `load`). T may be incomplete where the member is
/// declared. A value: copies are alike and independent. The row itself is shared by the copies, as it is by the many
/// entries of one account, and therefore can not be changed in place: copy it out, or assign a new one. Distinct
/// objects may be used by distinct threads.
template <class T>
class one {
 public:
  using value_type = T;

  one() noexcept = default;
  one(const one&) = default;
  one(one&& other) noexcept : row_(std::move(other.row_)), loaded_(std::exchange(other.loaded_, false)) {}
  ~one() = default;
  one& operator=(const one&) = default;
  one& operator=(one&& other) noexcept {
    row_ = std::move(other.row_);
    loaded_ = std::exchange(other.loaded_, false);
    return *this;
  }
  /// Loaded, with this row. Implicit, so that `entry.account = account` works.
  one(T row) : row_(std::make_shared<const T>(std::move(row))), loaded_(true) {}

  /// Loaded, and there is no such row.
  [[nodiscard]] static one none() noexcept {
    one empty;
    empty.loaded_ = true;
    return empty;
  }

  /// Has anyone looked? Where not, there being no row says nothing.
  [[nodiscard]] bool loaded() const noexcept { return loaded_; }
  [[nodiscard]] bool has_value() const noexcept { return row_ != nullptr; }
  [[nodiscard]] explicit operator bool() const noexcept { return has_value(); }
  /// The row, or null.
  [[nodiscard]] const T* get() const noexcept { return row_.get(); }
  /// REQUIRES `has_value()`, as `*` and `->` of a `std::optional` do.
  [[nodiscard]] const T& operator*() const noexcept { return *row_; }
  [[nodiscard]] const T* operator->() const noexcept { return row_.get(); }

  /// Both not loaded, or both loaded and with equal rows or none. Needs T's own ==, when it is used.
  [[nodiscard]] friend bool operator==(const one& left, const one& right) {
    if (left.loaded_ != right.loaded_) return false;
    if (left.row_ == right.row_) return true;
    return left.row_ != nullptr && right.row_ != nullptr && *left.row_ == *right.row_;
  }

 private:
  std::shared_ptr<const T> row_;
  bool loaded_ = false;
};

/// The rows that a member stands for: the member of a `has_many` or `many_to_many` relation.
///
///     struct Account { std::int64_t id{}; bw::many<Entry> entries{}; };
///     for (const Entry& entry : account.entries) use(entry.amount);
///
/// By default not loaded, and then empty; a relation fills it when asked (`include`, `load`). T may be incomplete where
/// the member is declared. A value that owns its rows: they may be changed, and a copy has its own. Threads may share
/// one as they may a `std::vector`.
template <class T>
class many {
 public:
  using value_type = T;
  using iterator = T*;
  using const_iterator = const T*;

  // None of these is defaulted: a defaulted one is defined where the member is declared, and T is not complete there.
  // NOLINTBEGIN(modernize-use-equals-default)
  many() noexcept {}
  many(const many& other) : rows_(other.rows_), loaded_(other.loaded_) {}
  many(many&& other) noexcept : rows_(std::move(other.rows_)), loaded_(std::exchange(other.loaded_, false)) {}
  ~many() {}
  // NOLINTEND(modernize-use-equals-default)
  many& operator=(const many& other) {
    rows_ = other.rows_;
    loaded_ = other.loaded_;
    return *this;
  }
  many& operator=(many&& other) noexcept {
    rows_ = std::move(other.rows_);
    loaded_ = std::exchange(other.loaded_, false);
    return *this;
  }
  /// Loaded, with these rows. Implicit, so that `account.entries = std::move(entries)` works.
  many(std::vector<T> rows) noexcept : rows_(std::move(rows)), loaded_(true) {}
  many(std::initializer_list<T> rows) : rows_(rows), loaded_(true) {}

  /// Has anyone looked? Where not, being empty says nothing.
  [[nodiscard]] bool loaded() const noexcept { return loaded_; }

  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
  [[nodiscard]] T* begin() noexcept { return rows_.data(); }
  [[nodiscard]] T* end() noexcept { return rows_.data() + rows_.size(); }
  [[nodiscard]] const T* begin() const noexcept { return rows_.data(); }
  [[nodiscard]] const T* end() const noexcept { return rows_.data() + rows_.size(); }
  [[nodiscard]] T* data() noexcept { return rows_.data(); }
  [[nodiscard]] const T* data() const noexcept { return rows_.data(); }
  /// REQUIRES `at < size()`.
  [[nodiscard]] T& operator[](std::size_t at) noexcept { return rows_[at]; }
  [[nodiscard]] const T& operator[](std::size_t at) const noexcept { return rows_[at]; }
  /// REQUIRES that it is not empty.
  [[nodiscard]] T& front() noexcept { return rows_.front(); }
  [[nodiscard]] const T& front() const noexcept { return rows_.front(); }
  /// REQUIRES that it is not empty.
  [[nodiscard]] T& back() noexcept { return rows_.back(); }
  [[nodiscard]] const T& back() const noexcept { return rows_.back(); }
  /// The rows as a vector, to add to or take away from.
  [[nodiscard]] std::vector<T>& rows() noexcept { return rows_; }
  [[nodiscard]] const std::vector<T>& rows() const noexcept { return rows_; }

  /// Both not loaded, or both loaded, with equal rows in the same order. Needs T's own ==, when it is used.
  [[nodiscard]] friend bool operator==(const many& left, const many& right) {
    return left.loaded_ == right.loaded_ && left.rows_ == right.rows_;
  }

 private:
  std::vector<T> rows_;
  bool loaded_ = false;
};

}  // namespace breakwater
