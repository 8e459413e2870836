#pragma once

/// Everything a service needs: `#include <breakwater/breakwater.hpp>`, `namespace bw = breakwater`. It brings in
/// neither libpqxx nor libpq. docs/architecture.md says which header is what for.

#include <breakwater/core/auditor.hpp>
#include <breakwater/core/causality_token.hpp>
#include <breakwater/core/config.hpp>
#include <breakwater/core/consistency.hpp>
#include <breakwater/core/date.hpp>
#include <breakwater/core/deadline.hpp>
#include <breakwater/core/dsn.hpp>
#include <breakwater/core/error.hpp>
#include <breakwater/core/inet.hpp>
#include <breakwater/core/interval.hpp>
#include <breakwater/core/json.hpp>
#include <breakwater/core/library_version.hpp>
#include <breakwater/core/numeric.hpp>
#include <breakwater/core/observer.hpp>
#include <breakwater/core/range.hpp>
#include <breakwater/core/result.hpp>
#include <breakwater/core/time_of_day.hpp>
#include <breakwater/core/timestamp.hpp>
#include <breakwater/core/timestamptz.hpp>
#include <breakwater/core/uuid.hpp>
#include <breakwater/postgres/codec.hpp>
#include <breakwater/postgres/transaction_options.hpp>
#include <breakwater/repository/condition.hpp>
#include <breakwater/repository/database.hpp>
#include <breakwater/repository/hooks.hpp>
#include <breakwater/repository/mapping.hpp>
#include <breakwater/repository/outcome_guard.hpp>
#include <breakwater/repository/query.hpp>
#include <breakwater/repository/raw_query.hpp>
#include <breakwater/repository/relation.hpp>
#include <breakwater/repository/relations.hpp>
#include <breakwater/repository/repository.hpp>
#include <breakwater/repository/session.hpp>
#include <breakwater/repository/session_options.hpp>
#include <breakwater/repository/transaction.hpp>
#include <breakwater/repository/upsert.hpp>
#include <breakwater/repository/with_trashed.hpp>
