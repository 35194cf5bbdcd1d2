# Finds moodycamel::ConcurrentQueue: ConcurrentQueue_FOUND, target concurrentqueue::concurrentqueue,
# with which `#include <concurrentqueue.h>` works. Debian installs the header alone to
# include/concurrentqueue; upstream's install adds a folder moodycamel and a CMake config.
find_package(concurrentqueue CONFIG QUIET)
set(hints)
if(TARGET concurrentqueue::concurrentqueue)
    get_target_property(hints concurrentqueue::concurrentqueue INTERFACE_INCLUDE_DIRECTORIES)
endif()

find_path(ConcurrentQueue_INCLUDE_DIR concurrentqueue.h
    HINTS ${hints}
    PATH_SUFFIXES concurrentqueue/moodycamel concurrentqueue moodycamel)
mark_as_advanced(ConcurrentQueue_INCLUDE_DIR concurrentqueue_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(ConcurrentQueue REQUIRED_VARS ConcurrentQueue_INCLUDE_DIR)

if(ConcurrentQueue_FOUND)
    if(NOT TARGET concurrentqueue::concurrentqueue)
        add_library(concurrentqueue::concurrentqueue INTERFACE IMPORTED)
    endif()
    set_property(TARGET concurrentqueue::concurrentqueue APPEND PROPERTY
                 INTERFACE_INCLUDE_DIRECTORIES ${ConcurrentQueue_INCLUDE_DIR})
endif()
