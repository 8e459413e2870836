#include <breakwater/core/error.hpp>
#include <breakwater/core/result.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace breakwater {

std::string_view to_string(applied value) noexcept {
  switch (value) {
    case applied::no: return "no";
    case applied::yes: return "yes";
    case applied::unknown: return "unknown";
  }
  return "unknown";
}

error::error(errc code, std::string text) : code_(code) { own().text = std::move(text); }

error::details& error::own() {
  if (!details_) {
    details_ = std::make_shared<details>();
  } else if (details_.use_count() > 1) {
    details_ = std::make_shared<details>(*details_);
  }
  return *details_;
}

std::string_view error::sqlstate() const noexcept {
  return sqlstate_[0] == '\0' ? std::string_view{} : std::string_view{sqlstate_.data(), sqlstate_.size()};
}
std::string_view error::constraint() const noexcept {
  return details_ ? std::string_view{details_->constraint} : std::string_view{};
}
std::string_view error::table() const noexcept {
  return details_ ? std::string_view{details_->table} : std::string_view{};
}
std::string_view error::column() const noexcept {
  return details_ ? std::string_view{details_->column} : std::string_view{};
}
std::size_t error::row() const noexcept { return details_ ? details_->row : 0; }
std::string_view error::statement() const noexcept {
  return details_ ? std::string_view{details_->statement} : std::string_view{};
}
std::string_view error::node() const noexcept {
  return details_ ? std::string_view{details_->node} : std::string_view{};
}

std::string error::text() const {
  return details_ && !details_->text.empty() ? details_->text : error_category().message(static_cast<int>(code_));
}

std::span<const validation_failure> error::failures() const noexcept {
  return details_ ? std::span<const validation_failure>(details_->failures) : std::span<const validation_failure>();
}

std::string error::message() const {
  std::string out;
  if (!statement().empty()) out.append(statement()).append(": ");
  out.append(to_string(code_)).append(": ");
  out.append(text());

  std::string where;
  const auto add = [&where](std::string_view label, std::string_view value) {
    if (value.empty()) return;
    where.append(where.empty() ? " [" : ", ").append(label).append(" ").append(value);
  };
  add("SQLSTATE", sqlstate());
  add("constraint", constraint());
  add("table", table());
  add("column", column());
  if (row() > 0) add("row", std::to_string(row()));
  add("node", node());
  if (attempts_ > 1) add("attempts", std::to_string(attempts_));
  if (applied_ != breakwater::applied::no) add("applied", to_string(applied_));
  if (!where.empty()) out.append(where).append("]");
  return out;
}

bool error::is_transient() const noexcept {
  switch (code_) {
    case errc::serialization_failure:
    case errc::deadlock:
    case errc::lock_not_available:
    case errc::deadline_exceeded:
    case errc::overloaded:
    case errc::circuit_open:
    case errc::no_primary:
    case errc::connection_failed:
    case errc::resource_exhausted: return true;
    default: return false;
  }
}

bool error::is_callers_mistake() const noexcept {
  switch (code_) {
    case errc::unsafe_operation:
    case errc::invalid_argument:
    case errc::invalid_statement:
    case errc::insufficient_privilege:
    case errc::data_error:
    case errc::mapping_mismatch:
    case errc::validation_failed: return true;
    default: return false;
  }
}

error& error::with_code(errc code) noexcept {
  code_ = code;
  return *this;
}
error& error::with_applied(breakwater::applied value) noexcept {
  applied_ = value;
  return *this;
}
error& error::with_sqlstate(std::string_view state) noexcept {
  sqlstate_.fill('\0');
  std::copy_n(state.begin(), std::min(state.size(), sqlstate_.size()), sqlstate_.begin());
  return *this;
}
error& error::with_constraint(std::string_view name) {
  if (name != constraint()) own().constraint = name;
  return *this;
}
error& error::with_table(std::string_view name) {
  if (name != table()) own().table = name;
  return *this;
}
error& error::with_column(std::string_view name) {
  if (name != column()) own().column = name;
  return *this;
}
error& error::with_row(std::size_t number) {
  if (number != row()) own().row = number;
  return *this;
}
error& error::with_statement(std::string_view name) {
  if (name != statement()) own().statement = name;
  return *this;
}
error& error::with_node(std::string_view name) {
  if (name != node()) own().node = name;
  return *this;
}
error& error::with_text(std::string text) {
  own().text = std::move(text);
  return *this;
}
error& error::with_failures(std::vector<validation_failure> found) {
  own().failures = std::move(found);
  return *this;
}
error& error::with_attempts(unsigned count) noexcept {
  attempts_ = static_cast<std::uint16_t>(std::min<unsigned>(count, std::numeric_limits<std::uint16_t>::max()));
  return *this;
}
error& error::with_poisoned_connection(bool value) noexcept {
  poisons_connection_ = value;
  return *this;
}

bad_result::bad_result(breakwater::error cause) : cause_(std::move(cause)), text_(cause_.message()) {}

namespace detail {

void throw_bad_result(const error& cause) { throw bad_result(cause); }
void throw_no_error() { throw bad_result(error(errc::internal, "error() was asked of a result that holds a value")); }

}  // namespace detail
}  // namespace breakwater
