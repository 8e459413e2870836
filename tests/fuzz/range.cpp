#include "codec_properties.hpp"

#include <cstdint>
#include <vector>

namespace fuzz {

verdict range(std::string_view input) {
  return all_read_and_written<bw::range<std::int32_t>, bw::range<std::int64_t>, bw::range<bw::numeric>,
                              bw::range<bw::date>, bw::range<bw::timestamp>, bw::range<bw::timestamptz>,
                              bw::multirange<std::int32_t>, bw::multirange<bw::timestamptz>,
                              std::vector<bw::range<bw::timestamp>>>(input);
}

}  // namespace fuzz
