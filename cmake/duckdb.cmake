# DuckDB as the imported target orbwatch_duckdb, from third_party/duckdb (see tools/fetch-duckdb.sh). When the files are not
# there the target is not defined and the store is left out; whoever links it asks `if(TARGET orbwatch_duckdb)`.
# CMake puts the library's folder into the RPATH of what is built, so that it runs from the build tree.
set(ORBWATCH_DUCKDB_DIR ${CMAKE_SOURCE_DIR}/third_party/duckdb CACHE PATH "Folder with libduckdb.so and duckdb.h")

if(EXISTS ${ORBWATCH_DUCKDB_DIR}/libduckdb.so AND EXISTS ${ORBWATCH_DUCKDB_DIR}/duckdb.h)
  add_library(orbwatch_duckdb SHARED IMPORTED GLOBAL)
  set_target_properties(orbwatch_duckdb PROPERTIES
    IMPORTED_LOCATION ${ORBWATCH_DUCKDB_DIR}/libduckdb.so
    IMPORTED_SONAME libduckdb.so
    INTERFACE_INCLUDE_DIRECTORIES ${ORBWATCH_DUCKDB_DIR}
    INTERFACE_COMPILE_DEFINITIONS ORBWATCH_DUCKDB=1)
  # An installed binary looks beside itself and in ../lib/orbwatch, where packages put the library.
  list(APPEND CMAKE_INSTALL_RPATH $ORIGIN $ORIGIN/../lib/orbwatch)
else()
  message(STATUS "DuckDB is not in ${ORBWATCH_DUCKDB_DIR}: building without the store (run ./dev setup)")
endif()
