#pragma once

#include <breakwater/core/source_location.hpp>
#include <breakwater/repository/session_options.hpp>

#include <memory>

namespace breakwater::detail {

class database_state;
class session_state;

/// A session, of the tenant that its options name. Where that tenant is missing, unknown or can not be served, one that
/// refuses all that it is asked to do.
[[nodiscard]] std::shared_ptr<session_state> make_session(const std::shared_ptr<database_state>& of,
                                                          session_options options, source_location where);

}  // namespace breakwater::detail
