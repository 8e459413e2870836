#include <breakwater/core/auditor.hpp>

namespace breakwater {

std::string_view to_string(audit_action action) noexcept {
  switch (action) {
    case audit_action::insert: return "insert";
    case audit_action::update: return "update";
    case audit_action::patch: return "patch";
    case audit_action::upsert: return "upsert";
    case audit_action::remove: return "remove";
    case audit_action::restore: return "restore";
    case audit_action::purge: return "purge";
  }
  return "";
}

}  // namespace breakwater
