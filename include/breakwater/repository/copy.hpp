#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace breakwater {

/// How far a `copy_in` has come.
struct copy_progress {
  std::size_t rows = 0;
  std::size_t bytes = 0;  ///< of the rows' text form
};

/// Refers to a callable that takes a `const copy_progress&`, and answers nothing or, with a bool, whether to go on.
///
///     accounts.copy_in(all, {.progress = [](const bw::copy_progress& p) { return p.rows < limit; }})
///
/// It owns nothing: like a string_view, it is for arguments, and what it refers to has to live as long as the call.
class copy_progress_callback {
 public:
  constexpr copy_progress_callback() noexcept = default;
  // The constraint keeps it from hiding the copy constructor.
  // NOLINTBEGIN(google-explicit-constructor,bugprone-forwarding-reference-overload)
  template <class Fn>
  requires(!std::is_same_v<std::remove_cvref_t<Fn>, copy_progress_callback> &&
           std::is_invocable_v<Fn&, const copy_progress&>) copy_progress_callback(Fn&& callable)
  noexcept
      : callable_(const_cast<void*>(static_cast<const volatile void*>(std::addressof(callable)))), call_(&call<Fn>) {
    static_assert(std::is_object_v<std::remove_reference_t<Fn>>,
                  "breakwater: a progress callback is an object, such as a lambda; not a plain function");
  }
  // NOLINTEND(google-explicit-constructor,bugprone-forwarding-reference-overload)

  /// True: go on. Without a callable always.
  [[nodiscard]] bool operator()(const copy_progress& so_far) const {
    return call_ == nullptr || call_(callable_, so_far);
  }

 private:
  template <class Fn>
  static bool call(void* callable, const copy_progress& so_far) {
    auto& fn = *static_cast<std::remove_reference_t<Fn>*>(callable);
    using answer = std::invoke_result_t<Fn&, const copy_progress&>;
    static_assert(std::is_void_v<answer> || std::is_same_v<answer, bool>,
                  "breakwater: a progress callback answers nothing, or a bool: false ends the copy");
    if constexpr (std::is_void_v<answer>) {
      fn(so_far);
      return true;
    } else {
      return fn(so_far);
    }
  }

  void* callable_ = nullptr;
  bool (*call_)(void*, const copy_progress&) = nullptr;
};

/// How `repository::copy_in` copies.
struct copy_in_options {
  /// Called after about every 64 KiB of rows that were handed to the socket, and after the last ones. Answers false to
  /// end the copy, of which nothing stays then. An exception passes through after the copy was undone.
  copy_progress_callback progress{};
};

/// What `repository::copy_out` copies.
struct copy_out_options {
  /// Rows in the trash too, where the mapping has one.
  bool with_trashed = false;
};

}  // namespace breakwater
