#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every public header compiles alone, and twice, without warnings.  --cxx <compiler>"""
import lint

FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-DTAKT_CHECKED=1"]


def check(root):
    compiler = lint.option("--cxx", "c++")

    def command_for(header):
        include = f'#include "{header.relative_to(root / "include")}"\n'
        return [compiler, *FLAGS, f"-I{root / 'include'}", "-x", "c++", "-"], include * 2

    return [f"{path.relative_to(root)}:1: does not compile alone\n{output}"
            for path, status, output in lint.run_each(command_for, lint.sources(root, ["include"]))
            if status]


CASES = [
    ({"include/takt/a.hpp": "#pragma once\n#include <string>\ninline std::string a;\n"}, None),
    ({"include/takt/a.hpp": "#pragma once\ninline std::string a;\n"}, "does not compile alone"),
    ({"include/takt/a.hpp": "inline int a;\n"}, "redefinition"),
]

if __name__ == "__main__":
    lint.main(check, CASES)
