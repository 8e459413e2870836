# What Breakwater is built on (docs/dependencies.md says why), and how an installed Breakwater finds it again.

set(breakwater_boost_version 1.81)
set(breakwater_pqxx_version 7.10...<8)

find_package(Threads REQUIRED)
find_package(Boost ${breakwater_boost_version} REQUIRED)
find_package(nlohmann_json 3.9 REQUIRED)
find_package(PostgreSQL)
find_package(Pqxx ${breakwater_pqxx_version})
if(NOT PostgreSQL_FOUND OR NOT Pqxx_FOUND)
  message(FATAL_ERROR "Breakwater needs libpq and libpqxx >= 7.10 and < 8. Run scripts/bootstrap.sh, which provides both.")
endif()

# Is libpqxx the one the bootstrap built? Then it is installed with us.
set(breakwater_deps_folder "${PROJECT_SOURCE_DIR}/.deps")
cmake_path(IS_PREFIX breakwater_deps_folder "${Pqxx_INCLUDE_DIR}" NORMALIZE breakwater_pqxx_is_private)

# The find_dependency() arguments that make the target of another project known. A module may link only to what stands
# here, so that no installation can miss one.
function(breakwater_package_of target result)
  set(package_Threads::Threads "Threads")
  set(package_Boost::headers "Boost ${breakwater_boost_version}")
  set(package_PostgreSQL::PostgreSQL "PostgreSQL")
  set(package_breakwater::pqxx "Pqxx ${breakwater_pqxx_version}")
  if(NOT DEFINED package_${target})
    message(FATAL_ERROR "Nobody said which package '${target}' comes from: add it to cmake/BreakwaterDependencies.cmake")
  endif()
  set(${result} "${package_${target}}" PARENT_SCOPE)
endfunction()
