#include <breakwater/repository/batch.hpp>

#include <atomic>

namespace breakwater {
namespace {

/// Tells batches apart, so that an item of one is never taken for another's.
std::uint64_t next_batch() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

std::string nth(std::size_t place) { return "statement number " + std::to_string(place + 1) + " of the batch"; }

}  // namespace

namespace detail {

error not_of_this_batch() {
  return {errc::invalid_argument, "what was asked for is an item of another batch than these answers are"};
}

error after_batch(const batch_outcome& outcome, std::size_t place, error failure) {
  return failure.with_applied(outcome.committed ? applied::yes : applied::no).with_statement(outcome.names[place]);
}

error not_one_of_batch(const batch_outcome& outcome, std::size_t place) {
  if (outcome.answers[place].empty()) return after_batch(outcome, place, errc::not_found);
  return after_batch(
      outcome, place,
      error(errc::too_many_rows, "the statement answered with more than the one row that was asked for"));
}

}  // namespace detail

result<std::size_t> batch_answers::affected(std::uint64_t batch, std::size_t place) const {
  if (!is_here(batch, place)) return detail::not_of_this_batch();
  return outcome_.answers[place].affected();
}

batch::batch(std::shared_ptr<executor> on) : on_(std::move(on)), id_(next_batch()) {}

std::size_t batch::append(raw_query&& statement) {
  const std::size_t place = entries_.size();
  if (!mistake_ && statement.mistake_) {
    mistake_ = std::move(statement.mistake_);
    mistake_->with_text(nth(place) + ": " + mistake_->text()).with_statement(statement.name_);
  }
  if (!mistake_ && statement.on_ != on_) {
    mistake_ = error(errc::invalid_argument, nth(place) + " was made by another session or transaction than the batch")
                   .with_statement(statement.name_);
  }
  entries_.push_back({.what = statement.description(), .values = {}, .extra = statement.extra_columns_});
  detail::batch_entry& added = entries_.back();
  added.sql = std::move(statement.sql_);
  added.name = std::move(statement.name_);
  added.values = std::move(statement.values_);
  return place;
}

std::size_t batch::append(const statement& what, parameters values) {
  const std::size_t place = entries_.size();
  if (!mistake_ && values.first_invalid()) {
    mistake_ = error(errc::invalid_argument,
                     nth(place) + ": the key contains a NUL byte, which PostgreSQL's text can not hold")
                   .with_statement(what.name);
  }
  entries_.push_back({.what = what, .values = std::move(values)});
  return place;
}

result<std::vector<rows>> batch::send() const {
  std::vector<statement> statements;
  std::vector<batched_statement> views;
  statements.reserve(entries_.size());
  views.reserve(entries_.size());
  for (const detail::batch_entry& entry : entries_) {
    statement what = entry.what;
    if (!what.mapped) {
      what.sql = entry.sql;
      what.name = entry.name;
    }
    statements.push_back(what);
    views.push_back({&statements.back(), &entry.values});
  }
  if (views.size() > 1) return on_->execute_batch(views, name_);
  BOOST_OUTCOME_TRY(auto only, on_->execute(statements.front(), entries_.front().values));
  std::vector<rows> answers;
  answers.push_back(std::move(only));
  return answers;
}

result<batch_answers> batch::run() const {
  if (mistake_) return *mistake_;
  if (entries_.size() > most_statements) {
    return error(errc::invalid_argument, "a batch takes at most " + std::to_string(most_statements) +
                                             " statements, not " + std::to_string(entries_.size()) +
                                             "; run several, or bind lists")
        .with_statement(name_);
  }
  detail::batch_outcome outcome{.batch = id_};
  if (!entries_.empty()) {
    BOOST_OUTCOME_TRY(outcome.answers, send());
  }
  bool wrote = false;
  for (const detail::batch_entry& entry : entries_) {
    wrote = wrote || entry.what.kind == statement_class::write;
    outcome.names.emplace_back(entry.what.mapped ? entry.what.name : std::string_view(entry.name));
    outcome.extra.push_back(entry.extra);
  }
  outcome.committed = wrote && on_->autocommits();
  return batch_answers(std::move(outcome));
}

}  // namespace breakwater
