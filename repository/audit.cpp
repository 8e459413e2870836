#include <breakwater/repository/detail/hooked_writes.hpp>

#include <string>

namespace breakwater::detail {
namespace {

constexpr std::string_view masked = "***";

/// Nobody is told of what the auditor itself writes: it would never end.
class silence {
 public:
  explicit silence(executor& on) noexcept : on_(on), told_(on.tell(nullptr)) {}
  silence(const silence&) = delete;
  silence& operator=(const silence&) = delete;
  ~silence() { on_.tell(told_); }
  [[nodiscard]] auditor& told() const noexcept { return *told_; }

 private:
  executor& on_;
  auditor* told_;
};

std::string key_text(const parameters& key) {
  std::string text;
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (i > 0) text.append(", ");
    text.append(key.is_sensitive(i) ? masked : key.text(i));
  }
  return text;
}

}  // namespace

result<void> tell_auditor(const std::shared_ptr<executor>& on, const table_view& table, audit_action action,
                          const parameters& key, std::span<const std::string_view> columns, const parameters& values) {
  if (on->auditor() == nullptr) return success();
  const std::string key_as_text = key_text(key);
  std::vector<audit_change> changes;
  changes.reserve(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    audit_change change{.column = columns[i], .value = std::nullopt};
    if (values.is_sensitive(i)) {
      change.value = masked;
    } else if (!values.is_null(i)) {
      change.value = values.text(i);
    }
    changes.push_back(change);
  }
  hook_context context(on);
  const silence quiet(*on);
  return quiet.told().on_change(context, {.schema = table.name.schema,
                                          .table = table.name.table,
                                          .action = action,
                                          .key = key_as_text,
                                          .changes = changes,
                                          .actor = on->actor(),
                                          .correlation_id = on->correlation_id()});
}

}  // namespace breakwater::detail
