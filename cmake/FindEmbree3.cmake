# Finds Intel's Embree 3: Embree3_FOUND, target embree3::embree3, with which
# `#include <embree3/rtcore.h>` works. Only an example wants it. Debian: libembree-dev. (Debian's own
# embree-config.cmake names target files that the package does not have.)
find_path(Embree3_INCLUDE_DIR embree3/rtcore.h)
find_library(Embree3_LIBRARY NAMES embree3)
mark_as_advanced(Embree3_INCLUDE_DIR Embree3_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Embree3 REQUIRED_VARS Embree3_LIBRARY Embree3_INCLUDE_DIR)

if(Embree3_FOUND AND NOT TARGET embree3::embree3)
    add_library(embree3::embree3 UNKNOWN IMPORTED)
    set_target_properties(embree3::embree3 PROPERTIES
        IMPORTED_LOCATION ${Embree3_LIBRARY}
        INTERFACE_INCLUDE_DIRECTORIES ${Embree3_INCLUDE_DIR})
endif()
