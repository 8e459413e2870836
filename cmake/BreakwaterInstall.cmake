# `cmake --install`: headers, libraries, one file of exported targets per module, the package configuration for CMake and
# breakwater.pc. The installed tree can be moved, and needs nothing of the checkout it was built in.

include(CMakePackageConfigHelpers)

set(config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/breakwater")
set(private_pqxx_dir "${CMAKE_INSTALL_LIBDIR}/breakwater/libpqxx")

get_property(modules GLOBAL PROPERTY breakwater_modules)
get_property(umbrella_modules GLOBAL PROPERTY breakwater_umbrella_modules)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/breakwater" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")

# ---- libraries and their targets -----------------------------------------------------------------------------------

foreach(module IN LISTS modules ITEMS umbrella)
  install(TARGETS breakwater_${module} EXPORT breakwater_${module}_targets
    INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  install(EXPORT breakwater_${module}_targets
    NAMESPACE breakwater:: FILE breakwater-${module}-targets.cmake DESTINATION "${config_dir}")
endforeach()

# ---- libpqxx, when it is the bootstrap's -----------------------------------------------------------------------------

if(breakwater_pqxx_is_private)
  # In a folder of its own: it must not meet the system's libpqxx, which may well be there too, and older.
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/.deps/libpqxx/" DESTINATION "${private_pqxx_dir}"
    PATTERN ".complete-*" EXCLUDE
    PATTERN "doc/libpqxx" EXCLUDE
    # Holds the path it was built for, so we write our own.
    PATTERN "libpqxx.pc" EXCLUDE)
  file(CONFIGURE OUTPUT libpqxx.pc CONTENT [[
prefix=${pcfiledir}/../..

Name: libpqxx
Description: libpqxx as built for Breakwater
Version: @Pqxx_VERSION@
Cflags: -isystem ${prefix}/include
Libs: -L${prefix}/lib -lpqxx
Requires.private: libpq
]] @ONLY)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/libpqxx.pc" DESTINATION "${private_pqxx_dir}/lib/pkgconfig")
endif()

# ---- CMake package ---------------------------------------------------------------------------------------------------

set(module_table "")
foreach(module IN LISTS modules)
  get_property(dependencies GLOBAL PROPERTY breakwater_${module}_dependencies)
  get_property(packages GLOBAL PROPERTY breakwater_${module}_packages)
  string(APPEND module_table "set(_breakwater_${module}_dependencies \"${dependencies}\")\n"
    "set(_breakwater_${module}_packages \"${packages}\")\n")
endforeach()

set(PQXX_DIR "${private_pqxx_dir}")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/breakwaterConfig.cmake.in" breakwaterConfig.cmake
  INSTALL_DESTINATION "${config_dir}" PATH_VARS PQXX_DIR NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Before 1.0, minor versions are not compatible with each other.
write_basic_package_version_file(breakwaterConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  "${CMAKE_CURRENT_BINARY_DIR}/breakwaterConfig.cmake"
  "${CMAKE_CURRENT_BINARY_DIR}/breakwaterConfigVersion.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/FindPqxx.cmake"
  DESTINATION "${config_dir}")

# ---- pkg-config ------------------------------------------------------------------------------------------------------

# Linkers read libraries from left to right, so those at the top of the house come first.
set(pc_libs "")
set(pc_uses_pqxx FALSE)
foreach(module IN LISTS umbrella_modules)
  get_property(has_library GLOBAL PROPERTY breakwater_${module}_has_library)
  if(has_library)
    list(PREPEND pc_libs -lbreakwater_${module})
  endif()
  get_property(packages GLOBAL PROPERTY breakwater_${module}_packages)
  if(packages MATCHES "Pqxx")
    set(pc_uses_pqxx TRUE)
  endif()
endforeach()
list(PREPEND pc_libs "-L\${libdir}")
list(JOIN pc_libs " " pc_libs)

set(pc_cflags "-I\${includedir}")
set(pc_dependencies "")
if(pc_uses_pqxx)
  if(breakwater_pqxx_is_private)
    # By its versioned name, which the system's own libpqxx does not have.
    set(pc_pqxx_dir "\${libdir}/breakwater/libpqxx")
    string(APPEND pc_cflags " -isystem ${pc_pqxx_dir}/include")
    string(REGEX MATCH "^[0-9]+\\.[0-9]+" pqxx_series "${Pqxx_VERSION}")
    string(APPEND pc_dependencies "-L${pc_pqxx_dir}/lib -lpqxx-${pqxx_series} ")
  else()
    string(APPEND pc_dependencies "-lpqxx ")
  endif()
  string(APPEND pc_dependencies "-lpq ")
endif()
string(APPEND pc_dependencies "-pthread")

# Not "Requires: libpq": for static linking that would ask for development files (Kerberos, LDAP) that libpq's own
# package does not bring, while its shared library needs none of them.
get_target_property(library_type breakwater_core TYPE)
if(library_type STREQUAL "SHARED_LIBRARY")
  set(pc_libs "${pc_libs}\nLibs.private: ${pc_dependencies}")
else()
  # There is nothing but static libraries here: they need all of it, with or without pkg-config --static.
  string(APPEND pc_libs " ${pc_dependencies}")
endif()

file(RELATIVE_PATH pc_prefix "/p/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/p")
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
file(CONFIGURE OUTPUT breakwater.pc CONTENT [[
prefix=${pcfiledir}/@pc_prefix@
libdir=${prefix}/@CMAKE_INSTALL_LIBDIR@
includedir=${prefix}/@CMAKE_INSTALL_INCLUDEDIR@

Name: breakwater
Description: @PROJECT_DESCRIPTION@
Version: @PROJECT_VERSION@
Cflags: @pc_cflags@
Libs: @pc_libs@
]] @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/breakwater.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
