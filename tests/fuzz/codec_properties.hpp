#pragma once

#include "targets.hpp"
#include <breakwater/postgres/codec.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace fuzz {

/// A value that can be sent is read back as itself, and from then on its text does not change.
template <class T>
[[nodiscard]] verdict written_and_read(const T& value) {
  bw::parameters once;
  bw::bind(once, value);
  if (once.size() != 1) return "a value is one parameter";
  if (once.first_invalid()) return nullptr;  // a NUL byte, or what has no text
  T back{};
  if (!bw::codec<T>::decode(once.text(0), back)) return "what is written can not be read";
  if (!(back == value)) return "what is written is read as something else";
  bw::parameters twice;
  bw::bind(twice, back);
  if (twice.text(0) != once.text(0)) return "the same value is written in two ways";
  return nullptr;
}

/// Any text is refused or read; what is read can be written.
template <class T>
[[nodiscard]] verdict read_and_written(std::string_view text) {
  T value{};
  if (!bw::codec<T>::decode(text, value)) return nullptr;
  return written_and_read(value);
}

template <class... Types>
[[nodiscard]] verdict all_read_and_written(std::string_view text) {
  verdict broken = nullptr;
  static_cast<void>(((broken = read_and_written<Types>(text), broken == nullptr) && ...));
  return broken;
}

/// Cuts the input into pieces: a length, then so many bytes.
class pieces {
 public:
  explicit pieces(std::string_view input) noexcept : rest_(input) {}
  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
  [[nodiscard]] unsigned byte() noexcept {
    if (rest_.empty()) return 0;
    const auto first = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return first;
  }
  [[nodiscard]] std::string text() {
    const std::size_t length = byte() % 16;
    std::string piece(rest_.substr(0, length));
    rest_.remove_prefix(piece.size());
    return piece;
  }

 private:
  std::string_view rest_;
};

}  // namespace fuzz
