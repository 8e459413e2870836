#pragma once

#include <breakwater/core/causality_token.hpp>
#include <breakwater/postgres/rows.hpp>
#include <breakwater/postgres/statement.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Places in a server's write-ahead log: of a write, once it is committed, and of a server that is to answer a read.
namespace breakwater::postgres {

/// What is known of the server behind a connection. It stays true as long as the connection lives: a server keeps its
/// system and its start time, a primary its timeline, and what a replica has replayed it has. Where any of that could
/// change the server is restarted first, which ends its connections.
///
/// That is not so where a proxy stands between, which may join the connection with another server: then nothing is kept.
struct known_server {
  std::uint64_t system = 0;  ///< 0: nothing is known
  std::string start{};       ///< when it was started, as it writes that
  std::uint32_t timeline = 0;
  std::uint64_t position = 0;  ///< of a replica: all of `timeline` up to here was replayed
  bool is_primary = false;
  std::uint32_t block_size = 0;  ///< of its log

  [[nodiscard]] bool is_known() const noexcept { return system != 0; }
};

/// \name Sent behind a COMMIT, on a primary. The long one where the server is not known yet.
///
/// An insert position is told by the primary beside that of the last flush. The latter covers a commit that was waited
/// for, the former one with `synchronous_commit = off` as well; that setting the transaction itself is asked for, before
/// its COMMIT, since a SET LOCAL ends with it.
/// @{
extern const statement commit_mode_statement;
extern const statement position_statement;
extern const statement position_and_server_statement;
/// @}

/// Sent ahead of a read, to a server of any role. The position is looked up before the timeline: in this order a replica
/// that is on a timeline has replayed the position on it.
extern const statement place_statement;
extern const statement place_and_server_statement;

/// The token of a transaction that was committed on a connection, with the answers to the two statements around its
/// COMMIT. `backend` is the server process as libpq was told when it connected: another one answers where a proxy stands
/// between. Learns of the server what it can. What can not be read is a position that is not known.
[[nodiscard]] causality_token read_token(const rows& mode, const rows& position, int backend, known_server& server);

/// The token of a write of which no more is known than on which connection it was.
[[nodiscard]] causality_token unplaced_token(const known_server& server) noexcept;

/// What a server said of itself.
struct place {
  std::uint64_t system = 0;
  std::uint32_t timeline = 0;  ///< 0: not known; of a replica also where it does not follow a primary now
  std::uint64_t position = 0;
  bool is_replica = false;
  bool per_statement = false;  ///< each statement sees what was committed before it; else the first one's view counts
};
/// Reads the answer to `place_statement`, learns of the server what it can, as above. Nothing where it can not be read.
[[nodiscard]] std::optional<place> read_place(const rows& answer, int backend, known_server& server);

/// "16/B374D848" as a number.
[[nodiscard]] std::optional<std::uint64_t> parse_position(std::string_view text) noexcept;

/// An insert position at the begin of a page lies behind the page's header, where nothing is replayed to until there is
/// more: the same place, as a replica says it.
[[nodiscard]] constexpr std::uint64_t without_page_header(std::uint64_t position, std::uint32_t block_size) noexcept {
  constexpr std::uint64_t short_header = 24;
  constexpr std::uint64_t long_header = 40;  // of a segment's first page
  if (block_size == 0) return position;
  const std::uint64_t offset = position % block_size;
  return offset == short_header || offset == long_header ? position - offset : position;
}

}  // namespace breakwater::postgres
