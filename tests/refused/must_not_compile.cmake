# cmake -DCOMPILER=... -DFLAGS=... -DSOURCE=... [-DCASE=... -DTEXT=...] -P must_not_compile.cmake
# With CASE: the compiler must refuse the source, and say TEXT. Without: it must take it.
separate_arguments(flags UNIX_COMMAND "${FLAGS}")
if(CASE)
    list(APPEND flags -DCASE_${CASE})
endif()
execute_process(COMMAND ${COMPILER} ${flags} -std=c++20 -fsyntax-only ${SOURCE}
                RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(NOT CASE)
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "the source is refused without any case:\n${said}")
    endif()
    return()
endif()
if(result EQUAL 0)
    message(FATAL_ERROR "${CASE} compiles")
endif()
# Compilers break lines and mark quotes as they like.
string(REGEX REPLACE "[ \n]+" " " said "${said}")
string(FIND "${said}" "${TEXT}" at)
if(at EQUAL -1)
    message(FATAL_ERROR "${CASE} is refused without the words \"${TEXT}\":\n${said}")
endif()
