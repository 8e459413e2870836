#include "config_fields.hpp"

#include "dsn_check.hpp"
#include <breakwater/core/dsn.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>

namespace breakwater::detail {
namespace {

using namespace std::chrono_literals;

/// Reaches a member of `config`, or a member of one of its nested options.
template <auto Member>
auto& at(config& settings) noexcept {
  return settings.*Member;
}
template <auto Group, auto Member>
auto& at(config& settings) noexcept {
  return settings.*Group.*Member;
}

template <auto... Path>
using type_at = std::remove_reference_t<decltype(at<Path...>(std::declval<config&>()))>;

template <auto... Path>
constexpr field plain(std::string_view name) {
  return {name, plain_field<type_at<Path...>>{&at<Path...>}};
}
template <auto... Path>
constexpr field within(std::string_view name, type_at<Path...> least, type_at<Path...> most) {
  return {name, bounded_field<type_at<Path...>>{&at<Path...>, least, most}};
}

template <auto... Path>
constexpr field text(std::string_view name, std::size_t most) {
  return {name, text_field{&at<Path...>, most}};
}

constexpr milliseconds day = 24h;
/// pg_stat_activity cuts names at NAMEDATALEN - 1 and turns what is not ASCII into question marks.
constexpr std::size_t longest_name = 63;
/// Of what may be a path.
constexpr std::size_t longest_path = 4096;
/// More nodes than anybody has.
constexpr std::size_t longest_list = 4096;

// Ranges are wide: they refuse what can only be a slip, not what is merely unusual.
constexpr std::array table{
    plain<&config::nodes>("nodes"),
    text<&config::application_name>("application_name", longest_name),
    plain<&config::consistency>("consistency"),
    plain<&config::pooler>("pooler"),
    plain<&config::pooler_prepares>("pooler_prepares"),
    within<&config::connect_timeout>("connect_timeout", 10ms, 10min),
    within<&config::operation_timeout>("operation_timeout", 1ms, day),
    within<&config::idle_in_transaction_session_timeout>("idle_in_transaction_session_timeout", 0ms, day),
    within<&config::shutdown_grace>("shutdown_grace", 0ms, 1h),
    field{"pool.size", automatic_field{&at<&config::pool, &pool_options::size>, 1, 10'000}},
    within<&config::pool, &pool_options::instances>("pool.instances", 0, 100'000),
    within<&config::pool, &pool_options::min_idle>("pool.min_idle", 0, 10'000),
    within<&config::pool, &pool_options::max_waiters>("pool.max_waiters", 1, 1'000'000),
    within<&config::pool, &pool_options::max_lifetime>("pool.max_lifetime", 100ms, 7 * day),
    within<&config::pool, &pool_options::lifetime_jitter>("pool.lifetime_jitter", 0.0, 0.9),
    within<&config::pool, &pool_options::idle_timeout>("pool.idle_timeout", 100ms, 7 * day),
    within<&config::pool, &pool_options::validate_after_idle>("pool.validate_after_idle", 0ms, 1h),
    within<&config::pool, &pool_options::leak_warning_after>("pool.leak_warning_after", 0ms, day),
    plain<&config::statement_cache, &statement_cache_options::enabled>("statement_cache.enabled"),
    within<&config::statement_cache, &statement_cache_options::size>("statement_cache.size", 1, 65'536),
    // The kernel's own limits (MAX_TCP_KEEPIDLE and its neighbours in Linux).
    within<&config::tcp, &tcp_options::keepalives_idle>("tcp.keepalives_idle", 1s, 32'767s),
    within<&config::tcp, &tcp_options::keepalives_interval>("tcp.keepalives_interval", 1s, 32'767s),
    within<&config::tcp, &tcp_options::keepalives_count>("tcp.keepalives_count", 1, 127),
    within<&config::tcp, &tcp_options::user_timeout>("tcp.user_timeout", 0ms, day),
    within<&config::tcp, &tcp_options::client_connection_check_interval>("tcp.client_connection_check_interval", 0ms,
                                                                         1h),
    within<&config::retry, &retry_options::max_attempts>("retry.max_attempts", 1, 100),
    within<&config::retry, &retry_options::base>("retry.base", 1ms, 1min),
    within<&config::retry, &retry_options::cap>("retry.cap", 1ms, 10min),
    plain<&config::retry, &retry_options::jitter>("retry.jitter"),
    within<&config::retry_budget, &retry_budget_options::ratio>("retry_budget.ratio", 0.0, 10.0),
    within<&config::retry_budget, &retry_budget_options::per_second>("retry_budget.per_second", 0, 100'000),
    within<&config::retry_budget, &retry_budget_options::window>("retry_budget.window", 1s, 10min),
    plain<&config::breaker, &circuit_breaker_options::enabled>("breaker.enabled"),
    within<&config::breaker, &circuit_breaker_options::window>("breaker.window", 1s, 1h),
    within<&config::breaker, &circuit_breaker_options::min_calls>("breaker.min_calls", 1, 1'000'000),
    within<&config::breaker, &circuit_breaker_options::failure_ratio>("breaker.failure_ratio", 0.01, 1.0),
    within<&config::breaker, &circuit_breaker_options::slow_ratio>("breaker.slow_ratio", 0.01, 1.0),
    within<&config::breaker, &circuit_breaker_options::slow_threshold>("breaker.slow_threshold", 0ms, 1h),
    within<&config::breaker, &circuit_breaker_options::open_for>("breaker.open_for", 10ms, 1h),
    within<&config::breaker, &circuit_breaker_options::open_jitter>("breaker.open_jitter", 0.0, 0.9),
    within<&config::breaker, &circuit_breaker_options::silence>("breaker.silence", 0ms, 1h),
    plain<&config::limiter, &limiter_options::algorithm>("limiter.algorithm"),
    within<&config::limiter, &limiter_options::min>("limiter.min", 1, 100'000),
    within<&config::limiter, &limiter_options::max>("limiter.max", 1, 100'000),
    plain<&config::hedge, &hedge_options::enabled>("hedge.enabled"),
    within<&config::hedge, &hedge_options::quantile>("hedge.quantile", 0.5, 0.999),
    within<&config::hedge, &hedge_options::max_extra>("hedge.max_extra", 0.0, 1.0),
    plain<&config::outcome_guard, &outcome_guard_options::enabled>("outcome_guard.enabled"),
    plain<&config::outcome_guard, &outcome_guard_options::create_table>("outcome_guard.create_table"),
    within<&config::outcome_guard, &outcome_guard_options::retention>("outcome_guard.retention", 2h, 365 * day),
    within<&config::outcome_guard, &outcome_guard_options::sweep_interval>("outcome_guard.sweep_interval", 0ms, day),
    within<&config::monitor, &monitor_options::interval>("monitor.interval", 50ms, 1min),
    within<&config::monitor, &monitor_options::unsure_interval>("monitor.unsure_interval", 10ms, 1min),
    within<&config::monitor, &monitor_options::probe_timeout>("monitor.probe_timeout", 10ms, 1min),
    within<&config::monitor, &monitor_options::reconnect_after>("monitor.reconnect_after", 1s, day),
    plain<&config::ejection, &ejection_options::enabled>("ejection.enabled"),
    within<&config::ejection, &ejection_options::consecutive_failures>("ejection.consecutive_failures", 1, 1000),
    within<&config::ejection, &ejection_options::base>("ejection.base", 100ms, 1h),
    within<&config::ejection, &ejection_options::cap>("ejection.cap", 100ms, day),
    within<&config::ejection, &ejection_options::deviations>("ejection.deviations", 0.5, 10.0),
    within<&config::routing, &routing_options::slow_start>("routing.slow_start", 0ms, 1h),
    within<&config::routing, &routing_options::latency_decay>("routing.latency_decay", 100ms, 10min),
    within<&config::routing, &routing_options::replica_wait>("routing.replica_wait", 0ms, 1min),
    text<&config::routing, &routing_options::zone>("routing.zone", longest_name),
    text<&config::routing, &routing_options::node_zones>("routing.node_zones", longest_list),
    text<&config::secrets, &secret_options::from>("secrets.from", longest_path),
    within<&config::secrets, &secret_options::refresh_interval>("secrets.refresh_interval", 0ms, day),
    within<&config::secrets, &secret_options::drain>("secrets.drain", 0ms, day),
    within<&config::tenancy, &tenancy_options::max_databases>("tenancy.max_databases", 1, 10'000),
};

template <class... Functions>
struct overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
overloaded(Functions...) -> overloaded<Functions...>;

/// Reads through the table's mutable accessor.
template <class Kind>
const auto& read(const Kind& kind, const config& settings) noexcept {
  return kind.at(const_cast<config&>(settings));
}

/// What a type is called, printed and read as. One overload set per type of field.
template <class T>
struct text_of;

template <>
struct text_of<std::vector<std::string>> {
  static constexpr std::string_view type = "a list of connection strings";
  static constexpr std::string_view allowed = "at least one";
  static std::string print(const std::vector<std::string>& nodes) {
    std::string out;
    for (const std::string& node : nodes) {
      const auto parsed = dsn::parse(node);
      if (!out.empty()) out += "; ";
      out += parsed ? parsed.value().masked() : "(not a valid connection string)";
    }
    return out;
  }
  static std::optional<std::vector<std::string>> parse(std::string_view text) { return split_nodes(text); }
};

template <>
struct text_of<std::string> {
  static constexpr std::string_view type = "text";
  static std::string print(const std::string& value) { return value; }
  static std::optional<std::string> parse(std::string_view text) { return std::string(text); }
};

template <>
struct text_of<bool> {
  static constexpr std::string_view type = "true or false";
  static constexpr std::string_view allowed{};
  static std::string print(bool value) { return value ? "true" : "false"; }
  static std::optional<bool> parse(std::string_view text) noexcept {
    if (text == "true" || text == "on" || text == "yes" || text == "1") return true;
    if (text == "false" || text == "off" || text == "no" || text == "0") return false;
    return std::nullopt;
  }
};

/// Of an enumeration whose values have names.
template <class Enum, Enum... Values>
struct text_of_names {
  static constexpr std::string_view type = "a name";
  static std::string print(Enum value) { return std::string(to_string(value)); }
  static std::optional<Enum> parse(std::string_view text) noexcept {
    for (const Enum value : {Values...}) {
      if (to_string(value) == text) return value;
    }
    return std::nullopt;
  }
};
template <>
struct text_of<pooler> : text_of_names<pooler, pooler::automatic, pooler::none, pooler::session, pooler::transaction> {
  static constexpr std::string_view allowed = "automatic, none, session or transaction";
};
template <>
struct text_of<jitter> : text_of_names<jitter, jitter::full, jitter::decorrelated> {
  static constexpr std::string_view allowed = "full or decorrelated";
};
template <>
struct text_of<limit_algorithm>
    : text_of_names<limit_algorithm, limit_algorithm::none, limit_algorithm::gradient2, limit_algorithm::aimd> {
  static constexpr std::string_view allowed = "none, gradient2 or aimd";
};

template <>
struct text_of<consistency> {
  static constexpr std::string_view type = "a name";
  static constexpr std::string_view allowed =
      "primary, read_your_writes, eventual or bounded(5s), with a lag of 1ms..1d";
  static std::string print(consistency value) {
    if (value.kind() != consistency_kind::bounded) return std::string(to_string(value));
    return "bounded(" + print_duration(value.lag()) + ")";
  }
  static std::optional<consistency> parse(std::string_view text) noexcept {
    for (const consistency value : {consistency::primary, consistency::read_your_writes, consistency::eventual}) {
      if (to_string(value) == text) return value;
    }
    constexpr std::string_view opening = "bounded(";
    if (!text.starts_with(opening) || !text.ends_with(')')) return std::nullopt;
    text.remove_prefix(opening.size());
    text.remove_suffix(1);
    const auto lag = parse_duration(text);
    if (!lag) return std::nullopt;
    return consistency::bounded(*lag);
  }
};

template <class Number>
struct text_of_number {
  static std::string print(Number value) {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    return {digits.data(), end};
  }
  static std::optional<Number> parse(std::string_view text) noexcept {
    Number value{};
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
  }
};
template <>
struct text_of<std::size_t> : text_of_number<std::size_t> {
  static constexpr std::string_view type = "a whole number";
};
template <>
struct text_of<double> : text_of_number<double> {
  static constexpr std::string_view type = "a number";
};

template <>
struct text_of<std::optional<std::size_t>> {
  static constexpr std::string_view type = "a whole number";
  static std::string print(const std::optional<std::size_t>& value) {
    return value ? text_of<std::size_t>::print(*value) : std::string(automatic);
  }
  static std::optional<std::optional<std::size_t>> parse(std::string_view text) noexcept {
    if (text == automatic) return std::optional<std::size_t>();
    const auto number = text_of<std::size_t>::parse(text);
    if (!number) return std::nullopt;
    return number;
  }

 private:
  static constexpr std::string_view automatic = "automatic";
};

template <>
struct text_of<milliseconds> {
  static constexpr std::string_view type = "a duration such as 250ms, 5s or 10min";
  static std::string print(milliseconds value) { return print_duration(value); }
  static std::optional<milliseconds> parse(std::string_view text) noexcept { return parse_duration(text); }
};

template <>
struct text_of<seconds> {
  static constexpr std::string_view type = "a duration of whole seconds such as 5s";
  static std::string print(seconds value) {
    constexpr seconds printable = std::chrono::duration_cast<seconds>(milliseconds::max());
    return print_duration(std::clamp(value, -printable, printable));
  }
  static std::optional<seconds> parse(std::string_view text) noexcept {
    const auto value = parse_duration(text);
    if (!value || *value % 1s != 0ms) return std::nullopt;
    return std::chrono::duration_cast<seconds>(*value);
  }
};

/// Calls `function` with the field's kind and the text_of its type.
template <class Function>
auto visit(const field& row, Function function) {
  return std::visit(
      overloaded{[&]<class T>(const plain_field<T>& kind) { return function(kind, text_of<T>{}); },
                 [&](const automatic_field& kind) { return function(kind, text_of<std::optional<std::size_t>>{}); },
                 [&](const text_field& kind) { return function(kind, text_of<std::string>{}); },
                 [&]<class T>(const bounded_field<T>& kind) { return function(kind, text_of<T>{}); }},
      row.kind);
}

std::string name_of(std::string_view shown) { return "`" + std::string(shown) + "`"; }

void check_nodes(const std::vector<std::string>& nodes, std::string_view shown, std::vector<std::string>& problems) {
  std::vector<dsn_setting> settings;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (const auto problem = read_dsn(nodes[i], settings)) {
      problems.push_back(name_of(std::string(shown) + "[" + std::to_string(i) + "]") + ": " + *problem);
    }
  }
}

}  // namespace

std::span<const field> config_table() noexcept { return table; }

std::string type_of(const field& row) {
  return visit(row, [](const auto&, auto text) { return std::string(text.type); });
}

std::string allowed_of(const field& row) {
  return visit(row, []<class Kind>(const Kind& kind, auto text) {
    if constexpr (std::same_as<Kind, automatic_field>) {
      return text_of<std::size_t>::print(kind.least) + ".." + text_of<std::size_t>::print(kind.most) + " or automatic";
    } else if constexpr (requires { kind.least; }) {
      return text.print(kind.least) + ".." + text.print(kind.most);
    } else if constexpr (requires { kind.most; }) {
      return "at most " + std::to_string(kind.most) + " bytes of printable ASCII";
    } else {
      return std::string(text.allowed);
    }
  });
}

std::string expected_of(const field& row) {
  const std::string allowed = allowed_of(row);
  return allowed.empty() ? type_of(row) : type_of(row) + " (" + allowed + ")";
}

std::string print_value(const field& row, const config& settings) {
  return visit(row, [&](const auto& kind, auto text) { return text.print(read(kind, settings)); });
}

bool assign_text(const field& row, config& settings, std::string_view text) {
  return visit(row, [&](const auto& kind, auto reader) {
    auto value = reader.parse(text);
    if (value) kind.at(settings) = std::move(*value);
    return value.has_value();
  });
}

void check_value(const field& row, const config& settings, std::string_view shown, std::vector<std::string>& problems) {
  const auto refuse = [&](std::string_view value) {
    problems.push_back(name_of(shown) + " is " + std::string(value) + "; it must be " + expected_of(row));
  };
  const auto check = overloaded{
      [&](const plain_field<std::vector<std::string>>& kind) { check_nodes(read(kind, settings), shown, problems); },
      [&](const text_field& kind) {
        const std::string& value = read(kind, settings);
        const bool printable = std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~'; });
        if (value.size() > kind.most || !printable) refuse("text of " + std::to_string(value.size()) + " bytes");
      },
      [](const plain_field<bool>&) {},
      [&](const automatic_field& kind) {
        const auto& value = read(kind, settings);
        if (value && !(*value >= kind.least && *value <= kind.most)) refuse(print_value(row, settings));
      },
      [&](const plain_field<consistency>& kind) {
        const consistency value = read(kind, settings);
        const bool in_range = value.lag() >= shortest_bounded_lag && value.lag() <= longest_bounded_lag;
        if (value.kind() == consistency_kind::bounded && !in_range) refuse(print_value(row, settings));
      },
      [&]<class Enum>(const plain_field<Enum>& kind) {
        const auto value = read(kind, settings);
        if (!text_of<Enum>::parse(to_string(value))) refuse("a value outside the enumeration");
      },
      [&]<class T>(const bounded_field<T>& kind) {
        const T value = read(kind, settings);
        // Written so that a NaN is refused too.
        if (!(value >= kind.least && value <= kind.most)) refuse(print_value(row, settings));
      }};
  std::visit(check, row.kind);
}

}  // namespace breakwater::detail
