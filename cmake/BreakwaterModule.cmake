# breakwater_add_module(<name>
#   [SOURCES <file>...]           none: a header-only module
#   [PUBLIC_DEPS <module>...]     our modules it uses ("core", not "breakwater::core"); they must stand below it
#   [PUBLIC_LIBS <target>...]     libraries its headers need
#   [PRIVATE_LIBS <target>...]    libraries only its sources need
#   [NOT_IN_UMBRELLA])            not part of breakwater::breakwater
#
# Makes the library breakwater_<name>, known as breakwater::<name> here and when installed. Headers are in
# include/breakwater/<name>; sources may include each other from src/.
function(breakwater_add_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NOT_IN_UMBRELLA" "" "SOURCES;PUBLIC_DEPS;PUBLIC_LIBS;PRIVATE_LIBS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "breakwater_add_module(${name}): what is '${arg_UNPARSED_ARGUMENTS}'?")
  endif()

  set(target breakwater_${name})
  if(arg_SOURCES)
    set(scope PUBLIC)
    add_library(${target} ${arg_SOURCES})
    target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${CMAKE_CURRENT_SOURCE_DIR}")
    target_link_libraries(${target} PRIVATE ${arg_PRIVATE_LIBS})
    breakwater_set_warnings(${target})
    set_target_properties(${target} PROPERTIES
      POSITION_INDEPENDENT_CODE ON
      # Shared libraries find each other wherever the installation is moved.
      INSTALL_RPATH "$ORIGIN"
      VERSION ${PROJECT_VERSION}
      # Before 1.0 a minor version may change the ABI.
      SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  else()
    set(scope INTERFACE)
    if(arg_PRIVATE_LIBS)
      message(FATAL_ERROR "breakwater_add_module(${name}): without SOURCES nothing is private")
    endif()
    add_library(${target} INTERFACE)
  endif()
  add_library(breakwater::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})

  target_compile_features(${target} ${scope} cxx_std_20)
  target_include_directories(${target} ${scope} "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>")

  get_property(known GLOBAL PROPERTY breakwater_modules)
  foreach(dependency IN LISTS arg_PUBLIC_DEPS)
    if(NOT dependency IN_LIST known)
      message(FATAL_ERROR "breakwater_add_module(${name}): there is no module '${dependency}' below it (${known})")
    endif()
    target_link_libraries(${target} ${scope} breakwater_${dependency})
  endforeach()
  target_link_libraries(${target} ${scope} ${arg_PUBLIC_LIBS})

  set(packages "")
  foreach(library IN LISTS arg_PUBLIC_LIBS arg_PRIVATE_LIBS)
    breakwater_package_of(${library} package)
    list(APPEND packages "${package}")
    if(package MATCHES "^Pqxx")
      # libpqxx brings libpq.
      list(PREPEND packages "PostgreSQL")
    endif()
  endforeach()
  list(REMOVE_DUPLICATES packages)

  set_property(GLOBAL APPEND PROPERTY breakwater_modules ${name})
  set_property(GLOBAL PROPERTY breakwater_${name}_dependencies ${arg_PUBLIC_DEPS})
  set_property(GLOBAL PROPERTY breakwater_${name}_packages ${packages})
  set_property(GLOBAL PROPERTY breakwater_${name}_has_library "${arg_SOURCES}")
  if(NOT arg_NOT_IN_UMBRELLA)
    set_property(GLOBAL APPEND PROPERTY breakwater_umbrella_modules ${name})
  endif()
endfunction()

# breakwater::breakwater, which is all modules but those that said NOT_IN_UMBRELLA.
function(breakwater_add_umbrella)
  get_property(modules GLOBAL PROPERTY breakwater_umbrella_modules)
  add_library(breakwater_umbrella INTERFACE)
  add_library(breakwater::breakwater ALIAS breakwater_umbrella)
  set_target_properties(breakwater_umbrella PROPERTIES EXPORT_NAME breakwater)
  list(TRANSFORM modules PREPEND breakwater_ OUTPUT_VARIABLE targets)
  target_link_libraries(breakwater_umbrella INTERFACE ${targets})
endfunction()
