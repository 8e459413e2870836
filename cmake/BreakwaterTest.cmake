# breakwater_add_test(<name>
#   SOURCES <file>...
#   LABELS unit|integration
#   [LIBS <target>...]        default: breakwater::breakwater
#   [TIMEOUT <seconds>])      default: 60 for unit, 300 for integration
#
# A GoogleTest executable for one area, test_<name>, and one ctest entry for it. One entry rather than one per case,
# because an integration executable starts its Postgres cluster once for all its cases; and one executable per area
# rather than per file, because linking is what a small test costs.
#
# A case that skips itself, or is disabled, makes the entry fail, and so does an executable without cases: a test that did
# not run is not a test that passed.
function(breakwater_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABELS;TIMEOUT" "SOURCES;LIBS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "breakwater_add_test(${name}): no SOURCES, or unknown '${arg_UNPARSED_ARGUMENTS}'")
  endif()
  if(arg_LABELS STREQUAL "unit")
    set(timeout 60)
  elseif(arg_LABELS STREQUAL "integration")
    set(timeout 300)
  else()
    message(FATAL_ERROR "breakwater_add_test(${name}): LABELS is '${arg_LABELS}'; it can be unit or integration")
  endif()
  if(arg_TIMEOUT)
    set(timeout ${arg_TIMEOUT})
  endif()
  if(BREAKWATER_SANITIZE OR BREAKWATER_COVERAGE)
    # Instrumented code is several times slower.
    math(EXPR timeout "${timeout} * 4")
  endif()
  if(NOT arg_LIBS)
    set(arg_LIBS breakwater::breakwater)
  endif()

  set(target test_${name})
  add_executable(${target} ${arg_SOURCES})
  # Tests may look behind the public headers.
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}"
    "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${target} PRIVATE ${arg_LIBS} GTest::gmock_main)
  breakwater_set_warnings(${target})

  add_test(NAME ${arg_LABELS}.${name} COMMAND ${target} --gtest_color=no)
  set_tests_properties(${arg_LABELS}.${name} PROPERTIES
    LABELS ${arg_LABELS}
    TIMEOUT ${timeout}
    FAIL_REGULAR_EXPRESSION "\\[  SKIPPED \\];YOU HAVE [0-9]+ DISABLED TEST;Running 0 tests")
  if(arg_LABELS STREQUAL "integration")
    # These measure time against a real server: alone, their figures mean something.
    set_tests_properties(${arg_LABELS}.${name} PROPERTIES RUN_SERIAL ON)
  endif()
endfunction()

# breakwater_add_test_through(<name> <way> [EXCEPT <test>...])
#
# Another ctest entry for the test program of an area, integration.<name>.<way>: with BW_TEST_THROUGH=<way>, so that it
# reaches its servers through something. EXCEPT names tests of what can not be true there.
function(breakwater_add_test_through name way)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "EXCEPT")
  set(entry integration.${name}.${way})
  set(filter)
  if(arg_EXCEPT)
    list(JOIN arg_EXCEPT ":" except)
    set(filter "--gtest_filter=-${except}")
  endif()
  add_test(NAME ${entry} COMMAND test_${name} --gtest_color=no ${filter})
  foreach(property LABELS TIMEOUT FAIL_REGULAR_EXPRESSION RUN_SERIAL)
    get_test_property(integration.${name} ${property} value)
    set_tests_properties(${entry} PROPERTIES ${property} "${value}")
  endforeach()
  set_tests_properties(${entry} PROPERTIES ENVIRONMENT "BW_TEST_THROUGH=${way}")
endfunction()
