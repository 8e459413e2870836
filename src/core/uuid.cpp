#include "wrong_literal.hpp"
#include <breakwater/core/uuid.hpp>

#include <fcntl.h>
#include <pthread.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace breakwater {

namespace detail {

void this_is_not_a_uuid_of_32_hexadecimal_digits() { wrong_literal("this is not a uuid of 32 hexadecimal digits"); }

}  // namespace detail

namespace {

/// Bytes fetched from the kernel at a time: 32 random uuids. getrandom never blocks or splits up to
/// 256 bytes; twice that halves the calls, and a split is handled.
constexpr std::size_t random_buffer_size = 512;

/// Incremented in a forked child, whose copies of the buffers must not be used again.
std::atomic<std::uint32_t> fork_generation{0};

[[noreturn]] void no_random_numbers() noexcept {
  std::fputs("breakwater: the operating system gives no random numbers (getrandom, /dev/urandom)\n", stderr);
  std::abort();
}

/// For systems whose sandbox forbids the system call.
void fill_from_device(std::uint8_t* to, std::size_t size) noexcept {
  const int device = ::open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  if (device < 0) no_random_numbers();
  while (size > 0) {
    const ssize_t got = ::read(device, to, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) no_random_numbers();
    to += got;
    size -= static_cast<std::size_t>(got);
  }
  ::close(device);
}

void fill_with_random(std::uint8_t* to, std::size_t size) noexcept {
  while (size > 0) {
    const ssize_t got = ::getrandom(to, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fill_from_device(to, size);
    to += got;
    size -= static_cast<std::size_t>(got);
  }
}

/// One thread's stock of random bytes. Used bytes are erased, so a memory dump shows no past
/// identifier.
class random_stock {
 public:
  void take(std::uint8_t* to, std::size_t size) noexcept {
    const auto generation = fork_generation.load(std::memory_order_relaxed);
    if (left_ < size || generation != generation_) {
      watch_forks();
      fill_with_random(stock_.data(), stock_.size());
      left_ = stock_.size();
      generation_ = generation;
    }
    left_ -= size;
    std::memcpy(to, stock_.data() + left_, size);
    std::memset(stock_.data() + left_, 0, size);
  }

 private:
  /// Registered before the first bytes are held, hence before any fork that could copy them.
  static void watch_forks() noexcept {
    static const int registered =
        ::pthread_atfork(nullptr, nullptr, [] { fork_generation.fetch_add(1, std::memory_order_relaxed); });
    if (registered != 0) no_random_numbers();
  }

  std::array<std::uint8_t, random_buffer_size> stock_{};
  std::size_t left_ = 0;
  std::uint32_t generation_ = 0;
};

void take_random(std::uint8_t* to, std::size_t size) noexcept {
  thread_local random_stock stock;
  stock.take(to, size);
}

/// Now in the unit of `make_time_ordered_uuid`.
std::uint64_t clock_tick() noexcept {
  using std::chrono::duration_cast;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto whole = std::chrono::floor<std::chrono::milliseconds>(now);
  const auto rest = duration_cast<std::chrono::nanoseconds>(now - whole).count();
  return static_cast<std::uint64_t>(whole.count()) * 4096 + static_cast<std::uint64_t>(rest) * 4096 / 1'000'000;
}

}  // namespace

result<uuid> uuid::parse(std::string_view text) {
  uuid value;
  if (parse_into(text, value)) return value;
  return error(errc::data_error,
               "not a uuid: allowed are 32 hexadecimal digits, with hyphens only after groups of "
               "four digits, "
               "optionally in braces");
}

bool uuid::parse_into(std::string_view text, uuid& out) noexcept {
  bytes_type bytes{};
  if (!detail::read_uuid(text, bytes)) return false;
  out.bytes_ = bytes;
  return true;
}

uuid uuid::random() noexcept {
  bytes_type bytes{};
  take_random(bytes.data(), bytes.size());
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  return uuid(bytes);
}

uuid uuid::time_ordered() noexcept {
  static std::atomic<std::uint64_t> last_tick{0};
  std::array<std::uint8_t, 8> bytes{};
  take_random(bytes.data(), bytes.size());
  std::uint64_t random = 0;
  std::memcpy(&random, bytes.data(), sizeof random);

  // The clock is read once; a thread that loses the race goes one past the winner.
  const std::uint64_t clock = clock_tick();
  std::uint64_t last = last_tick.load(std::memory_order_relaxed);
  std::uint64_t tick = detail::next_uuid_tick(last, clock);
  while (!last_tick.compare_exchange_weak(last, tick, std::memory_order_relaxed)) {
    tick = detail::next_uuid_tick(last, clock);
  }
  return detail::make_time_ordered_uuid(tick, random);
}

std::string uuid::to_string() const {
  std::string text(max_text_size, '\0');
  write_to(text.data());
  return text;
}

char* uuid::write_to(char* out) const noexcept {
  constexpr std::string_view digits = "0123456789abcdef";
  for (std::size_t i = 0; i < bytes_.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
    *out++ = digits[bytes_[i] >> 4];
    *out++ = digits[bytes_[i] & 0x0f];
  }
  return out;
}

}  // namespace breakwater

std::size_t std::hash<breakwater::uuid>::operator()(const breakwater::uuid& value) const noexcept {
  const auto& bytes = value.bytes();
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}
