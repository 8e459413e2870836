#pragma once

#include <breakwater/core/observer.hpp>
#include <breakwater/core/uuid.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace e2e {

/// What a fact is about; the words of the file are in journal.cpp.
enum class fact : std::uint8_t {
  sent,            ///< a write is about to be sent
  acknowledged,    ///< it was, and the library said that it is committed
  refused,         ///< the library said that it is not, and never will be, in the database
  unknown,         ///< the library could not tell
  stale,           ///< a session did not see what it had written and was told to be committed
  unread,          ///< such a read failed
  eventual_error,  ///< an eventual read failed
  node_change,     ///< the library learnt of a node's new part
  guard            ///< what became of a write whose answer was lost
};

/// The truth about a run: one line for each fact, in the file before the next step is taken, so that it survives
/// whatever happens to this process. Each line is "<microseconds of the monotonic clock> <fact> <uuid or -> <more>".
/// Thread-safe.
class journal {
 public:
  /// Ends the program where the file can not be made.
  explicit journal(const std::string& path);
  journal(const journal&) = delete;
  journal& operator=(const journal&) = delete;
  ~journal();

  void note(fact what, const bw::uuid* which, std::string_view more = {}) noexcept;
  [[nodiscard]] std::uint64_t count(fact what) const noexcept { return counts_[static_cast<std::size_t>(what)]; }

 private:
  int file_;
  std::array<std::atomic<std::uint64_t>, 9> counts_{};
};

/// The name of the statement by which a session looks for what it has written.
inline constexpr std::string_view read_back_name = "journal.read_back";

/// Puts what the library says of its nodes, and of writes in doubt, into the journal.
class witness final : public bw::observer {
 public:
  explicit witness(journal& into) noexcept : journal_(into) {}
  void on_node_change(const bw::node_event& event) noexcept override;
  void on_commit_unknown(const bw::commit_unknown_event& event) noexcept override;
  void on_retry(const bw::retry_event& event) noexcept override;
  void on_operation(const bw::operation_event& event) noexcept override;
  [[nodiscard]] std::uint64_t retries() const noexcept { return retries_; }
  /// Reads by `read_back_name` that a replica answered.
  [[nodiscard]] std::uint64_t read_back_on_replicas() const noexcept { return read_back_on_replicas_; }

 private:
  journal& journal_;
  std::atomic<std::uint64_t> retries_ = 0;
  std::atomic<std::uint64_t> read_back_on_replicas_ = 0;
};

}  // namespace e2e
