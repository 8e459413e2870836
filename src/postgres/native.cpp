#include "postgres/native.hpp"

#include "postgres/connection.hpp"

#include <libpq-fe.h>
#include <pqxx/connection>
#include <pqxx/dbtransaction>
#include <pqxx/except>

#include <string_view>

namespace breakwater::postgres {

pqxx::connection* seize(pg_conn* handle) {
  return new pqxx::connection(pqxx::connection::seize_raw_connection(handle));
}

void connection::native_closer::operator()(pqxx::connection* closed) const noexcept { delete closed; }

pqxx::connection& connection::take_native() noexcept {
  role_known_ = false;
  const bool usable = !is_broken() && !unanswered_ &&
                      (PQpipelineStatus(handle_) == PQ_PIPELINE_OFF || PQexitPipelineMode(handle_) == 1) &&
                      PQsetnonblocking(handle_, 0) == 0;
  if (!usable) abort();
  return *native_;
}

class native_transaction::adopted final : public pqxx::dbtransaction {
 public:
  explicit adopted(pqxx::connection& on) : pqxx::dbtransaction(on, std::string_view("breakwater")) {
    register_transaction();
  }
  adopted(const adopted&) = delete;
  adopted& operator=(const adopted&) = delete;
  ~adopted() noexcept override { close(); }

 private:
  void do_commit() override {
    throw pqxx::usage_error("this transaction belongs to breakwater: return success from its closure to commit it");
  }
  void do_abort() override {}  // rolled back by whoever began it
};

native_transaction::native_transaction(pqxx::connection& on) : adopted_(std::make_unique<adopted>(on)) {}
native_transaction::~native_transaction() = default;
pqxx::dbtransaction& native_transaction::get() noexcept { return *adopted_; }

}  // namespace breakwater::postgres
