#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: environment_test.py <sample_page>

TAKT_TRACE and its siblings, on a program that knows nothing of them: what is written, what is said, and
that the program goes on whatever goes wrong.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile


def run(program, **variables):
    """What the program says; it must end well."""
    environment = {key: text for key, text in os.environ.items() if not key.startswith("TAKT_TRACE")}
    environment.update({key: str(value) for key, value in variables.items()})
    done = subprocess.run([program], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"it ended with {done.returncode}: {done.stderr}"
    return done.stderr


def frames_of(page):
    data = re.search(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', page, re.S)
    return json.loads(data[1])["frames"]


def main(program):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        page, trace = folder / "frames.html", folder / "frames.json"

        assert run(program) == "", "it says something though nobody asked"

        said = run(program, TAKT_TRACE=page)
        assert said == f"takt: the 30 frames before the end are in {page}\n", said
        assert len(frames_of(page.read_text())) == 30

        run(program, TAKT_TRACE=trace, TAKT_TRACE_FRAMES=7)
        events = json.loads(trace.read_text())["traceEvents"]
        frames = [one for one in events if one["ph"] == "X" and one["name"].startswith("frame")]
        assert len(frames) == 7, len(frames)

        late = folder / "late.html"
        said = run(program, TAKT_TRACE=late, TAKT_TRACE_LATE_US=50)
        assert re.search(r"frames up to frame \d+, which took \d+ us are in", said), said
        assert late.exists()
        never = folder / "never.html"
        said = run(program, TAKT_TRACE=never, TAKT_TRACE_LATE_US=3_600_000_000)
        assert "no frame took longer" in said and not never.exists(), said

        for variable in ("TAKT_TRACE_FRAMES", "TAKT_TRACE_LATE_US"):
            for wrong in ("0", "-1", "many", "7x", "99999999999999999999"):
                said = run(program, TAKT_TRACE=page, **{variable: wrong})
                assert f'{variable} = "{wrong}"' in said, said
                assert "30 frames" in said, said

        link = folder / "link.html"
        link.symlink_to(page)
        before = page.read_bytes()
        for path in (folder / "none" / "frames.html", "/dev/full", link, folder):
            said = run(program, TAKT_TRACE=path)
            assert said.startswith("takt: ") and str(path) in said, said
            assert said.count("\n") == 1, said
        assert page.read_bytes() == before, "the link was followed"
        left = [path.name for path in folder.iterdir()]
        assert sorted(left) == ["frames.html", "frames.json", "late.html", "link.html"], left
    print("passed")


if __name__ == "__main__":
    main(sys.argv[1])
