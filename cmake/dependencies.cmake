# What takt is built from. Each dependency is looked for on the machine first. A missing one is a
# pinned download with -DTAKT_FETCH_DEPENDENCIES=ON, and otherwise one line that names its package.
include(FetchContent)

# (A message that starts with a space is printed as it is, unwrapped.)
#
# takt_need(<package> <Debian package> [CONFIG] [FETCH <name> <repository> <commit>])
macro(takt_need package debian)
    cmake_parse_arguments(need "CONFIG" "" "FETCH" ${ARGN})
    if(need_CONFIG)
        find_package(${package} CONFIG QUIET)
    else()
        find_package(${package} MODULE QUIET)
    endif()
    if(NOT ${package}_FOUND AND NOT need_FETCH)
        message(FATAL_ERROR " takt needs ${package}: apt-get install ${debian}")
    elseif(NOT ${package}_FOUND AND NOT TAKT_FETCH_DEPENDENCIES)
        message(FATAL_ERROR " takt needs ${package}: apt-get install ${debian} "
                            "(or configure with -DTAKT_FETCH_DEPENDENCIES=ON)")
    elseif(NOT ${package}_FOUND)
        takt_fetch(${need_FETCH})
    endif()
endmacro()

# takt_fetch(<name> <repository> <commit>)
macro(takt_fetch name repository commit)
    message(STATUS "takt: fetching ${repository}, because it is not installed")
    FetchContent_Declare(${name} GIT_REPOSITORY ${repository} GIT_TAG ${commit} SYSTEM ${ARGN})
    FetchContent_MakeAvailable(${name})
endmacro()

find_package(Threads REQUIRED)

# hwloc's own build is autotools, so it has to be installed.
takt_need(Hwloc libhwloc-dev)

# Populated only (there is no such SOURCE_SUBDIR): it is one header, and its install rules are not ours.
takt_need(ConcurrentQueue libconcurrentqueue-dev
    FETCH concurrentqueue https://github.com/cameron314/concurrentqueue.git
          6dd38b8a1dbaa7863aa907045f32308a56a6ff5d # v1.0.4
          SOURCE_SUBDIR header-only)
if(NOT TARGET concurrentqueue::concurrentqueue)
    add_library(concurrentqueue::concurrentqueue INTERFACE IMPORTED)
    target_include_directories(concurrentqueue::concurrentqueue
                               INTERFACE ${concurrentqueue_SOURCE_DIR})
endif()

if(TAKT_BUILD_TESTS)
    set(INSTALL_GTEST OFF)
    takt_need(GTest libgtest-dev CONFIG
        FETCH googletest https://github.com/google/googletest.git
              f8d7d77c06936315286eb55f8de22cd23c188571) # v1.14.0
endif()

if(TAKT_BUILD_BENCH)
    set(BENCHMARK_ENABLE_TESTING OFF)
    set(BENCHMARK_ENABLE_INSTALL OFF)
    takt_need(benchmark libbenchmark-dev CONFIG
        FETCH benchmark https://github.com/google/benchmark.git
              344117638c8ff7e239044fd0fa7085839fc03021) # v1.8.3
endif()
