# SPDX-License-Identifier: MIT
"""What every lint shares: which files, how to report, and the proof that it can fail.

A lint is a function check(root) that returns findings, "file:line: message", and a list of CASES:
({path: text}, expected), a small tree and a part of the finding it must give (None: no finding).
"""
import pathlib
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def sources(root, folders, suffixes=(".hpp", ".cpp")):
    """The files below root/<folder> with one of the suffixes, sorted."""
    return sorted(path for folder in folders for path in (root / folder).rglob("*")
                  if path.suffix in suffixes and path.is_file())


def run_each(command_for, paths, jobs=2):
    """Runs command_for(path) for all paths, `jobs` at a time; yields (path, exit status, output)."""
    def run(path):
        command, stdin = command_for(path)
        done = subprocess.run(command, input=stdin, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        return path, done.returncode, done.stdout
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(run, paths)


def option(name, default=None):
    """The value of `--name value` on the command line."""
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


def main(check, cases):
    """`<lint>.py` judges the repository; `<lint>.py --self-test` judges the lint."""
    if "--self-test" in sys.argv:
        sys.exit(self_test(check, cases))
    findings = check(REPOSITORY)
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings" if findings else "clean")
    sys.exit(1 if findings else 0)


def self_test(check, cases):
    wrong = 0
    for tree, expected in cases:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path, text in tree.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text, encoding="utf-8")
            findings = check(root)
        right = not findings if expected is None else any(expected in f for f in findings)
        if not right:
            wrong += 1
            print(f"expected: {expected or 'no finding'}\n     got: {findings}\n     for: {tree}")
    print(f"{len(cases) - wrong} of {len(cases)} cases judged as expected")
    return 1 if wrong or not any(expected for _, expected in cases) else 0
