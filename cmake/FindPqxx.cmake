# Finds libpqxx >= 7.10 and < 8 and makes the target breakwater::pqxx.
#
# Our own finder rather than libpqxx' config file, because distributions that build libpqxx with its configure script do
# not ship one. Installed with Breakwater, so that an installation finds the libpqxx it was built with: when it carries
# one, breakwater_private_pqxx names its folder, and no other will do.

include(FindPackageHandleStandardArgs)

if(breakwater_private_pqxx)
  find_path(Pqxx_INCLUDE_DIR pqxx/version.hxx PATHS "${breakwater_private_pqxx}/include" NO_DEFAULT_PATH)
  find_library(Pqxx_LIBRARY pqxx PATHS "${breakwater_private_pqxx}/lib" NO_DEFAULT_PATH)
else()
  find_path(Pqxx_INCLUDE_DIR pqxx/version.hxx)
  find_library(Pqxx_LIBRARY pqxx)
endif()
mark_as_advanced(Pqxx_INCLUDE_DIR Pqxx_LIBRARY)

if(Pqxx_INCLUDE_DIR)
  file(STRINGS "${Pqxx_INCLUDE_DIR}/pqxx/version.hxx" Pqxx_VERSION REGEX "define PQXX_VERSION ")
  string(REGEX REPLACE ".*\"([^\"]*)\".*" "\\1" Pqxx_VERSION "${Pqxx_VERSION}")
endif()

find_package_handle_standard_args(Pqxx
  REQUIRED_VARS Pqxx_LIBRARY Pqxx_INCLUDE_DIR
  VERSION_VAR Pqxx_VERSION
  HANDLE_VERSION_RANGE)

if(NOT Pqxx_FOUND)
  # One that is too old must not be remembered: the next attempt may find a better one elsewhere.
  unset(Pqxx_INCLUDE_DIR CACHE)
  unset(Pqxx_LIBRARY CACHE)
elseif(NOT TARGET breakwater::pqxx)
  add_library(breakwater::pqxx UNKNOWN IMPORTED)
  set_target_properties(breakwater::pqxx PROPERTIES
    IMPORTED_LOCATION "${Pqxx_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${Pqxx_INCLUDE_DIR}"
    # Said again as a system folder: its headers are not free of warnings, so that they must stay one for users who
    # treat imported targets as their own code (NO_SYSTEM_FROM_IMPORTED).
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${Pqxx_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES PostgreSQL::PostgreSQL)
endif()
