# Headers, library, CMake package and takt.pc.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS takt EXPORT taktTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.hpp")

# A shared library remembers that it needs hwloc; with a static one the user has to link it.
get_target_property(takt_type takt TYPE)
if(takt_type STREQUAL "STATIC_LIBRARY")
    set(TAKT_IS_STATIC ON)
    set(TAKT_PC_REQUIRES "Requires: hwloc")
else()
    set(TAKT_IS_STATIC OFF)
    set(TAKT_PC_REQUIRES "Requires.private: hwloc")
endif()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/takt)
install(EXPORT taktTargets NAMESPACE takt:: DESTINATION ${package_dir})
configure_package_config_file(cmake/taktConfig.cmake.in taktConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(taktConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/taktConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/taktConfigVersion.cmake
              cmake/FindHwloc.cmake
        DESTINATION ${package_dir})

# takt.pc finds its prefix from where it lies, so an installed tree can be moved.
file(RELATIVE_PATH TAKT_PC_TO_PREFIX
     ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" TAKT_PC_TO_PREFIX "${TAKT_PC_TO_PREFIX}")
if(TAKT_CHECKED)
    set(TAKT_PC_CHECKED 1)
else()
    set(TAKT_PC_CHECKED 0)
endif()
configure_file(cmake/takt.pc.in takt.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/takt.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
