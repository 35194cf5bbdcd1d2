#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Code in our pages is cut from compiled examples, and relative links lead somewhere.

A block is marked by the line above it, `<!-- cut from examples/NAME.cpp -->`, and equals what lies
between `// README-BEGIN` and `// README-END` in that file, indentation aside. --fix pastes it.
"""
import re
import sys
import textwrap
import lint

BLOCK = re.compile(r"<!-- cut from (\S+) -->\n```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
REGION = re.compile(r"^[ \t]*// README-BEGIN\n(.*?)^[ \t]*// README-END", re.DOTALL | re.MULTILINE)
FENCED = re.compile(r"^```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def region(path):
    """The marked lines of an example, or None."""
    match = REGION.search(path.read_text(encoding="utf-8")) if path.is_file() else None
    return match and textwrap.dedent(match[1])


def pasted(block, code):
    """The block with this code in it; as it is without code."""
    begin, end = (at - block.start() for at in block.span(2))
    return block[0] if code is None else block[0][:begin] + code + block[0][end:]


def check_page(root, page, text):
    def where(at):
        return f"{page.relative_to(root)}:{text.count(chr(10), 0, at) + 1}"

    for match in BLOCK.finditer(text):
        wanted = region(root / match[1])
        if wanted is None:
            yield f"{where(match.start())}: {match[1]} has no README-BEGIN ... README-END"
        elif wanted != match[2]:
            yield f"{where(match.start())}: differs from {match[1]} (readme_code.py --fix)"
    marks, blocks = text.count("<!-- cut from "), len(BLOCK.findall(text))
    if marks != blocks:
        yield f"{where(0)}: {marks} marks `cut from`, {blocks} of them right above a code block"
    prose = FENCED.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
    for match in LINK.finditer(prose):
        target = match[1].split("#")[0]
        if target and "://" not in target and not (page.parent / target).exists():
            yield f"{where(match.start())}: {match[1]} does not exist"


def check(root):
    pages = [root / "README.md", root / "include/takt/README.md", *sorted((root / "docs").glob("*.md"))]
    if not pages[0].is_file():
        return ["README.md:1: is missing"]
    findings = []
    for page in filter(lambda page: page.is_file(), pages):
        text = page.read_text(encoding="utf-8")
        if "--fix" in sys.argv:
            text = BLOCK.sub(lambda m: pasted(m, region(root / m[1])), text)
            page.write_text(text, encoding="utf-8")
        findings += check_page(root, page, text)
    return findings


EXAMPLE = "int main() {\n    // README-BEGIN\n    run();\n    // README-END\n}\n"
MARK = "<!-- cut from examples/a.cpp -->\n"
CASES = [
    ({"examples/a.cpp": EXAMPLE, "README.md": MARK + "```cpp\nrun();\n```\n[a](examples/a.cpp#L1)\n"
      "[b](https://example.com) `[c](d)`\n"}, None),
    ({"examples/a.cpp": EXAMPLE, "README.md": MARK + "```cpp\nwalk();\n```\n"}, "differs from"),
    ({"examples/a.cpp": "run();\n", "README.md": MARK + "```cpp\nrun();\n```\n"}, "has no README-BEGIN"),
    ({"README.md": MARK + "```cpp\nrun();\n```\n"}, "has no README-BEGIN"),
    ({"README.md": MARK + "\n```cpp\nrun();\n```\n"}, "right above a code block"),
    ({"README.md": "see [the map](include/takt/README.md)\n"}, "does not exist"),
    ({"README.md": "", "docs/a.md": "[b](b.md)\n"}, "docs/a.md:1: b.md does not exist"),
    ({"docs/a.md": ""}, "is missing"),
]

if __name__ == "__main__":
    lint.main(check, CASES)
