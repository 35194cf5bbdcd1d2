#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The folder list is the architecture: a layer includes only layers below it, by their front header.

Held for include/takt and src. Doctor, benches, tests and examples are users and may include all.
"""
import re
import lint

LEVELS = {
    "base": 0, "topology": 1, "worker": 2, "mailbox": 3, "phase": 4, "task": 5, "actor": 6,
    "frame": 7, "signal": 8, "levels": 8, "model": 9, "shared_table": 9, "dispatcher": 9,
    "runtime": 10, "testing": 11, "profiler": 11,
    "takt": 12,  # takt.hpp, all front headers
}
FREE = {"doctor"}
# Private headers that one other layer may know: the runtime is the frame's face.
LENT = {"frame/engine.hpp": "runtime"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
PLATFORM = re.compile(r"(linux|sys|asm|arpa|netinet|mach)/"
                      r"|(unistd|pthread|sched|hwloc|concurrentqueue|blockingconcurrentqueue|signal"
                      r"|poll|fcntl|dlfcn|windows|immintrin|numa)\.h$|hwloc/|moodycamel/")


def layer_of(path):
    """"worker" for include/takt/worker.hpp, include/takt/worker/ and src/worker/."""
    rest = path.parts[2:] if path.parts[0] == "include" else path.parts[1:]
    return rest[0].removesuffix(".hpp").removesuffix(".cpp")


def complaint(path, layer, quote, target):
    """What is wrong with this include, or None."""
    public = path.parts[0] == "include"
    if public and PLATFORM.match(target):
        return f"<{target}> is a platform header; these belong in src/"
    if quote == "<":
        return f'takt\'s own headers are included as "{target}"' if target.startswith("takt/") else None
    if not target.startswith("takt/"):  # private, relative to src/ or to the file
        if public:
            return f'"{target}": a public header includes only "takt/..."'
        owner = target.split("/")[0] if "/" in target else layer
        private = owner != layer and LENT.get(target) != layer
        return f'"{target}" is private to {owner}' if private else None
    parts = target.split("/")[1:]
    other = parts[0].removesuffix(".hpp")
    if other not in LEVELS:
        return f'"{target}": {other} is not in the table of layers'
    if other == layer:
        own_front = public and path.parts[2:] != (f"{layer}.hpp",) and len(parts) == 1
        return f'"{target}": a part includes parts, not its own front header' if own_front else None
    if LEVELS[other] >= LEVELS[layer]:
        return (f'"{target}": {layer} (level {LEVELS[layer]}) may not know '
                f"{other} (level {LEVELS[other]})")
    return f'"{target}": another layer only through "takt/{other}.hpp"' if len(parts) > 1 else None


def check(root):
    findings = []
    for path in lint.sources(root, ["include/takt", "src"]):
        shown = path.relative_to(root)
        layer = layer_of(shown)
        if layer in FREE:
            continue
        if layer not in LEVELS:
            findings.append(f"{shown}:1: {layer} is not in the table of layers")
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            match = INCLUDE.match(line)
            wrong = match and complaint(shown, layer, match[1], match[2])
            if wrong:
                findings.append(f"{shown}:{number}: {wrong}")
    return findings


CASES = [
    ({"include/takt/worker.hpp": '#include "takt/worker/turn.hpp"\n',
      "include/takt/worker/turn.hpp": '#include "takt/base.hpp"\n#include "takt/worker/wait.hpp"\n',
      "src/worker/turn.cpp": '#include "takt/worker/turn.hpp"\n#include "worker/x.hpp"\n#include "y.hpp"\n'
                             "#include <sched.h>\n",
      "src/doctor/main.cpp": '#include "takt/worker/turn.hpp"\n'}, None),
    ({"include/takt/worker/turn.hpp": '#include "takt/mailbox.hpp"\n'}, "may not know mailbox"),
    ({"include/takt/takt.hpp": '#include "takt/base.hpp"\n'}, None),
    ({"include/takt/takt.hpp": '#include "takt/base/clock.hpp"\n'}, 'through "takt/base.hpp"'),
    ({"include/takt/base/clock.hpp": '#include "takt/takt.hpp"\n'}, "may not know takt"),
    ({"src/shared_table/a.cpp": '#include "takt/dispatcher.hpp"\n'}, "may not know dispatcher"),
    ({"include/takt/worker/turn.hpp": '#include "takt/base/clock.hpp"\n'}, 'through "takt/base.hpp"'),
    ({"src/worker/turn.cpp": '#include "takt/base/clock.hpp"\n'}, 'through "takt/base.hpp"'),
    ({"src/worker/turn.cpp": '#include "topology/hwloc.hpp"\n'}, "private to topology"),
    ({"src/runtime/runtime.cpp": '#include "frame/engine.hpp"\n'}, None),
    ({"src/dispatcher/a.cpp": '#include "frame/engine.hpp"\n'}, "private to frame"),
    ({"include/takt/testing/a.hpp": '#include "takt/runtime.hpp"\n'}, None),
    ({"include/takt/runtime/a.hpp": '#include "takt/testing.hpp"\n'}, "may not know testing"),
    ({"src/runtime/runtime.cpp": '#include "frame/offload.hpp"\n'}, "private to frame"),
    ({"include/takt/worker/turn.hpp": '#include "takt/worker.hpp"\n'}, "own front header"),
    ({"include/takt/worker/turn.hpp": "#include <linux/futex.h>\n"}, "platform header"),
    ({"include/takt/topology/machine.hpp": "#include <hwloc.h>\n"}, "platform header"),
    ({"include/takt/mailbox/gate.hpp": '#include "concurrentqueue.h"\n'}, "platform header"),
    ({"include/takt/base/a.hpp": '#include "b.hpp"\n'}, "includes only"),
    ({"include/takt/util/a.hpp": "\n"}, "not in the table"),
]

if __name__ == "__main__":
    lint.main(check, CASES)
