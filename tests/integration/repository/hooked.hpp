#pragma once

#include "support.hpp"

#include <string>
#include <vector>

/// An entity with every hook, for the tests of hooks, validation and the auditor.
namespace tests {

struct customer {
  std::int64_t id{};
  std::string name{};
  std::string secret{};
  std::int32_t version{};
  std::optional<bw::timestamptz> deleted_at{};
  std::string shown{};  // not mapped: filled by after_load
};

/// What hooks did, in order; and an error for the one that shall fail.
struct hook_script {
  std::vector<std::string> calls{};
  std::string fails{};
  std::string throws{};

  [[nodiscard]] bw::result<void> call(std::string_view name) {
    calls.emplace_back(name);
    if (name == throws) throw std::runtime_error("from a hook");
    if (name == fails) return bw::error(errc::check_violation, "the hook said no");
    return bw::success();
  }
};
inline hook_script script;

/// Creates `customers` and `news`, where hooks write.
inline void create_hooked_tables(const bw::session& session) {
  for (const char* sql : {"drop table if exists customers, news",
                          "create table customers (id bigint generated always as identity primary key,"
                          " name text not null unique, secret text not null, version int not null,"
                          " deleted_at timestamptz)",
                          "create table news (at bigint generated always as identity, text text not null)"}) {
    ASSERT_OK(session.execute(sql));
  }
  script = {};
}

}  // namespace tests

template <>
inline constexpr auto breakwater::mapping<tests::customer> =
    bw::table("customers", bw::column<&tests::customer::id>("id", bw::primary_key, bw::generated),
              bw::column<&tests::customer::name>("name"), bw::column<&tests::customer::secret>("secret", bw::sensitive),
              bw::column<&tests::customer::version>("version", bw::version),
              bw::column<&tests::customer::deleted_at>("deleted_at", bw::soft_delete));

template <>
struct breakwater::hooks<tests::customer> {
  using customer = tests::customer;

  static void validate(const customer& given, bw::validation& check) {
    check.that<&customer::name>(!given.name.empty(), "must not be empty");
    check.that(given.secret.size() < 20, "secret", "is too long");
  }
  static bw::result<void> before_insert(bw::hook_context& context, customer& given) {
    given.secret += "+";
    return note(context, "before_insert", given.name);
  }
  static bw::result<void> after_insert(bw::hook_context& context, const customer& stored) {
    return note(context, "after_insert", stored.name + " " + std::to_string(stored.id > 0 ? 1 : 0));
  }
  static bw::result<void> before_update(bw::hook_context& context, customer& given) {
    return note(context, "before_update", given.name);
  }
  static bw::result<void> before_patch(bw::hook_context& context, std::int64_t key) {
    return note(context, "before_patch", std::to_string(key > 0 ? 1 : 0));
  }
  static bw::result<void> after_update(bw::hook_context& context, const customer& stored) {
    return note(context, "after_update", std::to_string(stored.version));
  }
  static bw::result<void> before_remove(bw::hook_context& context, const std::int64_t& /*key*/) {
    return note(context, "before_remove", "");
  }
  static bw::result<void> after_remove(bw::hook_context& context, std::int64_t /*key*/) {
    return note(context, "after_remove", "");
  }
  static bw::result<void> before_restore(bw::hook_context& context, std::int64_t /*key*/) {
    return note(context, "before_restore", "");
  }
  static bw::result<void> after_restore(bw::hook_context& context, std::int64_t /*key*/) {
    return note(context, "after_restore", "");
  }
  static bw::result<void> before_purge(bw::hook_context& context, std::int64_t /*key*/) {
    return note(context, "before_purge", "");
  }
  static bw::result<void> after_purge(bw::hook_context& context, std::int64_t /*key*/) {
    return note(context, "after_purge", "");
  }
  static void after_load(customer& read) { read.shown = "<" + read.name + ">"; }

 private:
  static bw::result<void> note(bw::hook_context& context, const std::string& name, const std::string& about) {
    BOOST_OUTCOME_TRY(
        context.execute("insert into news (text) values (?)", name + ":" + about + ":" + std::string(context.actor())));
    return tests::script.call(name);
  }
};
