#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The frame view in a real browser.  page_test.py <sample_page> [<folder for screenshots> [<vmrunner>]]

Drives a headless Chromium through its DevTools protocol, over a pipe. Ends with 77 without Chromium.
"""
import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time

SECONDS_MAX = 200
WAIT_SECONDS_MAX = 40
SWITCHES = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
            "--disable-extensions", "--disable-background-networking", "--remote-debugging-pipe"]


class Browser:
    """Chromium reads commands from descriptor 3 and answers on 4; messages end with a NUL."""

    def __init__(self, program, profile):
        read_commands, self.commands = os.pipe()
        self.answers, write_answers = os.pipe()
        self.end = time.monotonic() + SECONDS_MAX
        # The shell moves the pipes to where Chromium looks for them.
        move = f'exec "$0" "$@" 3<&{read_commands} 4>&{write_answers}'
        self.process = subprocess.Popen(
            ["bash", "-c", move, program, *SWITCHES, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=[read_commands, write_answers], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(read_commands)
        os.close(write_answers)
        self.number = 0
        self.text = b""
        self.events = []

    def read(self):
        while b"\0" not in self.text:
            left = self.end - time.monotonic()
            if left <= 0 or not select.select([self.answers], [], [], left)[0]:
                raise TimeoutError(f"the browser was not done within {SECONDS_MAX} s")
            chunk = os.read(self.answers, 1 << 20)
            if not chunk:
                raise EOFError("the browser ended")
            self.text += chunk
        message, self.text = self.text.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def close(self):
        try:
            self.call("Browser.close")
            self.process.wait(timeout=10)
        except (EOFError, OSError, TimeoutError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()


class Page:
    """One tab with one file."""

    def __init__(self, browser, file, width=1280, height=1400, dark=False):
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.target = target
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Page.navigate", url=file.resolve().as_uri())
        # A frame later than the first one, so that the page has been painted.
        self.wait("window.taktView && taktView.stats().redraws > 0")

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def value(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, expression):
        end = time.monotonic() + WAIT_SECONDS_MAX
        while not self.value(f"Boolean({expression})"):
            expect(time.monotonic() < end, f"{expression} never came true: {self.complaints()}")
            time.sleep(0.02)

    def key(self, key):
        text = {"text": key} if len(key) == 1 else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, **(text if kind == "keyDown" else {}))

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def screenshot(self, path):
        self.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        whole = self.value("[document.scrollingElement.clientWidth, document.scrollingElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": whole[0], "height": min(whole[1], 4000), "scale": 1}
        image = self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(image["data"]))

    def complaints(self):
        """What the page wrote to the console, and what the browser complained of."""
        found = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            if event["method"] == "Runtime.exceptionThrown":
                found.append(json.dumps(event["params"]["exceptionDetails"])[:400])
            elif event["method"] in ("Log.entryAdded", "Runtime.consoleAPICalled"):
                found.append(json.dumps(event["params"])[:400])
        return found

    def close(self):
        expect(self.complaints() == [], f"no complaints: {self.complaints()}")
        self.browser.call("Target.closeTarget", targetId=self.target)


def expect(holds, what):
    if not holds:
        raise AssertionError(what)


def expect_equal(found, wanted, what):
    expect(found == wanted, f"{what}: {found!r}, not {wanted!r}")


def shows_the_numbers(browser, file, facts):
    frames, scopes, workers = facts
    page = Page(browser, file)
    expect_equal(page.value("[taktView.frames, taktView.scopes]"), [frames, scopes], "frames, scopes")
    expect_equal(page.value("taktView.lanes"),
                 ["serial"] + [f"worker {i}" for i in range(workers)], "lanes")
    lengths = page.value("JSON.parse(document.getElementById('capture').textContent)"
                         ".frames.map(frame => frame.length)")
    expect_equal(page.value("taktView.selected"), lengths.index(max(lengths)), "the slowest is chosen")
    page.close()


def overlap(one, other):
    return one[0] < other[1] and other[0] < one[1]


def shows_vmrunner(browser, program, folder):
    """A program as it is: its page has four lanes, whose handlers overlap as its trace says."""
    def trace(path):
        environment = {**os.environ, "TAKT_TRACE": str(path), "TAKT_TRACE_FRAMES": "120"}
        subprocess.run([program, "--workers", "4", "--frames", "600", "--selector", "least_busy"],
                       env=environment, check=True, capture_output=True, timeout=WAIT_SECONDS_MAX)
        return path

    page = Page(browser, trace(folder / "vmrunner.html"))
    expect_equal(page.value("taktView.frames"), 120, "frames")
    expect_equal(page.value("taktView.lanes"),
                 ["serial"] + [f"worker {i}" for i in range(4)], "lanes")
    page.close()
    events = json.loads(trace(folder / "vmrunner.json").read_text())["traceEvents"]
    lanes = {one["tid"]: one["args"]["name"].split(" (")[0] for one in events
             if one["ph"] == "M" and one["name"] == "thread_name"}
    spans = {name: [] for name in lanes.values()}
    for one in events:
        if one["ph"] == "X" and one["name"] == "heartbeat" and lanes[one["tid"]] != "serial":
            spans[lanes[one["tid"]]].append((one["ts"], one["ts"] + one["dur"]))
    workers = [spans[f"worker {i}"] for i in range(4)]
    expect_equal(sum(map(len, workers)), 4 * 120, "handlers")
    expect(all(workers), "each worker has some")
    pairs = [(a, b) for a in range(4) for b in range(a)]
    met = [pair for pair in pairs
           if any(overlap(x, y) for x in workers[pair[0]] for y in workers[pair[1]])]
    # On two CPUs four workers take turns; some of them run side by side in any 120 frames.
    expect(met, "no two workers ever run side by side")


def chooses_frames_by_keyboard(browser, file, facts):
    page = Page(browser, file)
    page.value("document.getElementById('strip').focus()")
    page.key("Home")
    page.key("ArrowRight")
    page.key("ArrowRight")
    expect_equal(page.value("taktView.selected"), 2, "Home, Right, Right")
    expect_equal(page.value("document.getElementById('strip').getAttribute('aria-valuenow')"), "3",
                 "aria-valuenow")
    page.key("End")
    expect_equal(page.value("taktView.selected"), facts[0] - 1, "End")
    page.value("document.activeElement.blur()")
    page.key("?")
    expect(page.value("document.getElementById('help-box').open"), "? opens the help")
    page.key("Escape")
    page.close()


def zooms_and_pans(browser, file, _facts):
    page = Page(browser, file)
    shown = "(() => { const s = taktView.stats(); return [s.from, s.to - s.from]; })()"
    before = page.value(shown)
    page.value("document.getElementById('lanes-canvas').focus()")
    page.key("+")
    zoomed = page.value(shown)
    expect(zoomed[1] < before[1] * 0.7, f"+ zooms in: {before}, {zoomed}")
    page.key("ArrowRight")
    panned = page.value(shown)
    expect(panned[0] > zoomed[0] and abs(panned[1] - zoomed[1]) < 1, f"Right pans: {zoomed}, {panned}")
    page.key("0")
    expect_equal(page.value(shown), before, "0 fits the frame")
    box = page.value("document.getElementById('lanes-canvas').getBoundingClientRect().toJSON()")
    page.mouse("mouseWheel", box["x"] + 600, box["y"] + 100, deltaX=0, deltaY=-300)
    page.wait(f"{shown}[1] < {before[1] * 0.7}")
    page.close()


def tells_of_what_is_pointed_at(browser, file, _facts, screenshot=None):
    page = Page(browser, file)
    box = page.value("document.getElementById('lanes-canvas').getBoundingClientRect().toJSON()")
    tips = set()
    for x in range(700, 1200, 10):
        page.mouse("mouseMoved", box["x"] + x, box["y"] + 140)
        tips.add(page.value("[...document.querySelectorAll('#tip:not([hidden]) > *')]"
                            ".map(line => line.innerText).join('; ')"))
        if screenshot and any("sends" in tip and "sent " in tip for tip in tips):
            page.screenshot(screenshot)
            break
    expect(any("on worker" in tip and "of frame" in tip for tip in tips), f"a tip: {tips}")
    expect(any("before it ran, from" in tip for tip in tips), f"a way: {tips}")
    page.close()


def sorts_and_filters_the_table(browser, file, _facts):
    page = Page(browser, file)
    column = "[...document.querySelectorAll('#table-body tr')].map(row => row.cells[{}].textContent)"
    click = "document.querySelector('[data-key=count] button').click()"

    def counts():
        return [int(text.replace(",", "")) for text in page.value(column.format(3))]

    page.value(click)
    falling = counts()
    expect_equal(falling, sorted(falling, reverse=True), "counts fall")
    page.value(click)
    expect_equal(counts(), sorted(falling), "counts rise")
    expect_equal(page.value("document.querySelector('[data-key=count]').getAttribute('aria-sort')"),
                 "ascending", "aria-sort")
    page.value("document.activeElement.blur()")
    page.key("/")
    for letter in "damage":
        page.key(letter)
    topics = page.value(column.format(0))
    expect(topics and set(topics) == {"Damage"}, f"the search filters: {topics}")
    page.key("Escape")
    expect_equal(len(page.value(column.format(0))), len(falling), "Escape ends the search")
    page.close()


def takes_names_for_text(browser, file, _facts):
    page = Page(browser, file)
    expect_equal(page.value("window.broken"), None, "no script of a name ran")
    expect_equal(page.value("document.querySelectorAll('img, script').length"), 2, "scripts and images")
    expect("<script>window.broken" in page.value("document.getElementById('title').textContent"),
           "the title appears as text")
    expect("<img src=x" in page.value("document.getElementById('table-body').textContent"),
           "a topic appears as text")
    expect(page.value("document.scrollingElement.scrollWidth <= innerWidth"), "no horizontal scroll")
    page.close()


def fits_a_phone(browser, file, _facts):
    page = Page(browser, file, width=375, height=800)
    expect(page.value("document.scrollingElement.scrollWidth") <= 375, "no horizontal scroll")
    small = page.value("[...document.querySelectorAll('button, input')].filter(e => e.offsetParent)"
                       ".filter(e => e.getBoundingClientRect().height < 40).map(e => e.outerHTML)")
    expect_equal(small, [], "targets of 40 pixels")
    page.close()


def says_that_it_is_empty(browser, file, _facts):
    page = Page(browser, file)
    expect_equal(page.value("taktView.frames"), 0, "frames")
    expect("No frame" in page.value("document.getElementById('empty').innerText"), "a sentence says so")
    page.close()


def is_quick(browser, file, facts):
    page = Page(browser, file)
    expect_equal(page.value("taktView.scopes"), facts[1], "scopes")
    expect("1,204 records" in page.value("document.getElementById('notice').textContent"), "losses")
    # From frame to frame while it moves: that counts the painting, not only the calls.
    moving = """(async act => {
        const next = () => new Promise(done => requestAnimationFrame(done));
        const times = [], calls = [];
        for (let i = 0, before = await next(); i < 30; ++i) {
            act(i);
            const now = await next();
            times.push(now - before);
            before = now;
            calls.push(taktView.stats().lastRedraw);
        }
        const middle = list => list.sort((a, b) => a - b)[list.length >> 1].toFixed(1);
        return [middle(times), middle(calls), taktView.stats().drawn];
    })"""
    load = page.value("taktView.stats()")
    print(f"large: first paint {load['firstPaint']:.0f} ms after the start of loading, of which "
          f"{load['decodedAt']:.0f} ms until the script began")
    for what, act in (("one frame, panning", "i => taktView.pan(i % 2 ? 20 : -20)"),
                      ("another frame", "i => taktView.select(i)"),
                      ("all frames, panning",
                       "i => i ? taktView.pan(i % 2 ? 20 : -20) : taktView.zoom(1e-6)")):
        interval, call, drawn = page.value(f"{moving}({act})")
        print(f"large, {what}: {call} ms in the redraw, {interval} ms from frame to frame, "
              f"{drawn} rectangles")
        expect(float(call) < 200, "a redraw does not take forever")
    page.value("const box = document.getElementById('search'); box.value = 'damage';"
               "box.dispatchEvent(new Event('input'))")
    print("large, all frames, searching: "
          f"{page.value(f'({moving})(i => taktView.pan(i % 2 ? 20 : -20))')[1]} ms in the redraw")
    page.close()


def write_screenshots(browser, folder, pages):
    folder.mkdir(parents=True, exist_ok=True)
    tells_of_what_is_pointed_at(browser, pages / "normal.html", [], folder / "pointed.png")
    for name in ("normal", "large", "hostile", "empty"):
        for width in (1280, 375):
            for theme in ("light", "dark"):
                if name not in ("normal", "large") and theme == "dark":
                    continue
                page = Page(browser, pages / f"{name}.html", width, 900, theme == "dark")
                page.screenshot(folder / f"{name}-{width}-{theme}.png")
                page.close()


CASES = [
    ("normal", shows_the_numbers), ("hostile", shows_the_numbers), ("live", shows_the_numbers),
    ("normal", chooses_frames_by_keyboard),
    ("normal", zooms_and_pans), ("normal", tells_of_what_is_pointed_at),
    ("normal", sorts_and_filters_the_table), ("hostile", takes_names_for_text),
    ("normal", fits_a_phone), ("hostile", fits_a_phone), ("empty", fits_a_phone),
    ("empty", says_that_it_is_empty), ("large", is_quick),
]


def run(browser, pages, facts, vmrunner):
    """How many cases failed."""
    failures = 0
    def check_vmrunner(*_):
        shows_vmrunner(browser, vmrunner, pages)

    for name, case in CASES + ([("vmrunner", check_vmrunner)] if vmrunner else []):
        try:
            case(browser, pages / f"{name}.html", facts.get(name))
            print(f"passed: {case.__name__} ({name})")
        except (AssertionError, RuntimeError) as failure:
            failures += 1
            print(f"FAILED: {case.__name__} ({name}): {failure}")
    return failures


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not program:
        print("no chromium: the page is not tested")
        sys.exit(77)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        pages = pathlib.Path(temporary)
        listed = subprocess.run([sys.argv[1], temporary], check=True, capture_output=True, text=True)
        facts = {line.split()[0]: [int(word) for word in line.split()[1:]]
                 for line in listed.stdout.splitlines()}
        browser = Browser(program, pages / "profile")
        try:
            failures = run(browser, pages, facts, sys.argv[3] if len(sys.argv) > 3 else None)
            if len(sys.argv) > 2:
                write_screenshots(browser, pathlib.Path(sys.argv[2]), pages)
        finally:
            browser.close()
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
