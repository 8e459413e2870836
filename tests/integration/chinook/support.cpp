#include "support.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <fstream>
#include <sstream>
#include <utility>

namespace chinook {

namespace {

std::unique_ptr<shop>& shop_slot() {
  static std::unique_ptr<shop> slot;
  return slot;
}

/// The script without what makes and enters a database of its own, which is psql's to do.
bw::result<std::string> read_script(const std::string& path) {
  std::ifstream file(path);
  std::string sql;
  for (std::string line; std::getline(file, line);) {
    constexpr std::array<std::string_view, 3> skipped{"\\", "DROP DATABASE", "CREATE DATABASE"};
    const bool skip = std::any_of(skipped.begin(), skipped.end(),
                                  [&](std::string_view start) { return std::string_view(line).starts_with(start); });
    if (!skip) sql.append(line).push_back('\n');
  }
  if (!file.eof() || sql.empty()) return bw::error(errc::invalid_argument, "can not be read: " + path);
  return sql;
}

}  // namespace

void recorder::on_operation(const bw::operation_event& event) noexcept {
  const std::lock_guard lock(mutex_);
  names_.append(names_.empty() ? "" : " ").append(event.statement);
}

std::string recorder::taken() {
  const std::lock_guard lock(mutex_);
  return std::exchange(names_, {});
}

struct shop::connection {
  PGconn* on;
};

void shop::closer::operator()(connection* open) const noexcept {
  PQfinish(open->on);
  delete open;
}

bw::result<std::unique_ptr<shop>> shop::open(const std::string& script_path) {
  BOOST_OUTCOME_TRY(const std::string script, read_script(script_path));
  BOOST_OUTCOME_TRY(auto cluster, bw::testing::cluster::start());
  BOOST_OUTCOME_TRY(cluster.execute(script));
  std::unique_ptr<shop> made(new shop(std::move(cluster)));

  made->plain_.reset(new connection{PQconnectdb(made->cluster_.dsn().c_str())});
  if (PQstatus(made->plain_->on) != CONNECTION_OK) {
    return bw::error(errc::connection_failed, PQerrorMessage(made->plain_->on));
  }
  bw::config config;
  config.nodes = made->cluster_.dsns();
  config.observer = made->watcher_;
  BOOST_OUTCOME_TRY(auto opened, bw::database::open(config));
  made->db_ = std::make_unique<bw::database>(std::move(opened));
  return made;
}

lines shop::plain_sql(const std::string& sql) {
  const std::unique_ptr<PGresult, decltype(&PQclear)> answer(PQexec(plain_->on, sql.c_str()), &PQclear);
  if (PQresultStatus(answer.get()) != PGRES_TUPLES_OK) return {PQerrorMessage(plain_->on)};
  lines all(static_cast<std::size_t>(PQntuples(answer.get())));
  for (int row = 0; row < PQntuples(answer.get()); ++row) {
    std::string& line = all[static_cast<std::size_t>(row)];
    for (int column = 0; column < PQnfields(answer.get()); ++column) {
      if (column > 0) line.push_back('|');
      const bool null = PQgetisnull(answer.get(), row, column) != 0;
      line.append(null ? "NULL" : PQgetvalue(answer.get(), row, column));
    }
  }
  return all;
}

void shop_environment::SetUp() {
  auto opened = shop::open(script_path_);
  ASSERT_TRUE(succeeds(opened));
  shop_slot() = std::move(opened).value();
}

void shop_environment::TearDown() { shop_slot().reset(); }

shop& chinook_test::the_shop() { return *shop_slot(); }

::testing::AssertionResult same(const lines& found, const lines& expected) {
  if (expected.empty()) return ::testing::AssertionFailure() << "SQL answers no row, which compares nothing";
  const auto [here, there] = std::mismatch(found.begin(), found.end(), expected.begin(), expected.end());
  if (here == found.end() && there == expected.end()) return ::testing::AssertionSuccess();
  const auto shown_or_end = [](const lines& of, lines::const_iterator at) {
    return at == of.end() ? std::string("nothing more") : *at;
  };
  return ::testing::AssertionFailure() << found.size() << " rows, SQL has " << expected.size() << "; row "
                                       << here - found.begin() << " is\n  " << shown_or_end(found, here)
                                       << "\nand in SQL\n  " << shown_or_end(expected, there);
}

}  // namespace chinook
