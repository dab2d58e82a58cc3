# SPDX-License-Identifier: Apache-2.0
# The things a folder's CMakeLists.txt says: what it is made of, its tests, its fuzz targets.

# Here rather than in the folder that uses them, because what links a folder must find its libraries too.
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)  # flow: SHA-1 of Community ID
find_package(spdlog REQUIRED)   # base: log.cc
find_package(ZLIB REQUIRED)     # capture: gzip.cc
find_package(LibLZMA REQUIRED)  # capture: xz.cc
find_package(PkgConfig REQUIRED)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)  # capture: zstd.cc
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)    # capture: lz4.cc
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)      # filter: matches
pkg_check_modules(PCAP REQUIRED IMPORTED_TARGET libpcap)  # cli: commands/bench/floors.cc

add_library(weir_options INTERFACE)
target_compile_features(weir_options INTERFACE cxx_std_20)
target_compile_options(weir_options INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Werror -fno-omit-frame-pointer -fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=)
target_include_directories(weir_options INTERFACE ${CMAKE_SOURCE_DIR}/include)
target_compile_definitions(weir_options INTERFACE WEIR_VERSION="${PROJECT_VERSION}")
if(WEIR_SANITIZE)
  target_compile_options(weir_options INTERFACE -fsanitize=${WEIR_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(weir_options INTERFACE -fsanitize=${WEIR_SANITIZE})
endif()

# What weir's own sources and tests see besides; users of the library see include/ alone.
add_library(weir_internal INTERFACE)
target_include_directories(weir_internal INTERFACE ${CMAKE_SOURCE_DIR}/src)

# weir_folder(NAME SOURCES a.cc … LINKS weir_base …): the one library target of src/NAME.
function(weir_folder name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_library(weir_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(weir_${name} PUBLIC weir_options Threads::Threads ${ARG_LINKS} PRIVATE weir_internal)
endfunction()

# The test programs of folders that make threads; the tsan build needs no others.
add_custom_target(threaded_tests)

# weir_tests(NAME [THREADED] SOURCES a_test.cc … LINKS …): one GoogleTest program for the unit tests of a folder.
# THREADED: they make threads, so tools/test runs them under the thread sanitizer too.
function(weir_tests name)
  if(NOT WEIR_TESTS)
    return()
  endif()
  find_package(GTest REQUIRED)
  cmake_parse_arguments(ARG "THREADED" "" "SOURCES;LINKS" ${ARGN})
  set(labels unit)
  if(ARG_THREADED)
    list(APPEND labels threaded)
  endif()
  add_executable(${name}_test ${ARG_SOURCES})
  target_link_libraries(${name}_test PRIVATE weir_internal ${ARG_LINKS} GTest::gtest GTest::gmock GTest::gtest_main)
  target_include_directories(${name}_test PRIVATE ${CMAKE_SOURCE_DIR})
  add_test(NAME unit.${name} COMMAND ${name}_test)
  set_tests_properties(unit.${name} PROPERTIES
    ENVIRONMENT "WEIR_SOURCE_DIR=${CMAKE_SOURCE_DIR};WEIR_BUILD_DIR=${CMAKE_BINARY_DIR}" LABELS "${labels}" TIMEOUT 600)
  if(ARG_THREADED)
    add_dependencies(threaded_tests ${name}_test)
  endif()
endfunction()

# weir_fuzz(NAME SOURCE x_fuzz.cc LINKS …): a libFuzzer program; tools/test runs each for a few seconds.
function(weir_fuzz name)
  if(NOT WEIR_FUZZ)
    return()
  endif()
  cmake_parse_arguments(ARG "" "SOURCE" "LINKS" ${ARGN})
  add_executable(${name}_fuzz ${ARG_SOURCE})
  target_compile_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  target_link_libraries(${name}_fuzz PRIVATE weir_internal ${ARG_LINKS})
  target_include_directories(${name}_fuzz PRIVATE ${CMAKE_SOURCE_DIR})
  set_target_properties(${name}_fuzz PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
endfunction()
