#include <breakwater/postgres/codec.hpp>
#include <breakwater/repository/detail/relation_keys.hpp>

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace breakwater::detail {

struct relation_keys::state {
  std::unordered_map<std::string, std::uint32_t> numbers{};
  std::vector<array_text> arrays{};
  std::string text{};    // of the key at hand
  parameters element{};  // one value of it

  /// Writes the key's text. False where a part of it is NULL.
  bool read(const parameters& key) {
    text.clear();
    for (std::size_t i = 0; i < key.size(); ++i) {
      if (key.is_null(i)) return false;
      // With its length, so that ("a", "bc") is not ("ab", "c").
      if (key.size() > 1) text.append(std::to_string(key.text(i).size())).push_back(':');
      text.append(key.text(i));
    }
    return true;
  }
};

relation_keys::relation_keys(std::size_t columns) : state_(std::make_unique<state>()) {
  state_->arrays.resize(columns);
}
relation_keys::~relation_keys() = default;

std::uint32_t relation_keys::add(parameters& key) {
  std::uint32_t number = none;
  if (state_->read(key)) {
    const auto [at, added] = state_->numbers.try_emplace(state_->text, static_cast<std::uint32_t>(size()));
    number = at->second;
    if (added) {
      for (std::size_t i = 0; i < key.size(); ++i) {
        state_->element.add_text(key.text(i));
        state_->arrays[i].add(state_->element);
      }
    }
  }
  key.clear();
  return number;
}

std::uint32_t relation_keys::find(parameters& key) {
  std::uint32_t number = none;
  if (state_->read(key)) {
    if (const auto at = state_->numbers.find(state_->text); at != state_->numbers.end()) number = at->second;
  }
  key.clear();
  return number;
}

std::size_t relation_keys::size() const noexcept { return state_->numbers.size(); }

void relation_keys::bind_to(parameters& to, bool sensitive) {
  for (array_text& array : state_->arrays) {
    array.finish(to);
    if (sensitive) to.mark_sensitive();
  }
}

result<rows> read_related(executor& on, const relation_request& wanted, relation_keys& keys, const parameters& type) {
  parameters values;
  keys.bind_to(values, wanted.sensitive);
  if (const auto bad = values.first_invalid()) {
    const std::string column(wanted.columns[*bad]);
    return error(errc::invalid_argument, "a key to be looked for in column \"" + column +
                                             "\" contains a NUL byte, which PostgreSQL's text can not hold")
        .with_statement(wanted.what.name)
        .with_table(wanted.what.table)
        .with_column(column);
  }
  values.append(type);
  return on.execute(wanted.what, values);
}

error nobodys_row(const relation_request& wanted) {
  return error(errc::mapping_mismatch,
               "the server takes the key in column \"" + std::string(wanted.columns[0]) +
                   "\" of a related row for one that was asked for, but as a C++ value it is none of them (citext, "
                   "char(n) and numeric compare like that); relate the entities by columns whose values are equal in "
                   "one form only")
      .with_statement(wanted.what.name)
      .with_table(wanted.what.table)
      .with_column(wanted.columns[0]);
}

error second_row(const relation_request& wanted) {
  return error(errc::too_many_rows,
               "a has_one relation found two rows for one owner; make it a has_many, or the foreign key unique")
      .with_statement(wanted.what.name)
      .with_table(wanted.what.table)
      .with_column(wanted.columns[0]);
}

}  // namespace breakwater::detail
