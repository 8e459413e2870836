#pragma once

#include <breakwater/core/result.hpp>
#include <breakwater/postgres/executor.hpp>
#include <breakwater/repository/argument.hpp>
#include <breakwater/repository/detail/row_shape.hpp>
#include <breakwater/repository/detail/shape_stream.hpp>
#include <breakwater/repository/stream.hpp>
#include <breakwater/repository/with_values.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace breakwater {

/// SQL written by hand, with its values bound, read into any struct.
///
///     auto report = session.query("select owner, sum(balance) total from accounts "
///                                 "where balance > :least group by owner", bw::arg("least", 5))
///                       .as<OwnerTotal>();
///     auto mine = session.query("select count(*) from accounts where owner = ?", name)
///                     .one<std::int64_t>();
///
/// Values stand for `?` from left to right, for `$1` ... `$n`, or, made by `bw::arg`, for `:name`;
/// placeholders are found by PostgreSQL's lexical rules, never inside literals, comments, casts or
/// its operators. The operator `?` is written `??` unless arguments are named.
///
/// A list (a vector, span, array, ... of values) is one array parameter: `where id = any(?)`. In an `in (...)` it stands
/// for its values:
/// - `id in (?)`, and nothing else between the brackets, is sent as `id = any ($1)`, and `id not in (?)` as
///   `id <> all ($1)`: the same text for a list of any length, so it is prepared once and 100,000 values are no
///   problem. An empty list is no row, and with `not in` every row. A cast is one of the values:
///   `id in (?::bigint)`. The result has the precedence of `=`.
/// - `id in (1, ?, 2)` is sent with a parameter for each of its values, unprepared, at most 65535 in all; an empty list
///   adds nothing.
/// - NULL among the values is SQL's NULL in both: it equals nothing, and makes `not in` match no row at all.
/// Everywhere else, as in `values (?)`, `unnest(?)` or `array_length(?, 1)`, it is the array.
///
/// It goes to the primary, as it may write, unless `read_only()` is said. A mistake in placeholders
/// or arguments is `errc::invalid_argument` when the query is run; nothing is sent then.
///
/// A value: its steps return a new query, so a half-built one can be kept and run twice. The
/// values' text is owned. For one thread at a time, as the session or transaction it came from.
///
/// What `T` in `as<T>` may be:
/// - a mapped entity: result columns are found by the mapping's column names;
/// - any flat aggregate struct of up to 64 fields, without base classes: columns are found by field
///   name;
/// - `std::tuple<...>`: columns by position;
/// - a value, such as `std::int64_t` or `std::optional<std::string>`: the result's only column.
/// Errors of reading: `mapping_mismatch` when columns are missing, too many (see
/// `allow_extra_columns`), twice there, of a type that the field does not read, or NULL in a field
/// that is not optional; `data_error` when a value is beyond the field's range. The statement
/// itself has been executed then.
class raw_query {
 public:
  template <class... Arguments>
  raw_query(std::shared_ptr<executor> on, std::string_view sql, const Arguments&... arguments) : on_(std::move(on)) {
    detail::raw_arguments given;
    (given.add(arguments), ...);
    bind(sql, std::move(given));
  }

  /// Says that the statement only reads: it may go to a replica, and the server holds it to that: a write in it is
  /// `errc::read_only`. In a transaction it changes nothing: that is read-only as a whole or not at all.
  [[nodiscard]] raw_query read_only() && {
    read_only_ = true;
    return std::move(*this);
  }
  [[nodiscard]] raw_query read_only() const& { return raw_query(*this).read_only(); }

  /// The statement's name in errors, metrics and traces, such as "report.totals"; "sql" by default.
  /// Names become metric labels: take them from a fixed set.
  [[nodiscard]] raw_query named(std::string_view name) && {
    name_ = name;
    return std::move(*this);
  }
  [[nodiscard]] raw_query named(std::string_view name) const& { return raw_query(*this).named(name); }

  /// Says that running the statement twice is as good as running it once, also when others wrote in between. Where the
  /// answer to it is lost it is then run again, within the limits of all retries, instead of being
  /// `errc::commit_unknown`. Of a write in doubt a further run that changes no row stays `commit_unknown`: the first may
  /// have changed it. Inside a transaction it changes nothing.
  [[nodiscard]] raw_query idempotent() && {
    idempotent_ = true;
    return std::move(*this);
  }
  [[nodiscard]] raw_query idempotent() const& { return raw_query(*this).idempotent(); }

  /// Not worth a place among the connection's prepared statements: text that hardly ever comes
  /// again.
  [[nodiscard]] raw_query unprepared() && {
    prepare_ = false;
    return std::move(*this);
  }
  [[nodiscard]] raw_query unprepared() const& { return raw_query(*this).unprepared(); }

  /// Columns that no field of the struct asks for are let pass: `select *` into a part of it.
  [[nodiscard]] raw_query allow_extra_columns() && {
    extra_columns_ = detail::extra_columns::allowed;
    return std::move(*this);
  }
  [[nodiscard]] raw_query allow_extra_columns() const& { return raw_query(*this).allow_extra_columns(); }

  /// All rows; `as<bw::rows>()` is the same as `rows()`.
  template <class T>
  [[nodiscard]] auto as() const {
    if constexpr (std::same_as<T, breakwater::rows>) {
      return rows();
    } else {
      return all<T>();
    }
  }
  /// The only row. Errors: `not_found` for none, `too_many_rows` for two.
  template <class T>
  [[nodiscard]] result<T> one() const {
    BOOST_OUTCOME_TRY(const auto answer, rows());
    if (answer.size() != 1) return not_one(answer.size());
    return only<T>(answer);
  }
  /// The only row, if there is one. Errors: `too_many_rows` for two.
  template <class T>
  [[nodiscard]] result<std::optional<T>> maybe() const {
    BOOST_OUTCOME_TRY(const auto answer, rows());
    if (answer.empty()) return std::optional<T>();
    if (answer.size() != 1) return not_one(answer.size());
    BOOST_OUTCOME_TRY(auto found, only<T>(answer));
    return std::optional<T>(std::move(found));
  }
  /// The rows one by one, with a cursor on the server: for results larger than memory. See `row_stream`; `T` as in
  /// `as<T>`. What functions in it write is committed when the end is reached, and undone when it is not. Errors:
  /// `invalid_argument` for anything but a SELECT, VALUES or TABLE, also after WITH; those have no cursor.
  template <class T>
  [[nodiscard]] result<row_stream<T>> stream(const stream_options& options = {}) const {
    return detail::as_shape<T>(open(options), extra_columns_, name_);
  }
  /// Calls `handler(T&&)` for each; it answers nothing, a bool (false: no more rows are wanted) or a `result<void>`,
  /// whose error ends the stream and is returned. An exception passes through. Returns how many rows it was called for.
  template <class T, class Handler>
  requires(!std::is_convertible_v<Handler, const stream_options&>)  //
      [[nodiscard]] result<std::size_t> stream(Handler&& handler, const stream_options& options = {}) const {
    detail::assert_row_handler<Handler, T&&>();
    BOOST_OUTCOME_TRY(auto found, stream<T>(options));
    return detail::for_each_row(found, handler);
  }
  /// Runs it for its effect, DDL too. Returns how many rows it changed or returned, as the server
  /// counted them.
  [[nodiscard]] result<std::size_t> execute() const;
  /// The server's answer as it is.
  [[nodiscard]] result<breakwater::rows> rows() const;

  /// The statement as it is sent; the original text when its placeholders are in error.
  [[nodiscard]] std::string to_sql() const { return sql_; }
  /// The same with the values in their places, for people to read; sensitive ones show as '***'.
  [[nodiscard]] std::string to_sql(with_values_t /*tag*/) const;

 private:
  template <class T>
  [[nodiscard]] result<std::vector<T>> all() const {
    BOOST_OUTCOME_TRY(const auto answer, rows());
    auto decoded = detail::decode_rows<T>(answer, extra_columns_);
    if (!decoded) return after_execution(std::move(decoded).error());
    return decoded;
  }
  template <class T>
  [[nodiscard]] result<T> only(const breakwater::rows& answer) const {
    auto decoded = detail::decode_rows<T>(answer, extra_columns_);
    if (!decoded) return after_execution(std::move(decoded).error());
    return T(std::move(decoded.assume_value().front()));
  }

  friend class batch;

  [[nodiscard]] result<detail::row_source> open(const stream_options& options) const;
  void bind(std::string_view sql, detail::raw_arguments&& given);
  /// A view of the statement and its name.
  [[nodiscard]] statement description() const noexcept;
  [[nodiscard]] error after_execution(error failure) const;
  [[nodiscard]] error not_one(std::size_t count) const;

  std::shared_ptr<executor> on_;
  std::string sql_;
  parameters values_;
  std::optional<error> mistake_;
  std::string name_ = "sql";
  bool read_only_ = false;
  bool prepare_ = true;
  bool idempotent_ = false;
  detail::extra_columns extra_columns_ = detail::extra_columns::refused;
};

}  // namespace breakwater
