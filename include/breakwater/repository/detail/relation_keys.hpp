#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/postgres/parameters.hpp>
#include <breakwater/postgres/rows.hpp>
#include <breakwater/postgres/statement.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

/// Which of the rows that were read belong to whom, without their types. For the library's own use.
namespace breakwater::detail {

/// The distinct keys of a relation's owners. Keys are known by the text in which they are sent, so that any type with a
/// codec can be one.
class relation_keys {
 public:
  /// No key: a part of it is NULL.
  static constexpr std::uint32_t none = static_cast<std::uint32_t>(-1);

  /// `columns` is how many a key has.
  explicit relation_keys(std::size_t columns);
  relation_keys(const relation_keys&) = delete;
  relation_keys& operator=(const relation_keys&) = delete;
  ~relation_keys();

  /// The key's number, from 0; of one that is there already, the same again. Takes the values out of `key`.
  [[nodiscard]] std::uint32_t add(parameters& key);
  /// The key's number, or `none`. Takes the values out of `key`.
  [[nodiscard]] std::uint32_t find(parameters& key);
  /// How many distinct keys there are.
  [[nodiscard]] std::size_t size() const noexcept;
  /// Appends one array for each column, marked as sensitive or not. To be called once, after the last `add`.
  void bind_to(parameters& to, bool sensitive);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

/// What is bound to a relation's statement, and how errors speak of it.
struct relation_request {
  const statement& what;
  std::span<const std::string_view> columns;  // that the keys are compared with
  bool sensitive = false;                     // the keys are
};

/// Runs the statement for all keys; `type` holds a polymorphic relation's type, or nothing.
[[nodiscard]] result<rows> read_related(executor& on, const relation_request& wanted, relation_keys& keys,
                                        const parameters& type);

/// The server found a row whose key is nobody's.
[[nodiscard]] error nobodys_row(const relation_request& wanted);
/// A has_one found a second row.
[[nodiscard]] error second_row(const relation_request& wanted);

}  // namespace breakwater::detail
