#include "codec_properties.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace fuzz {

enum class shade : std::uint8_t { light, dark };

struct pair {
  std::optional<std::int32_t> first{};
  std::string second{};
  friend bool operator==(const pair&, const pair&) = default;
};
struct nest {
  std::string text{};
  std::optional<std::string> maybe{};
  std::vector<std::optional<std::string>> list{};
  std::optional<pair> inner{};
  std::vector<pair> inners{};
  std::optional<shade> tone{};
  friend bool operator==(const nest&, const nest&) = default;
};

}  // namespace fuzz

template <>
inline constexpr auto breakwater::enum_labels<fuzz::shade> =
    bw::enum_type("shade", bw::label(fuzz::shade::light, "light"), bw::label(fuzz::shade::dark, "\"dark\\, (er)"));
template <>
inline constexpr auto breakwater::composite<fuzz::pair> = bw::composite_type("pair", &fuzz::pair::first,
                                                                             &fuzz::pair::second);
template <>
inline constexpr auto breakwater::composite<fuzz::nest> = bw::composite_type("nest", &fuzz::nest::text,
                                                                             &fuzz::nest::maybe, &fuzz::nest::list,
                                                                             &fuzz::nest::inner, &fuzz::nest::inners,
                                                                             &fuzz::nest::tone);

namespace fuzz {
namespace {

pair pair_of(pieces& from) {
  pair made{.first = std::nullopt, .second = from.text()};
  if (from.byte() % 2 == 0) made.first = static_cast<std::int32_t>(from.byte()) - 128;
  return made;
}

nest nest_of(std::string_view input) {
  pieces from(input);
  nest made{.text = from.text()};
  if (from.byte() % 2 == 0) made.maybe = from.text();
  for (unsigned i = from.byte() % 4; i > 0; --i) {
    auto& added = made.list.emplace_back();
    if (from.byte() % 4 > 0) added = from.text();
  }
  if (from.byte() % 2 == 0) made.inner = pair_of(from);
  for (unsigned i = from.byte() % 4; i > 0; --i) made.inners.push_back(pair_of(from));
  if (from.byte() % 2 == 0) made.tone = static_cast<shade>(from.byte() % 3);  // one of them without a label
  return made;
}

}  // namespace

verdict composite(std::string_view input) {
  if (const verdict broken =
          all_read_and_written<pair, nest, std::vector<pair>, std::vector<std::optional<nest>>>(input)) {
    return broken;
  }
  const nest made = nest_of(input);
  if (const verdict broken = written_and_read(made)) return broken;
  return written_and_read(std::vector<std::optional<nest>>{made, std::nullopt, made});
}

}  // namespace fuzz
