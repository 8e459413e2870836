// A bank on a database cluster of its own: a primary and two replicas, started from the installed PostgreSQL and gone when
// the program ends. Clerks move money between accounts and customers look at them, while a replica dies, the primary dies
// and a replica takes its place. In the end not a cent is missing, and nobody was told anything wrong.
//
//     ledger [--seconds N]        N: how long it runs, 20 where it is not given

#include "books.hpp"
#include "incidents.hpp"
#include "statistics.hpp"
#include "workload.hpp"
#include <breakwater/testing/cluster.hpp>

#include <charconv>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr unsigned clerks = 4;
constexpr unsigned customers = 4;

volatile std::sig_atomic_t interrupted = 0;

unsigned long long number(std::uint64_t value) { return value; }

/// One line of progress a second, until the time is over or the user has had enough.
void report_progress(const ledger::statistics& seen, std::chrono::seconds duration) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  const auto started = std::chrono::steady_clock::now();
  std::uint64_t last_transfers = 0;
  std::uint64_t last_reads = 0;
  for (auto second = 1s; second <= duration && interrupted == 0; ++second) {
    never.wait_until(lock, started + second, [] { return interrupted != 0; });
    const std::uint64_t transfers = seen.transfers;
    const std::uint64_t reads = seen.reads;
    std::printf("%3lld/%llds  %6llu transfers/s  %6llu reads/s  %5llu conflicts retried  %llu errors\n",
                static_cast<long long>(second.count()), static_cast<long long>(duration.count()),
                number(transfers - last_transfers), number(reads - last_reads), number(seen.conflicts),
                number(seen.write_errors + seen.read_errors));
    std::fflush(stdout);
    last_transfers = transfers;
    last_reads = reads;
  }
}

bw::result<ledger::incident_report> run_workload(bw::testing::cluster& cluster, const bw::database& db,
                                                 const std::vector<std::int64_t>& accounts, ledger::statistics& seen,
                                                 std::chrono::seconds duration) {
  bw::result<ledger::incident_report> incidents = bw::errc::internal;
  std::vector<std::jthread> people;
  for (unsigned i = 0; i < clerks; ++i) {
    people.emplace_back([&, i](const std::stop_token& stop) { transfer_money(db, accounts, i, seen, stop); });
  }
  for (unsigned i = 0; i < customers; ++i) {
    people.emplace_back([&, i](const std::stop_token& stop) { look_around(db, accounts, clerks + i, seen, stop); });
  }
  std::jthread story(
      [&](const std::stop_token& stop) { incidents = ledger::cause_incidents(cluster, seen, duration, stop); });
  report_progress(seen, duration);
  if (interrupted != 0) story.request_stop();
  story.join();
  people.clear();  // asks them to stop, and waits for them
  return incidents;
}

/// The closing table. True when the books balance, and nobody noticed more than a pause.
bool print_closing(const ledger::statistics& seen, const ledger::node_counter& nodes, const ledger::books& books,
                   const ledger::incident_report& incidents) {
  const auto row = [](const char* what, const std::string& value) { std::printf("  %-28s %s\n", what, value.c_str()); };
  const bw::numeric expected =
      bw::numeric(ledger::opening_balance) * bw::numeric(static_cast<std::int64_t>(ledger::account_count));
  const bool money_is_right = books.money == expected && books.wrong_accounts == 0;

  std::printf("\n");
  row("transfers", std::to_string(seen.transfers));
  row("  refused, no funds", std::to_string(seen.refused));
  row("  version conflicts retried", std::to_string(seen.conflicts));
  row("reads", std::to_string(seen.reads));
  for (const auto& [name, counts] : nodes.by_node()) {
    row(("node " + name).c_str(), std::to_string(counts.reads) + " reads, " + std::to_string(counts.writes) +
                                      " writes, at last as " + std::string(to_string(counts.role)));
  }
  std::printf("\n");
  row("read errors", std::to_string(seen.read_errors));
  row("write errors", std::to_string(seen.write_errors));
  if (seen.read_errors + seen.write_errors > 0) row("  the last one", seen.last_error());
  row("write pause", incidents.primary_died
                         ? std::to_string(incidents.write_pause.count()) + " ms, of which the promotion took " +
                               std::to_string(incidents.promotion.count()) + " ms"
                         : "none");
  row("lost transfers", std::to_string(books.lost));
  row("doubled transfers", std::to_string(books.doubled));
  row("of unknown fate", std::to_string(seen.unknown().size()));
  row("lines in the journal", std::to_string(books.lines));
  row("total money", books.money.to_string() + (money_is_right ? ", unchanged; every account as the journal has it"
                                                               : ", should be " + expected.to_string() + "; " +
                                                                     std::to_string(books.wrong_accounts) +
                                                                     " accounts are not as the journal has them"));
  const bool whole = incidents.replica_died && incidents.primary_died && incidents.replica_was_promoted;
  return money_is_right && books.lost == 0 && books.doubled == 0 && seen.read_errors == 0 && seen.write_errors == 0 &&
         (whole || interrupted != 0);
}

bw::result<bool> run(std::chrono::seconds duration) {
  std::printf("starting a primary and two replicas ...\n");
  // A commit waits for one of the replicas: what was acknowledged survives the loss of any one server.
  BOOST_OUTCOME_TRY(auto cluster, bw::testing::cluster::start({.replicas = 2, .synchronous_replicas = 1}));

  auto nodes = std::make_shared<ledger::node_counter>();
  bw::config config;
  config.nodes = cluster.dsns();
  config.application_name = "ledger";
  config.operation_timeout = 10s;  // see workload.cpp
  config.observer = nodes;
  BOOST_OUTCOME_TRY(auto db, bw::database::open(config));
  BOOST_OUTCOME_TRY(const auto accounts, ledger::open_accounts(db));
  BOOST_OUTCOME_TRY(cluster.wait_for_replay(cluster.replica(0)));
  BOOST_OUTCOME_TRY(cluster.wait_for_replay(cluster.replica(1)));

  std::printf("%zu accounts opened, %u clerks and %u customers at work\n", accounts.size(), clerks, customers);
  ledger::statistics seen;
  BOOST_OUTCOME_TRY(const auto incidents, run_workload(cluster, db, accounts, seen, duration));
  BOOST_OUTCOME_TRY(const auto books, ledger::audit(db, seen));
  return print_closing(seen, *nodes, books, incidents);
}

std::chrono::seconds parse_duration(int argc, char** argv) {
  if (argc == 1) return 20s;
  int seconds = 0;
  if (argc == 3 && std::strcmp(argv[1], "--seconds") == 0) {
    const char* end = argv[2] + std::strlen(argv[2]);
    if (std::from_chars(argv[2], end, seconds).ptr != end) seconds = 0;
  }
  return std::chrono::seconds(seconds);
}

}  // namespace

int main(int argc, char** argv) {
  const auto duration = parse_duration(argc, argv);
  if (duration <= 0s) {
    std::fprintf(stderr, "usage: ledger [--seconds N]   with N at least 1\n");
    return 2;
  }
  std::signal(SIGINT, [](int) { interrupted = 1; });
  const auto balanced = run(duration);
  if (!balanced) {
    std::fprintf(stderr, "ledger: %s\n", balanced.error().message().c_str());
    return 1;
  }
  return balanced.value() ? 0 : 1;
}
