#include "config_fields.hpp"
#include "nearest.hpp"
#include <breakwater/core/config.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <set>
#include <utility>

namespace breakwater {
namespace {

using nlohmann::json;

/// A configuration has some hundred bytes; this is a wrong path.
constexpr std::size_t max_file_size = 1024 * 1024;

result<std::string> read_file(const std::string& path) {
  const auto can_not_read = [&](const std::string& why) {
    return error(errc::invalid_argument, "the configuration file " + path + " can not be read: " + why);
  };
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return can_not_read(std::generic_category().message(errno));
  std::string text(max_file_size + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return can_not_read(std::generic_category().message(errno));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > max_file_size) return can_not_read("it is larger than 1 MiB");
  return text;
}

/// "line 3, column 7" of the byte at which the parser stopped.
std::string position_of(std::size_t byte, std::string_view text) {
  const std::string_view before = text.substr(0, std::min(byte == 0 ? 0 : byte - 1, text.size()));
  const auto lines = std::ranges::count(before, '\n');
  const auto line_start = before.rfind('\n');  // npos + 1 is 0
  return "line " + std::to_string(lines + 1) + ", column " + std::to_string(before.size() - (line_start + 1) + 1);
}

/// Parses, and collects keys that stand twice in one object: of such a pair JSON keeps the last in
/// silence.
result<json> parse_json(const std::string& path, const std::string& text, std::vector<std::string>& problems) {
  std::vector<std::set<std::string>> open_objects;
  const auto watch = [&](int, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) open_objects.emplace_back();
    if (event == json::parse_event_t::object_end) open_objects.pop_back();
    if (event == json::parse_event_t::key && !open_objects.back().insert(parsed.get<std::string>()).second) {
      problems.push_back("the key " + detail::quote_harmless(parsed.get<std::string>()) + " is given twice");
    }
    return true;
  };
  // The parser's messages quote the file, which holds passwords: only the position is passed on.
  const auto refuse = [&](const std::string& where) {
    return error(errc::invalid_argument, "the configuration file " + path + " is not valid JSON" + where);
  };
  try {
    return json::parse(text, watch, true, /*ignore_comments=*/true);
  } catch (const json::parse_error& failure) {
    return refuse(" at " + position_of(failure.byte, text));
  } catch (const json::exception&) {
    return refuse(": a number is out of range");
  }
}

bool has_expected_type(const detail::field& row, const json& value) {
  using namespace detail;
  struct {
    const json& value;
    bool operator()(const plain_field<std::vector<std::string>>&) const {
      return value.is_array() && std::ranges::all_of(value, [](const json& node) { return node.is_string(); });
    }
    bool operator()(const automatic_field&) const { return value.is_number_integer() || value == "automatic"; }
    bool operator()(const text_field&) const { return value.is_string(); }
    bool operator()(const plain_field<bool>&) const { return value.is_boolean(); }
    bool operator()(const plain_field<consistency>&) const { return value.is_string(); }
    bool operator()(const plain_field<pooler>&) const { return value.is_string(); }
    bool operator()(const plain_field<jitter>&) const { return value.is_string(); }
    bool operator()(const plain_field<limit_algorithm>&) const { return value.is_string(); }
    bool operator()(const bounded_field<std::size_t>&) const { return value.is_number_integer(); }
    bool operator()(const bounded_field<double>&) const { return value.is_number(); }
    bool operator()(const bounded_field<milliseconds>&) const { return value.is_string() || value.is_number_integer(); }
    bool operator()(const bounded_field<seconds>&) const { return value.is_string() || value.is_number_integer(); }
  } const check{value};
  return std::visit(check, row.kind);
}

/// A file's value in errors.
std::string shown(const json& value) {
  if (value.is_string()) return detail::quote_harmless(value.get_ref<const std::string&>());
  if (value.is_structured() || value.is_null()) {
    return value.is_null() ? "null" : value.is_array() ? "an array" : "an object";
  }
  return value.dump();
}

/// Walks over the file's objects beside the table of fields.
class file_reader {
 public:
  file_reader(config& settings, std::vector<std::string>& problems) : settings_(settings), problems_(problems) {}

  void read_object(const json& object, const std::string& group) {
    for (const auto& [key, value] : object.items()) {
      const std::string name = group + key;
      const auto table = detail::config_table();
      const auto row = std::ranges::find(table, name, &detail::field::name);
      if (key.find('.') != std::string::npos) {
        problems_.push_back("the key " + detail::quote_harmless(key) +
                            " has a dot; a nested setting is written as an object in an object");
      } else if (row != table.end()) {
        read_field(*row, value);
      } else if (!is_group(name)) {
        refuse_unknown(name);
      } else if (value.is_object()) {
        read_object(value, name + ".");
      } else {
        problems_.push_back("`" + name + "` is " + shown(value) + "; it must be an object");
      }
    }
  }

 private:
  static bool is_group(const std::string& name) {
    return std::ranges::any_of(detail::config_table(),
                               [&](const detail::field& row) { return row.name.starts_with(name + "."); });
  }

  void read_field(const detail::field& row, const json& value) {
    bool assigned = has_expected_type(row, value);
    if (assigned && value.is_array()) {
      std::get<detail::plain_field<std::vector<std::string>>>(row.kind).at(settings_) =
          value.get<std::vector<std::string>>();
    } else if (assigned) {
      assigned = detail::assign_text(row, settings_, value.is_string() ? value.get<std::string>() : value.dump());
    }
    if (assigned) {
      detail::check_value(row, settings_, row.name, problems_);
    } else {
      // Text in the place of connection strings may well be one.
      const bool secret = std::holds_alternative<detail::plain_field<std::vector<std::string>>>(row.kind);
      problems_.push_back("`" + std::string(row.name) + "` is " + (secret ? "something else" : shown(value)) +
                          "; it must be " + detail::expected_of(row));
    }
  }

  void refuse_unknown(const std::string& name) {
    std::vector<std::string_view> known;
    for (const detail::field& row : detail::config_table()) {
      known.push_back(row.name);
      if (const auto dot = row.name.find('.'); dot != std::string_view::npos) known.push_back(row.name.substr(0, dot));
    }
    std::string problem = "the key " + detail::quote_harmless(name) + " is not a setting";
    if (const auto near = detail::nearest(name, known); !near.empty()) {
      problem.append("; did you mean `").append(near).append("`?");
    }
    problems_.push_back(std::move(problem));
  }

  config& settings_;
  std::vector<std::string>& problems_;
};

}  // namespace

result<config> config::from_file(const std::string& path) {
  BOOST_OUTCOME_TRY(const std::string text, read_file(path));
  std::vector<std::string> problems;
  BOOST_OUTCOME_TRY(const json root, parse_json(path, text, problems));
  config settings;
  if (root.is_object()) {
    file_reader(settings, problems).read_object(root, "");
  } else {
    problems.emplace_back("it must hold one JSON object");
  }
  if (!problems.empty()) return detail::to_error("the configuration file " + path, problems);
  return settings;
}

}  // namespace breakwater
