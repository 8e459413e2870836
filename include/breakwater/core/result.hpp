#pragma once

#include <breakwater/core/error.hpp>

// The two light headers of Boost.Outcome: <boost/outcome/result.hpp> brings std::exception_ptr and iostreams
// machinery and takes three times as long to compile.
#include <boost/outcome/basic_result.hpp>
#include <boost/outcome/try.hpp>

#include <exception>
#include <utility>

namespace breakwater {

/// Thrown by `result::value()` on an error, and by nothing else in the library.
class bad_result : public std::exception {
 public:
  explicit bad_result(breakwater::error cause);
  [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }
  [[nodiscard]] const breakwater::error& error() const noexcept { return cause_; }

 private:
  breakwater::error cause_;
  std::string text_;
};

namespace detail {

[[noreturn]] void throw_bad_result(const error& cause);
[[noreturn]] void throw_no_error();

/// Outcome's no-value policy: checked access throws `bad_result`, unchecked access stays unchecked.
struct bad_result_policy : boost::outcome_v2::policy::base {
  template <class Impl>
  static constexpr void wide_value_check(Impl&& self) {
    if (!base::_has_value(self)) throw_bad_result(base::_error(self));
  }
  template <class Impl>
  static constexpr void wide_error_check(Impl&& self) {
    if (!base::_has_error(self)) throw_no_error();
  }
  template <class Impl>
  static constexpr void wide_exception_check(Impl&&) noexcept {}
};

}  // namespace detail

/// `return bw::success();` from a function whose result is `result<void>`.
using boost::outcome_v2::success;
/// `return bw::failure(error);` where an implicit conversion would be ambiguous.
using boost::outcome_v2::failure;

/// A value or an `error`: what every fallible function of the library returns.
///
///     BOOST_OUTCOME_TRY(auto account, accounts.get(id));   // leaves the function with the error
///     if (auto r = accounts.remove(id); !r) log(r.error().message());
///
/// Boost.Outcome's `basic_result` with our error, so Outcome's macros and conversions apply. Default
/// constructed it is `errc::internal`, so that it can stand in containers and pass through Asio.
template <class T>
class [[nodiscard]] result : public boost::outcome_v2::basic_result<T, error, detail::bad_result_policy> {
  using base = boost::outcome_v2::basic_result<T, error, detail::bad_result_policy>;

 public:
  using base::base;
  result() noexcept : base(error(errc::internal)) {}
};

}  // namespace breakwater

/// Short form for users: `bw::result<bw::uuid>`.
namespace bw = breakwater;
