#include <breakwater/repository/detail/idempotent.hpp>

#include <utility>
#include <vector>

namespace breakwater::detail {
namespace {

/// Marks every statement that passes. What takes more than one answer is never run again, and passes as it is.
class idempotent_executor final : public executor {
 public:
  explicit idempotent_executor(std::shared_ptr<executor> on) : on_(std::move(on)) {
    act_for(on_->actor(), on_->correlation_id());
    tell(on_->auditor());
  }

  [[nodiscard]] result<rows> execute(const statement& what, const parameters& values) override {
    return on_->execute(marked(what), values);
  }
  [[nodiscard]] result<std::vector<rows>> execute_batch(std::span<const batched_statement> statements,
                                                        std::string_view name) override {
    std::vector<statement> all;
    std::vector<batched_statement> views;
    all.reserve(statements.size());
    views.reserve(statements.size());
    for (const batched_statement& each : statements) {
      all.push_back(marked(*each.what));
      views.push_back({&all.back(), each.values});
    }
    return on_->execute_batch(views, name);
  }
  [[nodiscard]] bool autocommits() const noexcept override { return on_->autocommits(); }
  [[nodiscard]] result<void> run_in_transaction(transaction_body body) override {
    return on_->run_in_transaction(body);
  }
  [[nodiscard]] result<std::size_t> copy_in(const statement& what, copy_source& from) override {
    return on_->copy_in(what, from);
  }
  [[nodiscard]] result<std::size_t> copy_out(const statement& what, std::string_view shape, copy_sink& to) override {
    return on_->copy_out(what, shape, to);
  }
  [[nodiscard]] result<std::unique_ptr<row_cursor>> open_cursor(const statement& what,
                                                                const parameters& values) override {
    return on_->open_cursor(what, values);
  }

 private:
  [[nodiscard]] static statement marked(statement what) noexcept {
    what.idempotent = true;
    return what;
  }

  const std::shared_ptr<executor> on_;
};

}  // namespace

std::shared_ptr<executor> declared_idempotent(std::shared_ptr<executor> on) {
  return std::make_shared<idempotent_executor>(std::move(on));
}

}  // namespace breakwater::detail
