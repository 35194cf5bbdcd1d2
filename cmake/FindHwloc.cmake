# Finds hwloc: Hwloc_FOUND, Hwloc_VERSION, target hwloc::hwloc. Installed beside taktConfig.cmake,
# because whoever links a static takt needs hwloc too.
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
    pkg_check_modules(PC_hwloc QUIET hwloc)
endif()

find_path(Hwloc_INCLUDE_DIR hwloc.h HINTS ${PC_hwloc_INCLUDE_DIRS})
find_library(Hwloc_LIBRARY hwloc HINTS ${PC_hwloc_LIBRARY_DIRS})
mark_as_advanced(Hwloc_INCLUDE_DIR Hwloc_LIBRARY)

if(Hwloc_INCLUDE_DIR AND EXISTS ${Hwloc_INCLUDE_DIR}/hwloc/autogen/config.h)
    file(STRINGS ${Hwloc_INCLUDE_DIR}/hwloc/autogen/config.h version_line
         REGEX "#define HWLOC_VERSION \"" LIMIT_COUNT 1)
    string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" Hwloc_VERSION "${version_line}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Hwloc REQUIRED_VARS Hwloc_LIBRARY Hwloc_INCLUDE_DIR
                                        VERSION_VAR Hwloc_VERSION)

if(Hwloc_FOUND AND NOT TARGET hwloc::hwloc)
    add_library(hwloc::hwloc UNKNOWN IMPORTED)
    set_target_properties(hwloc::hwloc PROPERTIES
        IMPORTED_LOCATION ${Hwloc_LIBRARY}
        INTERFACE_INCLUDE_DIRECTORIES ${Hwloc_INCLUDE_DIR})
endif()
