// Prints docs/sqlstates.md: the SQLSTATE table as people read it. `make docs` writes it anew; a test compares.

#include <breakwater/core/errc.hpp>
#include <breakwater/postgres/sqlstate.hpp>

#include <iostream>
#include <string_view>

namespace {

using breakwater::postgres::remedy;

std::string_view meaning_of(remedy what) {
  switch (what) {
    case remedy::none: return "Never run again: its caller, or a human, has to mend it.";
    case remedy::close: return "The same, and the connection is not used any more.";
    case remedy::rerun:
      return "A conflict. Again on the same connection; of a replica on another one, then on the primary.";
    case remedy::rerun_once:
      return "Again once on the same connection. A `57014` only where the library's own time limit sent it; what a "
             "caller or an operator cancelled is not run again.";
    case remedy::root_cause: return "An echo: the error that failed the transaction is reported, and decides.";
    case remedy::prepare_again:
      return "A prepared statement is gone, outdated, or its name is taken: it is prepared anew and run again. Inside "
             "a "
             "transaction all of that runs again. Of a replica, what is left of it is asked of the primary once.";
    case remedy::reconnect: return "Nothing ran: at once on another connection.";
    case remedy::give_up: return "The transaction's own time limit: `deadline_exceeded`, on no account again.";
    case remedy::connection_lost:
      return "Again on another connection, if nothing of it was applied: reads, transactions before their COMMIT. A "
             "write "
             "that was sent is `commit_unknown`.";
    case remedy::reconnect_paced:
      return "Nothing ran: again on another connection, which the pool paces; from the second time on the primary is "
             "looked for anew.";
    case remedy::find_primary:
      return "Where the server has become a replica: its pool is emptied, the primary looked for, and the statement "
             "run "
             "there. Otherwise the caller's mistake: a write in what was declared read-only.";
    case remedy::find_primary_if_ours: return "The same, for statements made from a mapping.";
    case remedy::resolve: return "The server itself does not know whether it was applied: `commit_unknown`.";
    case remedy::reconnect_once: return "The server is short of something: once, on another connection.";
    case remedy::primary_once: return "Of a replica: once on the primary, whose schema may be newer.";
  }
  return {};
}

}  // namespace

int main() {
  std::cout
      << "# SQLSTATEs\n\n"
         "Every SQLSTATE that the library knows, what it calls it, and what it does about it. This page is made from "
         "the\ntable in the source (`src/postgres/sqlstates.inc`) by `make docs`.\n\n"
         "A code that is not here has the meaning of its class's general row (`42ZZZ`: that of `42000`), else "
         "`internal`; nothing\nis done about it.\n\n"
         "## Remedies\n\n"
         "What is done where it is certain that nothing was applied. What may have been applied is run again only "
         "where its\ncaller declared it idempotent; with the outcome guard its fate is found out first. Everything is "
         "bounded by the\nattempts, the deadline, the retry budget and the breaker: see [resilience.md](resilience.md)."
         "\n\n| remedy | what it is |\n|---|---|\n";
  for (int i = 0; i <= static_cast<int>(remedy::primary_once); ++i) {
    const auto what = static_cast<remedy>(i);
    std::cout << "| `" << to_string(what) << "` | " << meaning_of(what) << " |\n";
  }
  std::cout
      << "\nAny FATAL or PANIC ends the connection, whatever the code; then its row counts. A FATAL `08P01` is a "
         "proxy's that has\nlost its server, and is treated as `connection_lost`.\n\n"
         "## The table\n\n"
         "\"Text\": whether the server's own words may be shown, or are withheld because they may quote values.\n\n"
         "| SQLSTATE | condition | `bw::errc` | text | remedy |\n|---|---|---|---|---|\n";
  for (const auto& row : breakwater::postgres::sqlstates()) {
    std::cout << "| `" << row.code << "` | " << row.condition << " | `" << breakwater::to_string(row.meaning) << "` | "
              << (row.text_is_public ? "shown" : "withheld") << " | "
              << (row.remedy == remedy::none ? std::string_view("none") : to_string(row.remedy)) << " |\n";
  }
  return std::cout.flush() ? 0 : 1;
}
