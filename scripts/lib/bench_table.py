#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints Google Benchmark JSON as a table of medians. Exit 1 where a bench refused its own result."""
import json
import re
import statistics
import sys

COUNTERS = ["p50_ns", "p99_ns", "p999_ns", "max_ns", "overlap", "off_caller", "cpu_share", "ratio",
            "ns_per_message", "ns_per_commit", "bytes_per_actor", "balance", "p50", "p99",
            "max_queue", "mean_queue", "share_max", "imbalance", "spread", "ns_per_item", "body_ns",
            "p99_over_bound", "over_p50", "over_mean", "over_p99", "claims", "moves", "workers", "rmw_ns",
            "raw_ns"]
UNITS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def short(name):
    """barrier/takt/2/iterations:10/manual_time/repeats:5 is barrier/takt/2 to a reader."""
    return re.sub(r"/(iterations:\d+|repeats:\d+|min_time:[\d.]+|manual_time|real_time|process_time)", "",
                  name)


def rows(report):
    """name -> column -> median over the repetitions; and the runs that failed."""
    runs, failed = {}, []
    for run in report["benchmarks"]:
        if run.get("error_occurred"):
            failed.append(f"{short(run['name'])}: {run['error_message']}")
        elif run["run_type"] == "iteration":
            columns = runs.setdefault(short(run["run_name"]), {})
            columns.setdefault("time_ns", []).append(run["real_time"] * UNITS[run["time_unit"]])
            for counter in COUNTERS:
                if counter in run:
                    columns.setdefault(counter, []).append(run[counter])
    return {name: {column: statistics.median(values) for column, values in columns.items()}
            for name, columns in runs.items()}, failed


def figure(value):
    return "" if value is None else f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def main(path):
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    table, failed = rows(report)
    columns = [c for c in ["time_ns", *COUNTERS] if any(c in row for row in table.values())]
    lines = [["median of " + path, *columns]]
    lines += [[name, *(figure(row.get(column)) for column in columns)] for name, row in sorted(table.items())]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns) + 1)]
    for line in lines:
        print(line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:])),
              sep="  ")
    context = report["context"]
    machine = [context[key] for key in ("cpu", "compiler", "commit") if key in context]
    load = " ".join(f"{load:.2f}" for load in context["load_avg"])
    print(", ".join([*machine, f"{context['num_cpus']} CPUs", f"load {load}"]))
    for failure in failed:
        print(f"REFUSED {failure}")
    return 1 if failed or not table else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
