#include "codec_properties.hpp"

namespace fuzz {
namespace {

template <class T>
[[nodiscard]] bool is_short_enough(std::string_view text) {
  T value{};
  return !T::parse_into(text, value) || value.to_string().size() <= T::max_text_size;
}

}  // namespace

verdict value(std::string_view input) {
  if (const verdict broken = all_read_and_written<bw::interval, bw::inet, bw::time_of_day, bw::timestamp,
                                                  bw::timestamptz, bw::date, bw::numeric, bw::uuid>(input)) {
    return broken;
  }
  const bool within = is_short_enough<bw::interval>(input) && is_short_enough<bw::inet>(input) &&
                      is_short_enough<bw::time_of_day>(input) && is_short_enough<bw::timestamp>(input) &&
                      is_short_enough<bw::timestamptz>(input) && is_short_enough<bw::date>(input);
  return within ? nullptr : "a text is longer than max_text_size says";
}

}  // namespace fuzz
