#include "in_lists.hpp"
#include "sql_lexer.hpp"
#include <breakwater/repository/detail/raw_sql.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace breakwater::detail {
namespace {

// The protocol counts a statement's parameters in 16 bits.
constexpr std::size_t most_parameters = 65535;

// Every operator with a question mark, but for `?` itself, of PostgreSQL and the extensions it
// comes with. One that is all of a run of operator characters is never a placeholder.
constexpr std::array<std::string_view, 11> operators_with_question{
    "?|", "?&", "@?",          // jsonb, hstore
    "?#", "?-", "?-|", "?||",  // geometry; `?|` too
    "?@", "?~", "?@>", "?<@",  // ltree
};

error mistake(std::string text) { return {errc::invalid_argument, std::move(text)}; }

std::string quoted(std::string_view name) { return '"' + std::string(name) + '"'; }

std::string counted(std::size_t count, std::string_view what) {
  return std::to_string(count) + ' ' + std::string(what) + (count == 1 ? "" : "s");
}

bool is_word_array(std::string_view word) noexcept {
  constexpr std::string_view array = "array";
  return std::ranges::equal(word, array, [](char c, char wanted) { return c == wanted || c == wanted - 'a' + 'A'; });
}

/// One pass over one statement.
class rewriter {
 public:
  rewriter(std::string_view sql, std::span<const std::string_view> names, std::size_t positional,
           std::span<const std::string_view> lists)
      : sql_(sql),
        names_(names),
        positional_(positional),
        lists_(lists),
        lexer_(sql),
        named_(names.size()),
        next_value_(names.size() + positional) {
    out_.text.reserve(sql.size() + 16);
  }

  result<raw_sql> run() {
    BOOST_OUTCOME_TRY(check_arguments());
    for (sql_lexeme found = lexer_.next(); found.kind != sql_token::end; found = lexer_.next()) {
      BOOST_OUTCOME_TRY(take(found));
    }
    BOOST_OUTCOME_TRY(check_all_used());
    if (out_.order.size() > most_parameters) {
      return mistake(out_.expanded.empty()
                         ? "a statement can not have more than 65535 parameters"
                         : "a statement can not have more than 65535 parameters, and the values of a list among "
                           "others in an in (...) are one each; write = any(...), where a list is a single one");
    }
    return std::move(out_);
  }

 private:
  /// What stands before the current lexeme, white space aside.
  enum class before : std::uint8_t {
    nothing,  // an operator, a comma, an opening bracket: a value is to follow
    word,     // a column or a keyword
    value,    // certainly a value, so that a colon behind it is no placeholder
    group     // a closing parenthesis: the end of a value mostly
  };
  using nesting = in_lists::nesting;

  /// Where the statement uses a named argument.
  struct named_use {
    std::size_t number = 0;    // n of its $n, 0 while there is none
    std::size_t expanded = 0;  // n of the first of its values, the same
    bool used = false;
  };

  [[nodiscard]] bool named() const noexcept { return !names_.empty(); }
  [[nodiscard]] std::string_view text(const sql_lexeme& of) const noexcept {
    return sql_.substr(of.begin, of.end - of.begin);
  }

  result<void> check_arguments() const {
    if (named() && positional_ > 0) {
      return mistake("named and positional arguments can not be mixed in one statement");
    }
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (std::ranges::find(names_.first(i), names_[i]) != names_.first(i).end()) {
        return mistake("the argument named " + quoted(names_[i]) + " is given twice");
      }
    }
    if (const auto zero = sql_.find('\0'); zero != std::string_view::npos) {
      return mistake("the statement contains a NUL byte at byte " + std::to_string(zero));
    }
    return success();
  }

  result<void> take(const sql_lexeme& found) {
    switch (found.kind) {
      case sql_token::broken:
        return mistake("the " + std::string(lexer_.problem()) + " that begins at byte " + std::to_string(found.begin) +
                       " of the statement has no end");
      case sql_token::operators: return operators(found);
      case sql_token::parameter: return parameter(found);
      case sql_token::punctuation: return punctuation(found);
      case sql_token::space: break;
      case sql_token::word: return word(found);
      default: seen(before::value, found.end); break;
    }
    out_.text.append(text(found));
    return success();
  }

  void seen(before what, std::size_t end) noexcept {
    before_ = what;
    before_end_ = end;
    after_array_ = false;
    after_dot_ = false;
    if (what != before::word) in_.word({}, false);
    in_.seen();
  }

  result<void> word(const sql_lexeme& found) {
    const bool qualified = after_dot_;
    seen(before::word, found.end);
    in_.word(text(found), qualified);
    after_array_ = is_word_array(text(found));
    out_.text.append(text(found));
    return success();
  }

  /// `$n` with a space where it would grow together with its neighbours: `like?` is not the name
  /// "like$1".
  void append_placeholder(std::size_t number, std::size_t end) {
    if (!out_.text.empty() && continues_word(out_.text.back())) out_.text.push_back(' ');
    out_.text.push_back('$');
    out_.text.append(std::to_string(number));
    if (end < sql_.size() && continues_word(sql_[end])) out_.text.push_back(' ');
    seen(before::value, end);
  }

  result<void> operators(const sql_lexeme& found) {
    const std::string_view run = text(found);
    if (run == "?" && !named()) {
      const std::size_t argument = questions_++;
      BOOST_OUTCOME_TRY(const bool done, take_list(argument, 0, nullptr));
      if (!done) place_question(argument, found.end);
      return success();
    }
    seen(before::nothing, found.end);
    if (run.find('?') == std::string_view::npos) {
      out_.text.append(run);
      return success();
    }
    if (std::ranges::find(operators_with_question, run) != operators_with_question.end()) {
      if (operator_.empty()) operator_ = quoted(run) + " at byte " + std::to_string(found.begin);
      out_.text.append(run);
      return success();
    }
    for (std::size_t i = 0; i < run.size(); ++i) {
      if (run[i] == '?' && i + 1 < run.size() && run[i + 1] == '?') {
        out_.text.push_back('?');
        seen(before::nothing, found.end);
        ++i;
      } else if (run[i] == '?' && !named()) {
        place_question(questions_++, found.begin + i + 1);
      } else {
        out_.text.push_back(run[i]);
        seen(before::nothing, found.end);
      }
    }
    return success();
  }

  void place_question(std::size_t argument, std::size_t end) {
    out_.order.push_back(argument);
    append_placeholder(out_.order.size(), end);
  }

  /// A list that is an element of an `in (...)`: see `rewrite_placeholders`. `number` where it is a $n, `use` where it
  /// has a name. False: it is anything else, and nothing was done.
  result<bool> take_list(std::size_t argument, std::size_t number, named_use* use) {
    if (argument >= lists_.size() || lists_[argument].empty() || !in_.at_element()) return false;
    const auto rest = look_behind_placeholder(sql_, lexer_);
    if (!rest) return false;
    if (rest->ends_list && in_.at_first_element()) {
      in_.compare_with_array();
      append_array(argument, number, use, *rest);
    } else {
      const auto elements = array_elements(lists_[argument]);
      if (rest->to_array || !elements) return false;
      if (number > 0) {
        return mistake("the list $" + std::to_string(number) +
                       " is one of several elements of an in (...); numbered placeholders can not become several: "
                       "write ? or a name, or = any(...)");
      }
      append_elements(argument, elements->size(), use, rest->cast);
    }
    lexer_ = rest->behind;
    return true;
  }

  void append_array(std::size_t argument, std::size_t number, named_use* use, const rest_of_element& rest) {
    if (number == 0 && use != nullptr) number = use->number;
    if (number == 0) {
      out_.order.push_back(argument);
      number = out_.order.size();
    }
    if (use != nullptr) use->number = number;
    append_number(number);
    out_.text.append(rest.cast);
    if (!rest.cast.empty() && !rest.to_array) out_.text.append("[]");
    seen(before::value, before_end_);
  }

  void append_elements(std::size_t argument, std::size_t count, named_use* use, std::string_view cast) {
    if (use != nullptr) use->used = true;
    if (count == 0) {
      out_.expanded.push_back(argument);  // as none: the text depends on it all the same
      seen(before::value, before_end_);
      in_.vanish();
      return;
    }
    std::size_t first = use == nullptr ? 0 : use->expanded;
    if (first == 0) {
      first = out_.order.size() + 1;
      out_.expanded.push_back(argument);
      for (std::size_t i = 0; i < count; ++i) out_.order.push_back(next_value_++);
    }
    if (use != nullptr) use->expanded = first;
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) out_.text.append(", ");
      append_number(first + i);
      out_.text.append(cast);
    }
    seen(before::value, before_end_);
  }

  void append_number(std::size_t number) {
    out_.text.push_back('$');
    out_.text.append(std::to_string(number));
  }

  result<void> parameter(const sql_lexeme& found) {
    const std::string_view digits = text(found).substr(1);
    std::size_t number = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (failure != std::errc{} || number == 0 || number > most_parameters) {
      return mistake("the placeholder at byte " + std::to_string(found.begin) + " is not between $1 and $65535");
    }
    if (named()) {
      return mistake("the placeholder $" + std::to_string(number) + " is numbered, but the arguments are named");
    }
    highest_ = std::max(highest_, number);
    BOOST_OUTCOME_TRY(const bool done, take_list(number - 1, number, nullptr));
    if (!done) append_placeholder(number, found.end);
    return success();
  }

  result<void> punctuation(const sql_lexeme& found) {
    const char c = sql_[found.begin];
    if (c == ':' && found.end - found.begin == 1 && found.end < sql_.size() && starts_word(sql_[found.end])) {
      return colon(found);
    }
    switch (c) {
      case '(': in_.open(nesting::parenthesis); break;
      // Where no value stands before it, it is array[...] or a part of one.
      case '[': in_.open(after_array_ || before_ == before::nothing ? nesting::constructor : nesting::subscript); break;
      case ')': in_.close(nesting::parenthesis); break;
      case ']': in_.close(nesting::subscript); break;
      default: break;
    }
    const bool kept = c != ',' || in_.comma();
    seen(c == ']' ? before::value : c == ')' ? before::group : before::nothing, found.end);
    if (c == '(' || c == ',') in_.begin_element();
    after_dot_ = c == '.';
    out_.text.append(kept ? text(found) : " ");
    return success();
  }

  result<void> colon(const sql_lexeme& found) {
    const sql_lexer at_name = lexer_;
    const std::string_view name = lexer_.take_name();
    const auto given = std::ranges::find(names_, name);
    if (is_separator(found.begin, given != names_.end())) {
      lexer_ = at_name;
      out_.text.push_back(':');
      seen(before::nothing, found.end);
      return success();
    }
    if (given == names_.end()) {
      std::string what = "the placeholder :" + std::string(name) + " has no argument";
      if (positional_ > 0) what += ": the arguments are positional";
      return mistake(what + "; give it bw::arg(" + quoted(name) + ", ...)");
    }
    const auto index = static_cast<std::size_t>(given - names_.begin());
    named_use& use = named_[index];
    BOOST_OUTCOME_TRY(const bool done, take_list(index, 0, &use));
    use.used = true;
    if (done) return success();
    if (use.number == 0) {
      out_.order.push_back(index);
      use.number = out_.order.size();
    }
    append_placeholder(use.number, found.end + name.size());
    return success();
  }

  /// Is this colon PostgreSQL's own: a slice, or a key and its value in json_object?
  [[nodiscard]] bool is_separator(std::size_t position, bool given) const noexcept {
    const bool adjacent = before_end_ == position;
    const bool subscript = in_.in_subscript();
    switch (before_) {
      case before::value: return true;
      case before::group: return adjacent || subscript;
      case before::word: return subscript && (adjacent || !given);
      case before::nothing: return subscript && !given;
    }
    return false;
  }

  result<void> check_all_used() {
    if (questions_ > 0 && highest_ > 0) {
      return mistake("the placeholders ? and $" + std::to_string(highest_) +
                     " can not be mixed in one statement; write ?? for the operator ?");
    }
    if (named()) {
      const auto unused = std::ranges::find(named_, false, &named_use::used);
      if (unused == named_.end()) return success();
      return mistake("the argument named " + quoted(names_[static_cast<std::size_t>(unused - named_.begin())]) +
                     " is not used in the statement");
    }
    const std::size_t wanted = questions_ + highest_;
    if (wanted != positional_) return miscounted(wanted);
    while (out_.order.size() < highest_) out_.order.push_back(out_.order.size());
    return success();
  }

  [[nodiscard]] error miscounted(std::size_t wanted) const {
    std::string what = wanted > positional_ ? "too few arguments: " : "too many arguments: ";
    what += highest_ > 0 ? "the statement's placeholders go up to $" + std::to_string(highest_)
                         : "the statement has " + counted(questions_, "placeholder") + " ?";
    what += ", and " + counted(positional_, "argument") + (positional_ == 1 ? " was given" : " were given");
    if (wanted > positional_ && questions_ > 0) what += "; write ?? for the operator ?";
    if (!operator_.empty()) {
      what += "; " + operator_ + " is an operator: write a space behind a placeholder";
    }
    return mistake(std::move(what));
  }

  std::string_view sql_;
  std::span<const std::string_view> names_;
  std::size_t positional_;
  std::span<const std::string_view> lists_;
  sql_lexer lexer_;
  raw_sql out_{};
  in_lists in_{out_.text};

  std::vector<named_use> named_;
  std::size_t next_value_;     // the next value of a list, behind the arguments
  std::size_t questions_ = 0;  // placeholders ? so far
  std::size_t highest_ = 0;    // n of the highest $n
  std::string operator_{};     // the first operator that might be meant as a placeholder

  before before_ = before::nothing;
  std::size_t before_end_ = 0;
  bool after_array_ = false;  // the word `array` stands before
  bool after_dot_ = false;
};

}  // namespace

result<raw_sql> rewrite_placeholders(std::string_view sql, std::span<const std::string_view> names,
                                     std::size_t positional, std::span<const std::string_view> lists) {
  return rewriter(sql, names, positional, lists).run();
}

sql_fragment with_values_of(std::string_view rewritten, const parameters& values) {
  sql_fragment out;
  sql_lexer lexer(rewritten);
  for (sql_lexeme found = lexer.next(); found.kind != sql_token::end; found = lexer.next()) {
    const std::string_view text = rewritten.substr(found.begin, found.end - found.begin);
    std::size_t number = 0;
    if (found.kind == sql_token::parameter) {
      std::from_chars(text.data() + 1, text.data() + text.size(), number);
    }
    if (number > 0 && number <= values.size()) {
      out.text.push_back(sql_fragment::placeholder);
      out.values.append(values, number - 1);
    } else {
      out.text.append(text);
    }
  }
  return out;
}

}  // namespace breakwater::detail
