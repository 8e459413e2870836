// What sessions and transactions do besides single statements: COPY and cursors.

#include "operation_report.hpp"
#include "postgres/lease_channel.hpp"
#include "row_cursors.hpp"
#include "session_state.hpp"

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace breakwater::detail {
namespace {

/// Notes whether anything was taken from it: then the COPY can not be begun again.
class watched_source final : public copy_source {
 public:
  explicit watched_source(copy_source& from) noexcept : from_(from) {}
  [[nodiscard]] std::span<const std::string_view> columns() const noexcept override { return from_.columns(); }
  [[nodiscard]] result<bool> fill(std::string& to, std::string_view clock) override {
    begun = true;
    return from_.fill(to, clock);
  }
  [[nodiscard]] bool sent() override { return from_.sent(); }

  bool begun = false;

 private:
  copy_source& from_;
};

/// Notes whether anything came: then the COPY is not begun again elsewhere.
class watched_sink final : public copy_sink {
 public:
  explicit watched_sink(copy_sink& to) noexcept : to_(to) {}
  [[nodiscard]] result<void> begin(const rows& shape) override {
    begun = true;
    return to_.begin(shape);
  }
  [[nodiscard]] result<bool> take(std::string_view line) override { return to_.take(line); }

  bool begun = false;

 private:
  copy_sink& to_;
};

error ended_by_exception() { return {errc::cancelled, "ended by an exception of the caller's"}; }

}  // namespace

request session_state::with_limits(const statement& what, const parameters& values) const noexcept {
  return {.what = what,
          .values = values,
          .until = operation_deadline(deadline::clock::now()),
          .cancel = options_.cancel.stop_possible() ? &options_.cancel : nullptr,
          .where = where_,
          .priority = options_.priority,
          .before = before()};
}

result<std::size_t> session_state::copy_in(const statement& what, copy_source& from) {
  if (auto refused = refusal(what.name)) return std::move(*refused);
  if (is_guarded()) return copy_in_guarded(what, from);
  const operation_report report(watcher(), what, options_.correlation_id);
  const parameters none;
  causality_token written;
  request wanted = with_limits(what, none);
  if (places_writes()) wanted.written = &written;
  result<std::size_t> copied = errc::internal;
  const auto finish = [&](const routing::node* on, unsigned attempts) {
    if (!copied) copied.error().with_statement(what.name).with_attempts(attempts);
    note_write(copied ? nullptr : &copied.assume_error(), written);
    report.finish(copied, copied ? copied.assume_value() : 0, on == nullptr ? std::string_view{} : on->name(),
                  on == nullptr ? node_role::unknown : on->role(), attempts);
  };
  watched_source source(from);
  const routing::node* chosen = nullptr;
  unsigned attempts = 0;
  const auto work = [&](routing::node& primary, routing::node_call& call, const request& there) -> const error* {
    chosen = &primary;
    copied = postgres::copy_in(primary.connections(), there, source);
    if (copied) return nullptr;
    // Its rows are used up.
    if (!source.begun) return &copied.assume_error();
    call.settle_untimed(&copied.assume_error(), deadline::clock::now());
    return nullptr;
  };
  try {
    auto seen = nodes().visit(wanted, false, work);
    attempts = seen.attempts;
    if (seen.refusal) copied = std::move(*seen.refusal);
  } catch (...) {
    copied = ended_by_exception();
    finish(chosen, 1);
    throw;
  }
  finish(chosen, attempts);
  return copied;
}

result<std::size_t> session_state::copy_out(const statement& what, std::string_view shape, copy_sink& to) {
  if (auto refused = refusal(what.name)) return std::move(*refused);
  const operation_report report(watcher(), what, options_.correlation_id);
  const parameters none;
  request wanted = with_limits(what, none);
  causality_token written;
  const bool writes = what.kind == statement_class::write;
  auto fresh = what.is_read() ? freshness_wanted() : std::nullopt;
  if (fresh) wanted.causal = &*fresh;
  if (writes && places_writes()) wanted.written = &written;
  watched_sink sink(to);
  result<std::size_t> copied = errc::internal;
  const routing::node* chosen = nullptr;
  unsigned attempts = 0;
  const auto finish = [&] {
    if (!copied) copied.error().with_attempts(attempts);
    if (!copied && copied.error().statement().empty()) copied.error().with_statement(what.name);
    if (writes) note_write(copied ? nullptr : &copied.assume_error(), written);
    report.finish(copied, copied ? copied.assume_value() : 0, chosen == nullptr ? std::string_view{} : chosen->name(),
                  chosen == nullptr ? node_role::unknown : chosen->role(), attempts);
  };
  const auto work = [&](routing::node& candidate, routing::node_call& call, const request& there) -> const error* {
    chosen = &candidate;
    ++attempts;
    copied = postgres::copy_out(candidate.connections(), there, shape, sink);
    if (copied) return nullptr;
    // Somebody has seen some of its rows.
    if (!sink.begun) return &copied.assume_error();
    call.settle_untimed(&copied.assume_error(), deadline::clock::now());
    return nullptr;
  };
  try {
    auto seen = nodes().visit(wanted, may_read_replicas(), work);
    attempts = seen.attempts;
    if (seen.refusal) copied = std::move(*seen.refusal);
    if (fresh && copied) {
      if (auto vouched = note_read(*fresh); !vouched) copied = std::move(vouched).error();
    }
  } catch (...) {
    copied = ended_by_exception();
    finish();
    throw;
  }
  finish();
  return copied;
}

result<std::unique_ptr<row_cursor>> session_state::open_cursor(const statement& what, const parameters& values) {
  if (auto refused = refusal(what.name)) return std::move(*refused);
  return std::unique_ptr<row_cursor>(
      std::make_unique<session_cursor>(*this, what, values, with_limits(what, values), may_read_replicas()));
}

template <class Copy>
result<std::size_t> transaction_state::run_copy(const statement& what, const Copy& copy) {
  if (!channel_) return refused_after_transaction(what.name);
  const operation_report report(session_->watcher(), what, session_->options().correlation_id);
  result<std::size_t> copied = errc::internal;
  const auto finish = [&] {
    if (!copied) {
      note(copied.error());
      copied.error().with_attempts(attempt_);
      if (copied.error().statement().empty()) copied.error().with_statement(what.name);
    }
    report.finish(copied, copied ? copied.assume_value() : 0, channel_->node(), channel_->role(), 1);
  };
  const parameters none;
  try {
    copied = copy(with_limits(what, none));
  } catch (...) {
    copied = ended_by_exception();
    finish();
    throw;
  }
  finish();
  return copied;
}

result<std::size_t> transaction_state::copy_in(const statement& what, copy_source& from) {
  return run_copy(what, [&](const request& wanted) { return channel_->copy_in(wanted, from); });
}

result<std::size_t> transaction_state::copy_out(const statement& what, std::string_view shape, copy_sink& to) {
  return run_copy(what, [&](const request& wanted) { return channel_->copy_out(wanted, shape, to); });
}

result<std::unique_ptr<row_cursor>> transaction_state::open_cursor(const statement& what, const parameters& values) {
  if (!channel_) return refused_after_transaction(what.name);
  return std::unique_ptr<row_cursor>(std::make_unique<transaction_cursor>(*this, what, values));
}

void transaction_state::note_savepoint_end(unsigned depth, bool keep) noexcept {
  for (transaction_cursor* const each : cursors_) each->note_savepoint_end(depth, keep);
}

}  // namespace breakwater::detail
