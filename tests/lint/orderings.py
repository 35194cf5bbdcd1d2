#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every ordered atomic operation in include/ and src/ says what it is for, and names its other end.

In the comment on its statement's lines or right above, each operation has exactly one of
    edge NAME, release side | acquire side    (an operation that is both: edge NAME, both sides)
    relaxed: REASON
    cross NAME, side A | side B               (the only place for seq_cst, fences apart)
    fence NAME
and these agree with the order that the code gives. Orders are explicit; every edge and every cross
has both its sides somewhere; every cited rule, "(M1)", "rule M1", "M1:" or TAKT_CHECK's "M1", is
defined by a comment line "M1  text" (two spaces).
"""
import re
import lint

OPERATION = re.compile(
    r"(?:\.|->)\s*(?P<call>load|store|exchange|fetch_\w+|compare_exchange_\w+|test_and_set)\s*\("
    r"|\b(?P<fence>atomic_(?:thread|signal)_fence)\s*\(")
ORDER = re.compile(r"\b(?:memory_order(?:_|::))?(relaxed|consume|acquire|release|acq_rel|seq_cst)\b")
FULL_ORDER = re.compile(r"\bmemory_order(?:_|::)(relaxed|consume|acquire|release|acq_rel|seq_cst)\b")
NOTE = re.compile(
    r"(?:^|; |\. )(?:edge (?P<edge>[\w-]+), (?P<side>release side|acquire side|both sides)"
    r"|(?P<relaxed>relaxed): \S"
    r"|cross (?P<cross>[\w-]+), side (?P<half>[AB])\b"
    r"|fence (?P<fence>[\w-]+)(?=[:;,.]|$))", re.MULTILINE)
ATOMIC_NAME = re.compile(r"\b[Aa]tomic<[^;(]*>\s+(\w+)\s*(?:\{[^;]*\}|\[[^;]*\]|=[^;]*)?;")
RULE_CITED = re.compile(r"\(([A-Z]\d{1,2})\)|\brule ([A-Z]\d{1,2})\b|\b([A-Z]\d{1,2}):")
RULE_DEFINED = re.compile(r"^([A-Z]\d{1,2})  \S")
RULE_CHECKED = re.compile(r'TAKT_CHECK\([^"]*"([A-Z]\d{1,2})"')
CACHE_LEVELS = {"L1", "L2", "L3", "L4"}  # these are no rules
SIDES = {"edge": ("release side", "acquire side"), "cross": ("A", "B")}


class Source:
    """One file: its code with comments and strings blanked out, and the comment of each line."""

    def __init__(self, text):
        self.code = list(text)
        self.comments = {}       # line -> text
        self.continued = set()   # lines that only carry on the comment of the line above
        for match in re.finditer(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'',
                                 text, re.DOTALL):
            if match[0][0] == "'" and text[match.start() - 1:match.start()].isalnum():
                continue  # a digit separator
            if match[0][0] == "/":
                self.add_comment(text, match)
            for at in range(*match.span()):
                if self.code[at] != "\n":
                    self.code[at] = " "
        self.code = "".join(self.code)
        self.lines = self.code.split("\n")
        self.join_trailing(text.split("\n"))

    def add_comment(self, text, match):
        first = text.count("\n", 0, match.start())
        for offset, line in enumerate(match[0].split("\n")):
            line = re.sub(r"^\s*(?:/[/*]+[!<]*|\*+(?!/))?\s?|\*/$", "", line).rstrip()
            self.comments[first + offset] = (self.comments.get(first + offset, "") + line)

    def join_trailing(self, raw):
        """A trailing comment may go on below, in the same column; it is one comment then."""
        owner = column = None
        for number in range(len(raw)):
            here = raw[number].find("//")
            if number not in self.comments:
                owner = None
            elif self.lines[number].strip():
                owner, column = number, here
            elif owner is not None and here == column:
                self.comments[owner] += " " + self.comments.pop(number).strip()
                self.continued.add(number)
            else:
                owner = None

    def line(self, at):
        return self.code.count("\n", 0, at)

    def statement_ends(self):
        """Offsets of what separates statements: braces, and semicolons outside of for (;;)."""
        ends, open_brackets = [], []
        for at, char in enumerate(self.code):
            if char in "({":
                open_brackets.append(char)
            elif char in ")}" and open_brackets:
                open_brackets.pop()
            if char in "{}" or (char == ";" and open_brackets[-1:] != ["("]):
                ends.append(at)
        return ends

    def notes(self, first, last):
        """The notes that belong to a statement on these lines, in the order of the text."""
        above, number = [], first - 1
        while number in self.comments and not self.lines[number].strip():
            above.insert(0, self.comments[number])
            number -= 1
        wrapped = " ".join(above)
        found = list(NOTE.finditer("\n".join(above)))
        if len(found) < len(list(NOTE.finditer(wrapped))):  # a note that is wrapped over two lines
            found = list(NOTE.finditer(wrapped))
        for line in range(first, last + 1):
            found += NOTE.finditer(self.comments.get(line, ""))
        return found


def arguments(code, opening):
    depth = 0
    for at in range(opening, len(code)):
        depth += (code[at] == "(") - (code[at] == ")")
        if depth == 0:
            return code[opening + 1:at]
    return code[opening + 1:]


def operations(source):
    """(offset, name, orders) of each atomic operation; orders is None where they are implicit."""
    covered = []
    for match in OPERATION.finditer(source.code):
        name = match["call"] or match["fence"]
        inside = arguments(source.code, match.end() - 1)
        orders = ORDER.findall(inside)
        if name == "load" and inside.strip() and not orders:
            continue  # takes something else than an order: not an atomic
        if name.startswith("compare_exchange") and len(orders) < 2:
            orders = []
        covered.append((match.start(), match.end() + len(inside)))
        yield match.start(), name, orders or None
    for match in FULL_ORDER.finditer(source.code):
        line = source.lines[source.line(match.start())]
        if "using" not in line and not any(a <= match.start() < b for a, b in covered):
            yield match.start(), "order", [match[1]]
    for name in set(ATOMIC_NAME.findall(source.code)):
        of_member = r"(?:\.|->)" if not name.endswith("_") else r"\b"
        change = rf"{of_member}{name}(?:\[[^]]*\])?\s*(?:[-+|&^]?=(?!=)|\+\+|--)"
        declared = rf"(?:\+\+|--)\s*{name}\b"
        for match in re.finditer(f"{change}|{declared}", source.code):
            if not re.search(r"[Aa]tomic<", source.lines[source.line(match.start())]):
                yield match.start(), "operator", None


def disagreement(orders, note):
    """What is wrong between the orders of an operation and its note, or None."""
    if note["relaxed"]:
        return "is not relaxed" if set(orders) != {"relaxed"} else None
    if "seq_cst" in orders and not (note["cross"] or note["fence"]):
        return "is seq_cst, which lives only under `cross` or `fence`"
    if note["edge"]:
        releases = {"release", "acq_rel"} & set(orders)
        acquires = {"acquire", "acq_rel", "consume"} & set(orders)
        actual = ("both sides" if "acq_rel" in orders or (releases and acquires) else
                  "release side" if releases else "acquire side" if acquires else "relaxed")
        return f"is {actual}, its note says {note['side']}" if actual != note["side"] else None
    if set(orders) == {"relaxed"} and note["fence"]:
        return "is relaxed, and wants `relaxed: REASON`"
    return None


def statements(source):
    """(first line, last line, operations) of each run of statements that share lines."""
    ends = source.statement_ends()
    groups = []
    for at, name, orders in sorted(operations(source), key=lambda op: op[0]):
        start = max((e for e in ends if e < at), default=-1) + 1
        start += len(source.code[start:at]) - len(source.code[start:at].lstrip())
        end = min((e for e in ends if e >= at), default=len(source.code) - 1)
        first, last = source.line(start), source.line(end)
        if groups and first <= groups[-1][1]:
            groups[-1] = (groups[-1][0], max(last, groups[-1][1]), groups[-1][2] + [(at, name, orders)])
        else:
            groups.append((first, last, [(at, name, orders)]))
    return groups


def check(root):
    findings = []
    ends = {"edge": {}, "cross": {}}   # kind -> name -> {side: where}
    cited, defined = {}, set()
    for path in lint.sources(root, ["include", "src"]):
        shown = path.relative_to(root)
        text = path.read_text(encoding="utf-8")
        source = Source(text)
        for first, last, ops in statements(source):
            notes = source.notes(first, last)
            where = f"{shown}:{source.line(ops[0][0]) + 1}"
            implicit = [op for op in ops if op[2] is None]
            for at, name, _ in implicit:
                findings.append(f"{shown}:{source.line(at) + 1}: {name} without an explicit order "
                                "(compare_exchange: both)")
            if not implicit and len(notes) != len(ops):
                names = ", ".join(name for _, name, _ in ops)
                findings.append(f"{where}: {names}: wants {len(ops)} of edge / relaxed / cross / fence, "
                                f"has {len(notes)}")
            elif not implicit:
                for (at, name, orders), note in zip(ops, notes):
                    wrong = disagreement(orders, note)
                    if wrong:
                        findings.append(f"{shown}:{source.line(at) + 1}: {name} {wrong}")
            for note in notes:
                for kind, side in (("edge", note["side"]), ("cross", note["half"])):
                    if note[kind]:
                        sides = SIDES["edge"] if side == "both sides" else (side,)
                        for each in sides:
                            ends[kind].setdefault(note[kind], {}).setdefault(each, where)
        for number, comment in source.comments.items():
            rule = RULE_DEFINED.match(comment)
            defined |= {rule[1]} if rule else set()
            for match in RULE_CITED.finditer(comment):
                cited.setdefault(match[1] or match[2] or match[3], f"{shown}:{number + 1}")
        for match in RULE_CHECKED.finditer(text):
            cited.setdefault(match[1], f"{shown}:{text.count(chr(10), 0, match.start()) + 1}")
    for kind, names in ends.items():
        for name, sides in names.items():
            for side in set(SIDES[kind]) - set(sides):
                side = side if kind == "edge" else f"side {side}"
                findings.append(f"{next(iter(sides.values()))}: {kind} {name} has no {side}")
    for rule in set(cited) - defined - CACHE_LEVELS:
        findings.append(f"{cited[rule]}: rule {rule} is cited and nowhere defined")
    return sorted(findings)


def one(text):
    return {"include/takt/a.hpp": text}


CASES = [
    (one("x.store(1, std::memory_order_release); // edge e, release side\n"
         "x.load(acquire);                       // edge e, acquire side\n"), None),
    (one("// edge e, both sides: hands over the\n// bytes and takes the slot.\n"
         "x.exchange(1,\n    std::memory_order::acq_rel);\n"), None),
    (one("if (x.load(relaxed) == 0) // relaxed: a hint\n    y.load(relaxed); // relaxed: own\n"), None),
    (one("x.store(1, release); // edge a-rather-long-name, release\n"
         "                     // side\n"
         "x.load(acquire); // edge a-rather-long-name, acquire side\n"), None),
    (one("for (;;) {\n    // cross c, side A\n    x.store(1, seq_cst);\n}\n"
         "y.load(seq_cst); // cross c, side B\n"), None),
    (one("file.load(path); const int million = 1'000'000; /* (L2) */\n"), None),
    (one("/// B1  never late\nTAKT_CHECK(ok, \"B1\", \"wait\"); // (B1)\n"), None),
    (one("std::atomic_signal_fence(std::memory_order_seq_cst); // fence f: compiler only\n"), None),
    (one("x.store(1, std::memory_order_release);\n"), "wants 1 of edge"),
    (one("// A full fence on every thread.\nx.store(1, release);\n"), "wants 1 of edge"),
    (one("x.store(1, relaxed); y.store(1, relaxed); // relaxed: both\n"), "wants 2 of edge"),
    (one("x.load(relaxed); // relaxed: a. edge e, acquire side\n"), "has 2"),
    (one("// relaxed: far away\n\nx.load(relaxed);\n"), "wants 1 of edge"),
    (one("x.store(1, release); // edge e, release side\n"), "edge e has no acquire side"),
    (one("x.load(acquire); // edge e, acquire side\n"), "edge e has no release side"),
    (one("x.load(seq_cst); // cross c, side B\n"), "cross c has no side A"),
    (one("x.load(relaxed); // edge e, acquire side\n"), "is relaxed, its note says acquire side"),
    (one("x.fetch_add(1, acq_rel); // edge e, release side\n"), "is both sides"),
    (one("x.load(acquire); // relaxed: no\n"), "is not relaxed"),
    (one("x.store(1, seq_cst); // edge e, both sides\n"), "seq_cst, which lives only"),
    (one("x.load(); // relaxed: no\n"), "without an explicit order"),
    (one("x->fetch_add(1); // relaxed: no\n"), "without an explicit order"),
    (one("x.compare_exchange_weak(a, b, acq_rel); // edge e, both sides\n"), "compare_exchange: both"),
    (one("std::atomic<int> count_{0};\nvoid f() { ++count_; }\n"), "operator without an explicit order"),
    (one("Atomic<int> count{0};\nvoid f() { s.count = 1; }\n"), "operator without an explicit order"),
    (one("constexpr auto weak = std::memory_order_relaxed;\n"), "order: wants 1"),
    (one("std::atomic_thread_fence(release);\n"), "atomic_thread_fence: wants 1"),
    (one("int x; // kept by (B7)\n"), "rule B7 is cited"),
    (one("TAKT_CHECK(ok, \"B8\", \"wait\");\n"), "rule B8 is cited"),
]

if __name__ == "__main__":
    lint.main(check, CASES)
