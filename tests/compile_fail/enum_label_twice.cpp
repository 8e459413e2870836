// One label for two values.
// expect: breakwater: an enum's value or label is given twice

#include <breakwater/breakwater.hpp>

enum class colour { red, green };

template <>
inline constexpr auto breakwater::enum_labels<colour> =
#ifdef BREAKWATER_EXPECT_OK
    bw::enum_type("colour", bw::label(colour::red, "red"), bw::label(colour::green, "green"));
#else
    bw::enum_type("colour", bw::label(colour::red, "red"), bw::label(colour::green, "red"));
#endif

static_assert(bw::has_codec<colour>);
