#include "postgres/statement_effects.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>

namespace breakwater::postgres {
namespace {

bool is_letter(char c) noexcept { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

bool equal_words(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

std::size_t end_of_block_comment(std::string_view sql, std::size_t at) noexcept {
  int depth = 0;
  while (at < sql.size()) {
    if (sql.substr(at, 2) == "/*") {
      ++depth;
      at += 2;
    } else if (sql.substr(at, 2) == "*/") {
      at += 2;
      if (--depth == 0) return at;
    } else {
      ++at;
    }
  }
  return at;
}

/// Takes the next word off `sql`; empty when something else than a word comes next.
std::string_view next_word(std::string_view& sql) noexcept {
  std::size_t at = 0;
  for (;;) {
    // An empty statement in front of it is none to the server: ";commit" is a COMMIT.
    while (at < sql.size() && (sql[at] == ';' || std::isspace(static_cast<unsigned char>(sql[at])) != 0)) ++at;
    if (sql.substr(at, 2) == "--") {
      at = std::min(sql.find('\n', at), sql.size());
    } else if (sql.substr(at, 2) == "/*") {
      at = end_of_block_comment(sql, at);
    } else {
      break;
    }
  }
  std::size_t end = at;
  while (end < sql.size() && is_letter(sql[end])) ++end;
  const std::string_view word = sql.substr(at, end - at);
  sql.remove_prefix(end);
  return word;
}

}  // namespace

bool may_commit_by_itself(std::string_view sql) noexcept {
  const std::string_view first = next_word(sql);
  return equal_words(first, "call") || equal_words(first, "do");
}

bool changed_session(std::string_view sql, std::string_view tag) noexcept {
  if (tag == "RESET" || tag == "LISTEN" || tag == "UNLISTEN" || tag == "DISCARD ALL" || tag == "DISCARD TEMP" ||
      tag == "LOAD" || tag == "PREPARE" || tag == "DEALLOCATE" || tag == "DEALLOCATE ALL") {
    return true;
  }
  if (tag != "SET") return false;
  (void)next_word(sql);  // SET
  const std::string_view second = next_word(sql);
  return !equal_words(second, "local") && !equal_words(second, "transaction") && !equal_words(second, "constraints");
}

bool may_change_session(std::string_view sql) noexcept {
  constexpr std::array<std::string_view, 6> words{"reset", "listen", "unlisten", "discard", "load", "deallocate"};
  const std::string_view first = next_word(sql);
  if (equal_words(first, "prepare")) return !equal_words(next_word(sql), "transaction");
  if (equal_words(first, "set")) {
    const std::string_view second = next_word(sql);
    return !equal_words(second, "local") && !equal_words(second, "transaction") && !equal_words(second, "constraints");
  }
  return std::ranges::any_of(words, [first](std::string_view word) { return equal_words(first, word); });
}

bool may_need_to_run_alone(std::string_view sql) noexcept {
  constexpr std::array<std::string_view, 3> always{"vacuum", "cluster", "reindex"};
  constexpr std::array<std::string_view, 4> of_objects{"database", "tablespace", "subscription", "system"};
  const std::string_view first = next_word(sql);
  if (std::ranges::any_of(always, [first](std::string_view word) { return equal_words(first, word); })) return true;
  if (equal_words(first, "commit") || equal_words(first, "rollback")) return equal_words(next_word(sql), "prepared");
  if (!equal_words(first, "create") && !equal_words(first, "drop") && !equal_words(first, "alter")) return false;
  std::string_view second = next_word(sql);
  if (equal_words(second, "unique")) second = next_word(sql);
  if (equal_words(second, "index")) return equal_words(next_word(sql), "concurrently");
  return std::ranges::any_of(of_objects, [second](std::string_view word) { return equal_words(second, word); });
}

bool outlives_rollback(std::string_view sql) noexcept {
  const std::string_view first = next_word(sql);
  return equal_words(first, "prepare") || equal_words(first, "deallocate") || equal_words(first, "discard");
}

bool controls_transaction(std::string_view sql) noexcept {
  constexpr std::array<std::string_view, 8> words{"begin",    "start", "commit",    "end",
                                                  "rollback", "abort", "savepoint", "release"};
  const std::string_view first = next_word(sql);
  if (equal_words(first, "prepare")) return equal_words(next_word(sql), "transaction");
  return std::ranges::any_of(words, [first](std::string_view word) { return equal_words(first, word); });
}

bool may_commit_transaction(std::string_view sql) noexcept {
  const std::string_view first = next_word(sql);
  if (equal_words(first, "prepare")) return equal_words(next_word(sql), "transaction");
  return equal_words(first, "commit") || equal_words(first, "end");
}

bool chained_transaction(std::string_view sql, std::string_view tag) noexcept {
  if (tag == "COMMIT") return true;
  if (tag != "ROLLBACK") return false;
  // ROLLBACK TO SAVEPOINT has the same tag, and is everybody's good right.
  for (std::string_view word = next_word(sql); !word.empty(); word = next_word(sql)) {
    if (equal_words(word, "chain")) return true;
  }
  return false;
}

bool may_be_wrapped(std::string_view sql) noexcept {
  constexpr std::array<std::string_view, 8> words{"insert", "update", "delete", "merge",
                                                  "select", "with",   "values", "table"};
  const std::string_view first = next_word(sql);
  return std::ranges::any_of(words, [first](std::string_view word) { return equal_words(first, word); });
}

bool may_be_cursor(std::string_view sql) noexcept {
  const std::string_view first = next_word(sql);
  if (first.empty()) return sql.find('(') != std::string_view::npos;
  return equal_words(first, "select") || equal_words(first, "with") || equal_words(first, "values") ||
         equal_words(first, "table");
}

}  // namespace breakwater::postgres
