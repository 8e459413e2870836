#include "row_cursors.hpp"

#include <algorithm>
#include <utility>

namespace breakwater::detail {

session_cursor::session_cursor(session_state& on, const statement& what, const parameters& values,
                               const request& limits, bool replica_allowed)
    : on_(on),
      query_(what, values),
      fresh_(what.is_read() ? on.freshness_wanted() : std::nullopt),
      wanted_{.what = query_.what(),
              .values = query_.values(),
              .until = limits.until,
              .cancel = limits.cancel,
              .where = limits.where,
              .priority = limits.priority,
              .causal = fresh_ ? &*fresh_ : nullptr},
      replica_allowed_(replica_allowed),
      report_(on.watcher(), query_.what(), on.options().correlation_id) {}

session_cursor::~session_cursor() { finish(nullptr); }

result<rows> session_cursor::fetch(std::size_t count) {
  if (auto refused = on_.refusal(query_.what().name)) return std::move(*refused);
  if (finished_) return rows();
  result<rows> answer = rows();
  if (!channel_) {
    answer = open(count);
  } else if (!server_.is_over()) {
    answer = server_.fetch(*channel_, wanted_, count);
  }
  const bool writes = query_.what().kind == statement_class::write;
  // Only now: a caller who has not asked for more than the last rows may not have wanted them all.
  if (writes && answer && answer.assume_value().empty()) {
    causality_token written;
    auto committed = channel_->commit(on_.places_writes() ? &written : nullptr);
    on_.note_write(committed ? nullptr : &committed.assume_error(), written);
    if (!committed) answer = std::move(committed).error();
  }
  if (!answer) {
    answer.error().with_statement(query_.what().name).with_attempts(attempts_);
    finish(&answer.assume_error());
    return answer;
  }
  rows_ += answer.assume_value().size();
  if (server_.is_over() && (!writes || answer.assume_value().empty())) finish(nullptr);
  return answer;
}

result<rows> session_cursor::open(std::size_t count) {
  const transaction_options options{.read_only = query_.what().is_read()};
  result<rows> answer = errc::internal;
  const auto work = [&](routing::node& chosen, routing::node_call& /*call*/, const request& there) -> const error* {
    node_ = chosen.name();
    role_ = chosen.role();
    ++attempts_;
    auto held = postgres::borrow_live(chosen.connections(), there);
    if (!held) {
      answer = std::move(held).error();
      return &answer.assume_error();
    }
    if (fresh_) {
      auto settled =
          postgres::settle_finding(*held.assume_value(), *fresh_, there.on_primary, there.until, there.cancel);
      if (!settled) {
        answer = std::move(settled).error().with_attempts(1);
        return &answer.assume_error();
      }
    }
    channel_.emplace(std::move(held).assume_value(), options, wanted_.until);
    channel_->set_up(on_.before());
    server_ = postgres::server_cursor(1);
    answer = server_.fetch(*channel_, wanted_, count);
    if (answer) return nullptr;
    answer.assume_error().with_attempts(1);
    channel_->rollback();
    channel_.reset();
    return &answer.assume_error();
  };
  auto seen = on_.nodes().visit(wanted_, replica_allowed_, work);
  if (seen.refusal) answer = std::move(*seen.refusal);
  if (fresh_ && answer) {
    if (auto vouched = on_.note_read(*fresh_); !vouched) answer = std::move(vouched).error();
  }
  return answer;
}

void session_cursor::finish(const error* failure) noexcept {
  if (finished_) return;
  finished_ = true;
  if (channel_) channel_->rollback();  // which nothing of a commit is left to
  channel_.reset();
  if (attempts_ > 0 || failure != nullptr) report_.finish(failure, rows_, node_, role_, attempts_);
}

transaction_cursor::transaction_cursor(transaction_state& on, const statement& what, const parameters& values)
    : on_(on),
      query_(what, values),
      report_(on.session_->watcher(), query_.what(), on.session_->options().correlation_id),
      server_(++on.cursors_opened_),
      depth_(on.savepoints_) {
  on_.cursors_.push_back(this);
}

transaction_cursor::~transaction_cursor() {
  finish(nullptr);
  std::erase(on_.cursors_, this);
}

result<rows> transaction_cursor::fetch(std::size_t count) {
  if (lost_) {
    return error(errc::unsafe_operation,
                 "the stream was begun inside a transaction within the transaction that was rolled back, and went "
                 "with it")
        .with_statement(query_.what().name);
  }
  if (!on_.channel_) return refused_after_transaction(query_.what().name);
  if (finished_) return rows();
  auto answer = server_.fetch(*on_.channel_, on_.with_limits(query_.what(), query_.values()), count);
  if (!answer) {
    on_.note(answer.error());
    answer.error().with_statement(query_.what().name).with_attempts(on_.attempt_);
    finish(&answer.assume_error());
    return answer;
  }
  rows_ += answer.assume_value().size();
  if (server_.is_over()) finish(nullptr);
  return answer;
}

void transaction_cursor::note_savepoint_end(unsigned depth, bool keep) noexcept {
  if (depth_ < depth || finished_) return;
  if (keep) {
    depth_ = depth - 1;
    return;
  }
  lost_ = true;
  server_.lose();
  finish(nullptr);
}

void transaction_cursor::finish(const error* failure) noexcept {
  if (finished_) return;
  finished_ = true;
  const bool running = on_.channel_ != nullptr;
  if (running && failure == nullptr) {
    server_.close(*on_.channel_, on_.with_limits(query_.what(), query_.values()));
  }
  report_.finish(failure, rows_, running ? std::string_view(on_.channel_->node()) : std::string_view{},
                 running ? on_.channel_->role() : node_role::unknown, 1);
}

}  // namespace breakwater::detail
