// The load of `make e2e-patroni`: writers that move money and write each move down, and readers, over one database
// whose nodes fail. It judges nothing: it writes into a file what it was told of each write, and run.py compares that
// with what is in the database in the end.
//
//     e2e_patroni_load --record <file> [--writers N] [--readers N] [--think-ms N] [--accounts N] [--timeout-ms N]
//                      <dsn>...
//
// Runs until its standard input ends. Prints "ready", and at the end its counts as "<name> <number>".

#include "journal.hpp"
#include <breakwater/breakwater.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using e2e::fact;

struct options {
  std::string record{};
  unsigned writers = 8;
  unsigned readers = 2;
  std::chrono::milliseconds think = 2ms;
  std::int64_t accounts = 64;
  std::chrono::milliseconds timeout = 0ms;  ///< of each operation; zero: the library's default
  std::vector<std::string> nodes{};
};

/// What one thread needs.
struct worker {
  const bw::database& db;
  e2e::journal& journal;
  const options& settings;
  std::mt19937_64 random;
  std::stop_token stop;
  std::uint64_t fresh_reads = 0;
  std::uint64_t eventual_reads = 0;

  void think() {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any wake;
    wake.wait_for(lock, stop, settings.think, [] { return false; });
  }
  std::int64_t account() { return std::uniform_int_distribution<std::int64_t>(1, settings.accounts)(random); }
};

/// One fact, with the error's code and message.
void note_error(e2e::journal& into, fact what, const bw::uuid* which, const bw::error& error) {
  into.note(what, which, std::string(bw::to_string(error.code())) + " " + error.message());
}

void note_outcome(e2e::journal& into, const bw::uuid& id, const bw::result<void>& written) {
  if (written) return into.note(fact::acknowledged, &id);
  switch (written.error().applied()) {
    case bw::applied::no: return note_error(into, fact::refused, &id, written.error());
    case bw::applied::yes: return note_error(into, fact::acknowledged, &id, written.error());
    case bw::applied::unknown: return note_error(into, fact::unknown, &id, written.error());
  }
}

/// Moves money and writes it down, in one transaction. Accounts are changed in the order of their numbers, so that no
/// two transactions wait for each other.
bw::result<void> transfer(bw::session& session, const bw::uuid& id, std::int64_t from, std::int64_t to) {
  const std::int64_t amount = 1;
  return session.transact([&](bw::transaction& tx) -> bw::result<void> {
    BOOST_OUTCOME_TRY(
        tx.execute("insert into journal (id, source, target, amount) values (?, ?, ?, ?)", id, from, to, amount));
    const std::array<std::pair<std::int64_t, std::int64_t>, 2> changes =
        from < to ? std::array{std::pair(from, -amount), std::pair(to, amount)}
                  : std::array{std::pair(to, amount), std::pair(from, -amount)};
    for (const auto& [account, change] : changes) {
      BOOST_OUTCOME_TRY(tx.execute("update accounts set balance = balance + ? where id = ?", change, account));
    }
    return bw::success();
  });
}

/// A single statement: a move of nothing.
bw::result<void> remark(bw::session& session, const bw::uuid& id, std::int64_t about) {
  BOOST_OUTCOME_TRY(
      session.execute("insert into journal (id, source, target, amount) values (?, ?, ?, 0)", id, about, about));
  return bw::success();
}

/// What a session was told to be committed it has to see.
void read_back(worker& self, bw::session& session, const bw::uuid& id) {
  const auto seen = session.query("select count(*) from journal where id = ?", id)
                        .named(e2e::read_back_name)
                        .read_only()
                        .one<std::int64_t>();
  // Where the session knows how far a replica has to be, one may serve it; else only the primary.
  const std::string_view known = session.token().knows_position() ? ",position_known" : ",position_unknown";
  if (!seen) {
    const std::string code(bw::to_string(seen.error().code()));
    return self.journal.note(fact::unread, &id, code + std::string(known) + " " + seen.error().message());
  }
  if (seen.value() == 0) return self.journal.note(fact::stale, &id);
  ++self.fresh_reads;
}

void write(worker& self) {
  constexpr unsigned remarks_one_in = 4;
  for (unsigned i = 0; !self.stop.stop_requested(); ++i) {
    self.think();
    bw::session session = self.db.session({.outcome_guard = true});
    const bw::uuid id = bw::uuid::random();
    const std::int64_t from = self.account();
    const std::int64_t to = from % self.settings.accounts + 1;
    self.journal.note(fact::sent, &id);
    const bw::result<void> written =
        i % remarks_one_in == 0 ? remark(session, id, from) : transfer(session, id, from, to);
    note_outcome(self.journal, id, written);
    if (written) read_back(self, session, id);
  }
}

void read(worker& self) {
  while (!self.stop.stop_requested()) {
    self.think();
    bw::session session = self.db.session({.consistency = bw::consistency::eventual});
    const auto seen =
        session.query("select balance from accounts where id = ?", self.account()).read_only().one<std::int64_t>();
    if (seen)
      ++self.eventual_reads;
    else
      note_error(self.journal, fact::eventual_error, nullptr, seen.error());
  }
}

bw::result<void> run(const options& settings) {
  e2e::journal journal(settings.record);
  const auto witness = std::make_shared<e2e::witness>(journal);
  bw::config config;
  config.nodes = settings.nodes;
  config.application_name = "e2e-patroni";
  if (settings.timeout > 0ms) config.operation_timeout = settings.timeout;
  config.observer = witness;
  BOOST_OUTCOME_TRY(const auto db, bw::database::open(config));

  std::stop_source stop;
  std::vector<std::unique_ptr<worker>> workers;
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < settings.writers + settings.readers; ++i) {
    workers.push_back(std::make_unique<worker>(worker{
        .db = db, .journal = journal, .settings = settings, .random = std::mt19937_64(i), .stop = stop.get_token()}));
    threads.emplace_back(i < settings.writers ? write : read, std::ref(*workers.back()));
  }
  std::printf("ready\n");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  stop.request_stop();
  threads.clear();  // joins

  const auto print = [](const char* name, std::uint64_t value) {
    std::printf("%s %llu\n", name, static_cast<unsigned long long>(value));
  };
  std::uint64_t fresh = 0;
  std::uint64_t eventual = 0;
  for (const auto& each : workers) {
    fresh += each->fresh_reads;
    eventual += each->eventual_reads;
  }
  print("fresh_reads", fresh);
  print("fresh_reads_on_replicas", witness->read_back_on_replicas());
  print("eventual_reads", eventual);
  print("retries", witness->retries());
  return bw::success();
}

/// True where `text` is a number from 1 up.
template <class Number>
bool read_number(std::string_view text, Number& into) {
  Number value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || value < 1) return false;
  into = value;
  return true;
}

std::optional<options> parse(int argc, char** argv) {
  options given;
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  std::size_t i = 0;
  for (; i + 1 < words.size() && words[i].starts_with("--"); i += 2) {
    const std::string_view name = words[i];
    const std::string_view value = words[i + 1];
    std::int64_t milliseconds = 0;
    bool understood = true;
    if (name == "--record")
      given.record = value;
    else if (name == "--writers")
      understood = read_number(value, given.writers);
    else if (name == "--readers")
      understood = read_number(value, given.readers);
    else if (name == "--accounts")
      understood = read_number(value, given.accounts);
    else if (name == "--think-ms" && (understood = read_number(value, milliseconds)))
      given.think = milliseconds * 1ms;
    else if (name == "--timeout-ms" && (understood = read_number(value, milliseconds)))
      given.timeout = milliseconds * 1ms;
    else
      understood = false;
    if (!understood) return std::nullopt;
  }
  for (; i < words.size(); ++i) given.nodes.emplace_back(words[i]);
  if (given.record.empty() || given.nodes.empty()) return std::nullopt;
  return given;
}

}  // namespace

int main(int argc, char** argv) {
  const auto settings = parse(argc, argv);
  if (!settings) {
    std::fprintf(stderr,
                 "usage: e2e_patroni_load --record <file> [--writers N] [--readers N] [--think-ms N] [--accounts N] "
                 "[--timeout-ms N] <dsn>...\n");
    return 2;
  }
  const auto done = run(*settings);
  if (done) return 0;
  std::fprintf(stderr, "load: %s\n", done.error().message().c_str());
  return 1;
}
