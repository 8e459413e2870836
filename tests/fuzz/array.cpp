#include "codec_properties.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace fuzz {
namespace {

using texts = std::vector<std::optional<std::string>>;

/// Rows of equal width, so that most can be written.
std::vector<texts> matrix_of(std::string_view input) {
  pieces from(input);
  const std::size_t width = 1 + from.byte() % 4;
  std::vector<texts> rows;
  while (!from.empty() && rows.size() < 64) {
    texts& row = rows.emplace_back(width);
    for (auto& cell : row) {
      if (from.byte() % 4 > 0) cell = from.text();
    }
  }
  return rows;
}

}  // namespace

verdict array(std::string_view input) {
  if (const verdict broken =
          all_read_and_written<texts, std::vector<std::string>, std::vector<std::vector<std::string>>,
                               std::vector<std::vector<texts>>, std::vector<std::int32_t>,
                               std::vector<std::optional<std::int64_t>>, std::vector<bool>,
                               std::vector<std::vector<std::byte>>, std::vector<std::optional<bw::date>>>(input)) {
    return broken;
  }
  const std::vector<texts> rows = matrix_of(input);
  if (const verdict broken = written_and_read(rows)) return broken;
  return rows.empty() ? nullptr : written_and_read(rows.front());
}

}  // namespace fuzz
