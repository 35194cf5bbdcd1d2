#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The sources are as clang-format leaves them. --fix rewrites them.

The version is pinned, because the output moves between releases.
"""
import shutil
import subprocess
import sys
import lint

VERSION = "14"
FOLDERS = ["include", "src", "tests", "bench", "examples"]


def find_tool(name):
    """The path of <name> in our VERSION, or ends the program with what to install."""
    for candidate in (f"{name}-{VERSION}", name):
        path = shutil.which(candidate)
        if path and f"version {VERSION}." in subprocess.run(
                [path, "--version"], capture_output=True, text=True, check=False).stdout:
            return path
    sys.exit(f"{name} {VERSION} is needed, and no other version: apt-get install {name}-{VERSION}")


def check(root):
    tool = find_tool("clang-format")
    style = f"--style=file:{lint.REPOSITORY / '.clang-format'}"
    how = ["-i"] if "--fix" in sys.argv else ["--dry-run", "-Werror"]
    outcome = lint.run_each(lambda path: ([tool, style, *how, str(path)], ""),
                            lint.sources(root, FOLDERS))
    return [output.strip().split("\n")[0] for _, status, output in outcome if status]


CASES = [
    ({"src/a.cpp": "int f(int* a) {\n    return *a;\n}\n"}, None),
    ({"src/a.cpp": "int f( int *a ){ return *a;}\n"}, "a.cpp:1:"),
    ({"bench/b/a.hpp": "int   a;\n"}, "a.hpp:1:"),
]

if __name__ == "__main__":
    lint.main(check, CASES)
