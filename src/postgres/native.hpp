#pragma once

extern "C" {
struct pg_conn;
}
namespace pqxx {
class connection;
class dbtransaction;
}  // namespace pqxx

#include <memory>

namespace breakwater::postgres {

/// A libpqxx connection that owns `handle`. The only file that includes libpqxx is native.cpp.
[[nodiscard]] pqxx::connection* seize(pg_conn* handle);

/// A libpqxx transaction over a transaction that is open already and that somebody else ends: committing it is
/// refused with pqxx::usage_error, and its end changes nothing. REQUIRES that `on` outlives it.
class native_transaction {
 public:
  explicit native_transaction(pqxx::connection& on);
  ~native_transaction();
  native_transaction(const native_transaction&) = delete;
  native_transaction& operator=(const native_transaction&) = delete;

  [[nodiscard]] pqxx::dbtransaction& get() noexcept;

 private:
  class adopted;
  std::unique_ptr<adopted> adopted_;
};

}  // namespace breakwater::postgres
