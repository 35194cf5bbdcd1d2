# SPDX-License-Identifier: MIT
# Text files as a C++ header:
#
#   cmake -D OUTPUT=<header> -D "FILES=<file>;..." -P embed.cmake
#
# "frame_view.css" becomes takt::detail::kFrameViewCss, an array of std::string_view whose pieces
# follow each other (compilers limit the length of a literal), and kFrameViewCssSha256, the base64 form
# that a Content-Security-Policy wants. The files are ASCII, so that no cut divides a character.

cmake_minimum_required(VERSION 3.25)

set(piece_bytes 15000)
set(digits "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")

function(to_base64 result hex)
    string(LENGTH "${hex}" length)
    math(EXPR length "${length} / 2")
    set(text "")
    foreach(at RANGE 0 ${length} 3)
        math(EXPR left "${length} - ${at}")
        if(left LESS 1)
            break()
        endif()
        math(EXPR from "${at} * 2")
        string(SUBSTRING "${hex}0000" ${from} 6 bytes)
        foreach(shift 18 12 6 0)
            math(EXPR digit "(0x${bytes} >> ${shift}) & 63")
            string(SUBSTRING "${digits}" ${digit} 1 digit)
            string(APPEND text "${digit}")
        endforeach()
    endforeach()
    # What was filled up is written as "=".
    math(EXPR rest "${length} % 3")
    string(LENGTH "${text}" end)
    if(rest EQUAL 1)
        math(EXPR end "${end} - 2")
        string(SUBSTRING "${text}" 0 ${end} text)
        string(APPEND text "==")
    elseif(rest EQUAL 2)
        math(EXPR end "${end} - 1")
        string(SUBSTRING "${text}" 0 ${end} text)
        string(APPEND text "=")
    endif()
    set(${result} "${text}" PARENT_SCOPE)
endfunction()

# "frame_view.css" -> "FrameViewCss"
function(to_name result file)
    get_filename_component(file "${file}" NAME)
    string(REGEX REPLACE "[._-]" ";" words "${file}")
    set(name "")
    foreach(word IN LISTS words)
        string(SUBSTRING "${word}" 0 1 head)
        string(SUBSTRING "${word}" 1 -1 tail)
        string(TOUPPER "${head}" head)
        string(APPEND name "${head}${tail}")
    endforeach()
    set(${result} "${name}" PARENT_SCOPE)
endfunction()

set(header "// Made by cmake/embed.cmake. Edit the files it was made from.
#pragma once

#include <string_view>

namespace takt::detail {
")
foreach(file IN LISTS FILES)
    file(READ "${file}" text)
    if(text MATCHES "[^\t\n -~]")
        message(FATAL_ERROR "${file}: \"${CMAKE_MATCH_0}\" is not ASCII. Write an escape for it.")
    endif()
    if(text MATCHES "\\)embed\"")
        message(FATAL_ERROR "${file}: it contains )embed\", which ends a piece.")
    endif()
    to_name(name "${file}")
    string(APPEND header "\ninline constexpr std::string_view k${name}[] = {\n")
    string(LENGTH "${text}" length)
    foreach(from RANGE 0 ${length} ${piece_bytes})
        string(SUBSTRING "${text}" ${from} ${piece_bytes} piece)
        string(APPEND header "R\"embed(${piece})embed\",\n")
    endforeach()
    file(SHA256 "${file}" hex)
    to_base64(hash "${hex}")
    string(APPEND header "};\ninline constexpr std::string_view k${name}Sha256 = \"${hash}\";\n")
endforeach()
file(WRITE "${OUTPUT}" "${header}\n} // namespace takt::detail\n")
