#pragma once

#include "sim/events.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace breakwater::sim {

constexpr std::uint32_t nobody = 0xffffffffU;

/// What a client asks a server for; `operation` is the write's identity.
enum class request_kind : std::uint8_t {
  none,
  read,
  write,          ///< autocommit: permanent once it has run
  begin_write,    ///< BEGIN and the write
  begin_guarded,  ///< BEGIN, the token, and the write
  commit,
  claim,          ///< BEGIN, lock_timeout, and the token
  guarded_write,  ///< the write, in the transaction of a claim
  confirm,        ///< UPDATE of the token's row, and COMMIT
  ping,
  end_twin  ///< pg_terminate_backend; `targets` are the links
};

struct request {
  request_kind kind = request_kind::none;
  std::uint32_t operation = nobody;
  std::uint32_t token = nobody;
  instant lock_wait = 0;
  instant statement_until = 0;  ///< when statement_timeout ends it; 0: never
  std::vector<std::uint32_t> targets{};
};

/// May its effect stay although its answer is lost?
constexpr bool is_permanent(request_kind kind) noexcept {
  return kind == request_kind::write || kind == request_kind::commit;
}

enum class answer_kind : std::uint8_t { ok, error, fatal, lost, timed_out };

/// The SQLSTATEs that servers here answer with.
constexpr std::array<std::string_view, 15> states{"",      "40001", "40P01", "25006", "53100",
                                                  "58030", "57P01", "57P02", "57P03", "53300",
                                                  "57014", "55P03", "23505", "25P02", "XX000"};
constexpr std::uint8_t state_id(std::string_view code) noexcept {
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (states[i] == code) return static_cast<std::uint8_t>(i);
  }
  return states.size() - 1;
}

struct answer {
  answer_kind kind = answer_kind::ok;
  std::uint8_t state = 0;
  bool from_standby = false;  ///< in_hot_standby, as servers report it with every answer
  bool found_row = true;      ///< of `confirm`

  [[nodiscard]] constexpr std::uint32_t encode() const noexcept {
    return static_cast<std::uint32_t>(kind) | (std::uint32_t{state} << 4U) | (from_standby ? 1U << 12U : 0U) |
           (found_row ? 1U << 13U : 0U);
  }
  [[nodiscard]] static constexpr answer decode(std::uint32_t bits) noexcept {
    return {.kind = static_cast<answer_kind>(bits & 0xfU),
            .state = static_cast<std::uint8_t>((bits >> 4U) & 0xffU),
            .from_standby = (bits & (1U << 12U)) != 0,
            .found_row = (bits & (1U << 13U)) != 0};
  }
};

/// A connection, as both ends and the network between them see it.
struct link {
  // The client's end.
  std::uint32_t process = 0;
  std::uint8_t node = 0;
  bool client_open = true;
  bool made_to_standby = false;
  std::uint32_t user = nobody;  ///< the client that has borrowed it
  bool goodbye = false;         ///< the server has ended it, which is seen when it is next used
  instant idle_since = 0;
  instant lent_at = 0;
  bool waited_for = false;

  // Between.
  instant silent_until = 0;     ///< nothing gets through before
  bool unsent_is_lost = false;  ///< closed while silent, and the bytes had not left yet
  instant connect_began = 0;
  instant connect_until = 0;
  std::uint32_t answer_serial = 0;

  // The server's end.
  bool session_open = false;
  bool busy = false;
  bool ends_after_request = false;
  std::uint32_t request_serial = 0;
  request asked{};
  bool in_transaction = false;
  bool failed = false;
  std::uint32_t pending_write = nobody;
  std::uint32_t token = nobody;
};

}  // namespace breakwater::sim
