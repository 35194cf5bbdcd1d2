#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""clang-tidy with .clang-tidy over src/, and over the headers these include.

--build <folder with compile_commands.json>
"""
import pathlib
import re
import sys

import lint
from format import find_tool

COUNT = re.compile(r"^\d+ warnings?.* generated\.\n", re.MULTILINE)  # of what is not ours


def check(root):
    tool = find_tool("clang-tidy")
    config = f"--config-file={lint.REPOSITORY / '.clang-tidy'}"
    how = ["--", "-std=c++20"]
    if root == lint.REPOSITORY:
        build = lint.option("--build", "build/dev")
        if not pathlib.Path(build, "compile_commands.json").is_file():
            sys.exit(f"no {build}/compile_commands.json: cmake --preset dev, or --build <folder>")
        # The flags are those of the compiler in use, and clang may not know them all.
        how = ["-p", build, "--extra-arg=-Wno-unknown-warning-option"]

    def command_for(path):
        return [tool, "--quiet", config, "--warnings-as-errors=*", str(path), *how], ""

    outcome = lint.run_each(command_for, lint.sources(root, ["src"], (".cpp",)))
    return [COUNT.sub("", output).strip() for _, status, output in outcome if status]


CASES = [
    ({"src/a.cpp": "int half(int whole) { return whole / 2; }\n"}, None),
    ({"src/a.cpp": "#include <string>\n#include <utility>\nint f(std::string a) {\n"
                   "    std::string b = std::move(a);\n    return int(a.size() + b.size());\n}\n"},
     "bugprone-use-after-move"),
    ({"src/a.cpp": "#include <string>\nint f(std::string a) { return int(a.size()); }\n"},
     "performance-unnecessary-value-param"),
]

if __name__ == "__main__":
    lint.main(check, CASES)
