#pragma once

#include <breakwater/postgres/codec.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Arrays: `std::vector<T>` for every T with a codec.
///
///     std::vector<std::string> tags{};                            // text[] without NULLs
///     std::vector<std::optional<std::int32_t>> readings{};        // integer[], NULLs in it
///     std::vector<std::vector<double>> matrix{};                  // double precision[], two dimensions
///
/// `std::vector<std::byte>` is bytea and not an array; a vector of these is bytea[]. Lower bounds other than 1 are read
/// and forgotten. The codecs are stateless: any number of threads may use them.
namespace breakwater {
namespace detail {

/// pg_type.typarray of a built-in type; `unknown` of any other.
[[nodiscard]] constexpr std::uint32_t array_type_of(std::uint32_t element) noexcept {
  switch (element) {
    case oid::boolean: return 1000;
    case oid::bytea: return 1001;
    case oid::name: return 1003;
    case oid::int2: return 1005;
    case oid::int4: return 1007;
    case oid::text: return 1009;
    case oid::bpchar: return 1014;
    case oid::varchar: return 1015;
    case oid::int8: return 1016;
    case oid::float4: return 1021;
    case oid::float8: return 1022;
    case oid::timestamp: return 1115;
    case oid::date: return 1182;
    case oid::time: return 1183;
    case oid::timestamptz: return 1185;
    case oid::interval: return 1187;
    case oid::numeric: return 1231;
    case oid::uuid: return 2951;
    case oid::json: return 199;
    case oid::jsonb: return 3807;
    case oid::inet: return 1041;
    case oid::cidr: return 651;
    case 3904: return 3905;  // int4range
    case 3906: return 3907;  // numrange
    case 3908: return 3909;  // tsrange
    case 3910: return 3911;  // tstzrange
    case 3912: return 3913;  // daterange
    case 3926: return 3927;  // int8range
    case 4451: return 6150;  // int4multirange
    case 4532: return 6151;  // nummultirange
    case 4533: return 6152;  // tsmultirange
    case 4534: return 6153;  // tstzmultirange
    case 4535: return 6155;  // datemultirange
    case 4536: return 6157;  // int8multirange
    default: return oid::unknown;
  }
}

/// How many dimensions an array's type has; 0 for what is no array.
template <class T>
inline constexpr std::size_t dimensions_of = [] {
  if constexpr (requires { codec<T>::dimensions; }) {
    return codec<T>::dimensions;
  } else {
    return std::size_t{0};
  }
}();

/// NULL can stand in place of an element, but not in place of an array within an array.
template <class T>
inline constexpr bool is_array_element =
    has_codec<without_optional_t<T>> && !(is_optional<T> && dimensions_of<without_optional_t<T>> > 0);

/// What the innermost vectors hold.
template <class T>
struct array_leaf {
  using type = without_optional_t<T>;
};
template <class T>
requires(dimensions_of<T> > 0) struct array_leaf<T> : array_leaf<typename T::value_type> {
};

/// "integer[]", also for more dimensions: the server does not tell them apart.
template <class Leaf>
inline constexpr auto array_type_name = [] {
  constexpr std::string_view element = codec<Leaf>::sql_type;
  std::array<char, element.size() + 2> name{};
  for (std::size_t i = 0; i < element.size(); ++i) name[i] = element[i];
  name[element.size()] = '[';
  name[element.size() + 1] = ']';
  return name;
}();

template <std::size_t N>
[[nodiscard]] constexpr bool have_arrays(const std::array<std::uint32_t, N>& elements) noexcept {
  for (const std::uint32_t type : elements) {
    if (array_type_of(type) == oid::unknown) return false;
  }
  return true;
}

/// The array types of what the element reads; any, if one of them has none that is known.
template <class Leaf>
[[nodiscard]] consteval auto array_reads() {
  if constexpr (have_arrays(codec<Leaf>::reads)) {
    auto arrays = codec<Leaf>::reads;
    for (std::uint32_t& type : arrays) type = array_type_of(type);
    return arrays;
  } else {
    return any_type{};
  }
}

/// Puts an array's text together: {1,NULL,"a \"b\""}. Elements are quoted where array_out of the server quotes them.
class array_writer {
 public:
  void open();
  void close();
  /// Appends the first value of `element`, and forgets what `element` holds.
  void add(parameters& element);
  void finish(parameters& out, std::uint32_t type);

 private:
  void separate();

  std::string text_;
  const char* refused_ = nullptr;
  bool first_ = true;
};

/// Takes an array's text apart. Each function moves on only over what it answers true for.
class array_reader {
 public:
  /// Skips the bounds of "[2:4]={...}".
  explicit array_reader(std::string_view text) noexcept;

  [[nodiscard]] bool open() noexcept { return take('{'); }
  [[nodiscard]] bool close() noexcept { return take('}'); }
  [[nodiscard]] bool comma() noexcept { return take(','); }
  [[nodiscard]] bool element(text_part& out);
  [[nodiscard]] bool at_end() noexcept;

 private:
  bool take(char wanted) noexcept;
  void skip_spaces() noexcept;
  [[nodiscard]] bool quoted(text_part& out);

  std::string_view rest_;
  std::string unescaped_;
};

template <class T>
void write_array(array_writer& to, parameters& element, const std::vector<T>& values) {
  to.open();
  for (auto&& each : values) {
    const T& value = each;  // of std::vector<bool> it is a proxy
    if constexpr (dimensions_of < T >> 0) {
      write_array(to, element, value);
    } else {
      bind(element, value);
      to.add(element);
    }
  }
  to.close();
}

template <class T>
[[nodiscard]] bool read_array(array_reader& from, std::vector<T>& values) {
  values.clear();
  if (!from.open()) return false;
  if (from.close()) return true;
  do {
    T value{};
    if constexpr (dimensions_of < T >> 0) {
      if (!read_array(from, value)) return false;
    } else {
      text_part part;
      if (!from.element(part)) return false;
      if constexpr (is_optional<T>) {
        if (!part.null && !codec<typename T::value_type>::decode(part.text, value.emplace())) return false;
      } else {
        if (part.null || !codec<T>::decode(part.text, value)) return false;
      }
    }
    values.push_back(std::move(value));
  } while (from.comma());
  return from.close();
}

/// The length of the first vector of each level; true unless one below the outermost is empty.
template <class T>
[[nodiscard]] bool shape_of(const std::vector<T>& values, std::size_t* lengths) noexcept {
  *lengths = values.size();
  if constexpr (dimensions_of < T >> 0) {
    return values.empty() || (!values.front().empty() && shape_of(values.front(), lengths + 1));
  } else {
    return true;
  }
}

template <class T>
[[nodiscard]] bool has_shape(const std::vector<T>& values, const std::size_t* lengths) noexcept {
  if (values.size() != *lengths) return false;
  if constexpr (dimensions_of < T >> 0) {
    for (const T& each : values) {
      if (!has_shape(each, lengths + 1)) return false;
    }
  }
  return true;
}

/// PostgreSQL's arrays are rectangular, and there are no empty ones within others.
template <class T>
[[nodiscard]] bool is_rectangular(const std::vector<T>& values) noexcept {
  if constexpr (dimensions_of < T >> 0) {
    std::array<std::size_t, 1 + dimensions_of<T>> lengths{};
    return shape_of(values, lengths.data()) && has_shape(values, lengths.data());
  } else {
    return true;
  }
}

}  // namespace detail

/// An array. `decode` refuses NULL where the element is no optional, and a number of dimensions other than the type's.
template <class T>
requires detail::is_array_element<T>
struct codec<std::vector<T>> {
 private:
  using leaf = typename detail::array_leaf<T>::type;

 public:
  static constexpr std::size_t dimensions = 1 + detail::dimensions_of<T>;
  static_assert(dimensions <= 6, "breakwater: PostgreSQL's arrays have at most six dimensions");
  static constexpr std::string_view sql_type{detail::array_type_name<leaf>.data(),
                                             detail::array_type_name<leaf>.size()};
  static constexpr std::uint32_t type = detail::array_type_of(codec<leaf>::type);
  static constexpr auto reads = detail::array_reads<leaf>();
  static constexpr bool has_named_type = breakwater::has_named_type<leaf>;

  static void encode(const std::vector<T>& value, parameters& out) {
    if (!detail::is_rectangular(value)) {
      out.refuse("is an array whose inner arrays differ in length or are empty, which PostgreSQL does not have");
      return;
    }
    detail::array_writer text;
    parameters element;
    detail::write_array(text, element, value);
    text.finish(out, type);
  }
  static bool decode(std::string_view text, std::vector<T>& out) {
    detail::array_reader in(text);
    return detail::read_array(in, out) && in.at_end() && detail::is_rectangular(out);
  }
};

}  // namespace breakwater
