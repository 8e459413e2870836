#include "core/program_output.hpp"
#include <breakwater/core/secret_provider.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <optional>
#include <utility>

namespace breakwater::secrets {
namespace {

constexpr std::size_t most_bytes = 64 * 1024;

/// From a JSON object. Its text is never repeated in an error: all of it may be secret.
result<credentials> read_object(std::string_view text) {
  const auto parsed = nlohmann::json::parse(text, nullptr, false);
  if (parsed.is_discarded() || !parsed.is_object()) {
    return error(errc::invalid_argument, "it begins like a JSON object and is none");
  }
  const auto text_of = [&](const char* name) -> std::optional<std::string> {
    const auto at = parsed.find(name);
    if (at == parsed.end() || !at->is_string()) return std::nullopt;
    return at->get<std::string>();
  };
  auto password = text_of("password");
  if (!password) return error(errc::invalid_argument, "the JSON object has no text `password`");
  credentials found{.password = std::move(*password)};
  if (auto user = text_of("user")) {
    found.user = std::move(*user);
  } else if (auto username = text_of("username")) {
    found.user = std::move(*username);
  }
  if (const auto at = parsed.find("valid_for"); at != parsed.end()) {
    if (!at->is_number_unsigned()) {
      return error(errc::invalid_argument, "`valid_for` in the JSON object is not a number of seconds");
    }
    constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
    found.valid_for = std::chrono::seconds(std::min(at->get<std::uint64_t>(), most));
  }
  return found;
}

result<credentials> read_text(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{') return read_object(text);
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  if (line.empty()) return error(errc::invalid_argument, "its first line is empty");
  if (line.find('\0') != std::string_view::npos) return error(errc::invalid_argument, "it holds a zero byte");
  return credentials{.password = std::string(line)};
}

class environment_provider final : public secret_provider {
 public:
  environment_provider(std::string password, std::string user)
      : password_(std::move(password)), user_(std::move(user)) {}
  result<credentials> fetch(deadline /*until*/) override {
    credentials found;
    BOOST_OUTCOME_TRY(found.password, value_of(password_));
    if (!user_.empty()) {
      BOOST_OUTCOME_TRY(found.user, value_of(user_));
    }
    return found;
  }
  std::string describe() const override { return "environment variable " + password_; }

 private:
  static result<std::string> value_of(const std::string& name) {
    const char* const value = std::getenv(name.c_str());
    if (value != nullptr && *value != '\0') return std::string(value);
    return error(errc::invalid_argument, "the environment variable " + name + " is not set, or empty");
  }
  const std::string password_;
  const std::string user_;
};

class file_provider final : public secret_provider {
 public:
  explicit file_provider(std::string path) : path_(std::move(path)) {}
  result<credentials> fetch(deadline /*until*/) override {
    std::ifstream file(path_, std::ios::binary);
    if (!file) return error(errc::invalid_argument, "the file " + path_ + " can not be opened");
    std::string text(most_bytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) return error(errc::invalid_argument, "the file " + path_ + " can not be read");
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > most_bytes) return error(errc::invalid_argument, "the file " + path_ + " is too large");
    auto found = read_text(text);
    if (!found) return error(errc::invalid_argument, "the file " + path_ + ": " + found.error().text());
    return found;
  }
  std::string describe() const override { return "file " + path_; }

 private:
  const std::string path_;
};

class command_provider final : public secret_provider {
 public:
  explicit command_provider(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {}
  result<credentials> fetch(deadline until) override {
    BOOST_OUTCOME_TRY(const std::string printed, program_output(arguments_, most_bytes, until));
    auto found = read_text(printed);
    if (!found) {
      return error(errc::invalid_argument,
                   "what the program " + arguments_.front() + " printed: " + found.error().text());
    }
    return found;
  }
  std::string describe() const override {
    return "command " + (arguments_.empty() ? std::string("(none)") : arguments_.front());
  }

 private:
  const std::vector<std::string> arguments_;
};

class function_provider final : public secret_provider {
 public:
  function_provider(std::function<result<credentials>(deadline)> fetch, std::string name)
      : fetch_(std::move(fetch)), name_(std::move(name)) {}
  result<credentials> fetch(deadline until) override {
    if (!fetch_) return error(errc::invalid_argument, "the function is empty");
    try {
      return fetch_(until);
    } catch (...) {
      return error(errc::invalid_argument, "the function threw an exception");
    }
  }
  std::string describe() const override { return name_; }

 private:
  const std::function<result<credentials>(deadline)> fetch_;
  const std::string name_;
};

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (true) {
    const auto first = text.find_first_not_of(' ');
    if (first == std::string_view::npos) return words;
    text.remove_prefix(first);
    const auto length = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, length));
    text.remove_prefix(length);
  }
}

}  // namespace

std::shared_ptr<secret_provider> from_environment(std::string password_variable, std::string user_variable) {
  return std::make_shared<environment_provider>(std::move(password_variable), std::move(user_variable));
}

std::shared_ptr<secret_provider> from_file(std::string path) {
  return std::make_shared<file_provider>(std::move(path));
}

std::shared_ptr<secret_provider> from_command(std::vector<std::string> arguments) {
  return std::make_shared<command_provider>(std::move(arguments));
}

std::shared_ptr<secret_provider> from_function(std::function<result<credentials>(deadline)> fetch, std::string name) {
  return std::make_shared<function_provider>(std::move(fetch), std::move(name));
}

result<std::shared_ptr<secret_provider>> from_text(std::string_view text) {
  const auto colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  const std::string_view rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  if (!rest.empty() && kind == "environment") return from_environment(std::string(rest));
  if (!rest.empty() && kind == "file") return from_file(std::string(rest));
  if (auto words = words_of(rest); kind == "command" && !words.empty()) return from_command(std::move(words));
  return error(errc::invalid_argument,
               R"(a source of secrets is "environment:NAME", "file:/path" or "command:/path/to/program")");
}

}  // namespace breakwater::secrets
