# Finds libnoise, Jason Bevins' coherent noise: Libnoise_FOUND, target libnoise::libnoise, with which
# `#include <libnoise/noise.h>` works. Only an example wants it. Debian: libnoise-dev.
find_path(Libnoise_INCLUDE_DIR libnoise/noise.h)
find_library(Libnoise_LIBRARY NAMES noise libnoise)
mark_as_advanced(Libnoise_INCLUDE_DIR Libnoise_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libnoise REQUIRED_VARS Libnoise_LIBRARY Libnoise_INCLUDE_DIR)

if(Libnoise_FOUND AND NOT TARGET libnoise::libnoise)
    add_library(libnoise::libnoise UNKNOWN IMPORTED)
    set_target_properties(libnoise::libnoise PROPERTIES
        IMPORTED_LOCATION ${Libnoise_LIBRARY}
        INTERFACE_INCLUDE_DIRECTORIES ${Libnoise_INCLUDE_DIR})
endif()
