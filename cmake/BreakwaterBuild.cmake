# How our own code is compiled. Nothing here reaches users: warnings are private to our targets, and the directory-wide
# settings (sanitizers, coverage, ccache) exist only in this build.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)

if(PROJECT_IS_TOP_LEVEL)
  # For clang-tidy, cppcheck and editors.
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
  endif()

  find_program(BREAKWATER_CCACHE ccache DOC "Used when present; a rebuild from nothing then takes seconds")
  if(BREAKWATER_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${BREAKWATER_CCACHE}")
  endif()
endif()

if(BREAKWATER_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(BREAKWATER_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(BREAKWATER_SANITIZE)
  message(FATAL_ERROR "BREAKWATER_SANITIZE is '${BREAKWATER_SANITIZE}'; it can be empty, 'address' or 'thread'")
endif()
if(BREAKWATER_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Instrumented code confuses these two: the first sees phantom reads, the second objects to fences inside Asio.
  add_compile_options(-Wno-maybe-uninitialized -Wno-tsan)
endif()

if(BREAKWATER_COVERAGE)
  # Atomic counters: our tests are multi-threaded, and plain ones lose counts (and can even become negative).
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()

# Our warnings, for a target made of our own code.
function(breakwater_set_warnings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
    $<$<BOOL:${BREAKWATER_WERROR}>:-Werror>)
endfunction()
