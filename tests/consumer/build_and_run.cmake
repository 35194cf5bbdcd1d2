# Builds project/ in one WAY (find_package, pkg_config, add_subdirectory) in BUILD, and runs it.
function(run)
    execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY COMMAND_ECHO STDOUT)
endfunction()

file(REMOVE_RECURSE ${BUILD})
file(MAKE_DIRECTORY ${BUILD})

if(WAY STREQUAL "pkg_config")
    set(ENV{PKG_CONFIG_PATH} ${PREFIX}/${LIBDIR}/pkgconfig)
    execute_process(COMMAND ${PKG_CONFIG} --cflags --libs takt
                    OUTPUT_VARIABLE flags COMMAND_ERROR_IS_FATAL ANY)
    separate_arguments(flags UNIX_COMMAND "${flags}")
    run(${CXX} -std=c++20 ${SOURCE}/main.cpp -o ${BUILD}/stranger ${flags})
else()
    run(${CMAKE_COMMAND} -S ${SOURCE} -B ${BUILD} -D WAY=${WAY} -D CMAKE_CXX_COMPILER=${CXX}
        -D CMAKE_PREFIX_PATH=${PREFIX} -D TAKT_SOURCE=${TAKT_SOURCE})
    run(${CMAKE_COMMAND} --build ${BUILD})
endif()

set(ENV{LD_LIBRARY_PATH} ${PREFIX}/${LIBDIR}) # only a shared takt looks there
run(${BUILD}/stranger)
