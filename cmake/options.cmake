# Every option of takt, with its default. Nothing here touches a consumer's flags.
option(TAKT_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(TAKT_BUILD_BENCH "Build the benches" ${PROJECT_IS_TOP_LEVEL})
option(TAKT_BUILD_EXAMPLES "Build the examples" ${PROJECT_IS_TOP_LEVEL})
option(TAKT_BUILD_DOCTOR "Build the takt-doctor tool" ${PROJECT_IS_TOP_LEVEL})
option(TAKT_INSTALL "Install headers, library and package files" ${PROJECT_IS_TOP_LEVEL})
option(TAKT_FETCH_DEPENDENCIES "Download a pinned version of what is not installed" OFF)
option(TAKT_WARNINGS_AS_ERRORS "Treat warnings as errors (for takt's own developers)" OFF)
option(TAKT_CHECKED "Abort on a broken internal contract (TAKT_CHECK)" OFF)
set(TAKT_SANITIZE "" CACHE STRING "Sanitizers for takt's own targets: 'address,undefined' or 'thread'")

# takt_own(<target>): what only our own targets get: warnings, sanitizers, C++20 without extensions.
function(takt_own target)
    target_compile_features(${target} PUBLIC cxx_std_20)
    set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                                             -Wsign-conversion -Wold-style-cast -Wformat=2)
    if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
        # GCC bug 105651: a false alarm inside std::string's operator+ when optimising.
        target_compile_options(${target} PRIVATE -Wno-restrict)
    endif()
    if(TAKT_WARNINGS_AS_ERRORS)
        target_compile_options(${target} PRIVATE -Werror)
    endif()
    if(TAKT_SANITIZE)
        target_compile_options(${target} PRIVATE -fsanitize=${TAKT_SANITIZE}
                                                 -fno-sanitize-recover=all -fno-omit-frame-pointer)
        target_link_options(${target} PUBLIC -fsanitize=${TAKT_SANITIZE})
    endif()
endfunction()
