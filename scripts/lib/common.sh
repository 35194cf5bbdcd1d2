# SPDX-License-Identifier: MIT
# What the scripts share: the packages they need, how much to build at once. Sourced, not run.
# shellcheck shell=bash disable=SC2034

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Debian package, and the command or header by which it is recognised where dpkg does not know it.
packages_to_build=(
    "g++ c++" "cmake cmake" "ninja-build ninja" "pkg-config pkg-config" "python3 python3"
    "libhwloc-dev hwloc.h" "libconcurrentqueue-dev concurrentqueue/concurrentqueue.h"
)
packages_to_bench=("libbenchmark-dev benchmark/benchmark.h")
packages_to_demo=(
    "libpng-dev png.h" "libnoise-dev libnoise/noise.h" "libembree-dev embree3/rtcore.h"
    "freedoom freedoom1"
)
packages_to_test=(
    "${packages_to_bench[@]}" "libgtest-dev gtest/gtest.h"
    "clang-format-14 clang-format-14" "clang-tidy-14 clang-tidy-14"
    "nlohmann-json3-dev nlohmann/json.hpp" "chromium chromium"
)

say() { printf '\n== %s\n' "$*"; }

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# is_here <package> <command or header>
is_here() {
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]] && return
    if [[ $2 == *.h ]]; then
        [[ -e /usr/include/$2 || -e /usr/local/include/$2 ]]
    else
        command -v "$2" >/dev/null
    fi
}

# as_root <command...>: runs it with the rights to install packages, or returns 1.
as_root() {
    if ((EUID == 0)); then
        "$@"
    else
        command -v sudo >/dev/null && sudo -n true 2>/dev/null && sudo "$@"
    fi
}

# need_packages <"package probe"...>: installs what is missing, or says what to install and ends.
need_packages() {
    local entry missing=()
    for entry in "$@"; do
        # shellcheck disable=SC2086 # two words on purpose
        is_here $entry || missing+=("${entry%% *}")
    done
    if ((${#missing[@]})); then
        install_packages "${missing[@]}"
    fi
    local version
    version=$(cmake --version | sed -n 's/^cmake version //p')
    [[ $(printf '%s\n' 3.25 "$version" | sort -V | head -n 1) == 3.25 ]] ||
        fail "CMake $version is too old, takt needs 3.25 (Debian 12, Ubuntu 24.04, or cmake.org)"
}

install_packages() {
    local line="apt-get install $*" log
    command -v apt-get >/dev/null ||
        fail "missing, and there is no apt-get here. The Debian names are: $*"
    as_root true || fail "missing packages. As root: $line"
    say "$line"
    log=$(mktemp)
    if ! { as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "$@"; } >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        fail "could not install. As root: apt-get update && $line"
    fi
    rm -f "$log"
}

# How many compilers at once: one per CPU (or CMAKE_BUILD_PARALLEL_LEVEL), but each has 1.5 GiB.
parallel_jobs() {
    local cpus memory_kib limit
    cpus=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
    memory_kib=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
    if limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null) && [[ $limit != max ]]; then
        ((limit / 1024 < memory_kib)) && memory_kib=$((limit / 1024))
    fi
    local fitting=$((memory_kib / (1536 * 1024)))
    ((fitting < cpus)) && cpus=$fitting
    echo $((cpus > 0 ? cpus : 1))
}

# build <preset> [target...]
build() {
    local preset=$1 log
    shift
    say "build/$preset"
    if ! log=$(cmake --preset "$preset" 2>&1); then
        printf '%s\n' "$log" >&2
        fail "cmake --preset $preset failed"
    fi
    sed -n 's/^-- takt: /takt: /p' <<<"$log" # what is left out
    cmake --build --preset "$preset" --parallel "$(parallel_jobs)" ${1:+--target "$@"}
}

# run_bench <program> <JSON file> [flag...]: runs it and prints its table. Its chatter is for failures.
run_bench() {
    local program=$1 json=$2 chatter
    shift 2
    rm -f "$json" # a figure of an earlier run is never taken for one of this run
    if ! chatter=$("$program" --benchmark_out="$json.part" --benchmark_out_format=json "$@" 2>&1) ||
        [[ ! -s $json.part ]]; then
        printf '%s\n' "$chatter" >&2
        rm -f "$json.part"
        return 1
    fi
    mv "$json.part" "$json"
    python3 "$root/scripts/lib/bench_table.py" "$json"
}
