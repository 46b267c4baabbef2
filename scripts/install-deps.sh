#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install-deps.sh [build|test|check|fuzz|wheel|arm64]…   (default: build)
# Sees to it that what these steps need is installed. Where everything is there it does nothing and
# uses no network. On Debian and its kin root gets the missing packages installed; anyone else gets
# the one line to run, and exit status 1.
set -euo pipefail

# package  test that it is there (see present)  what for
build_needs="
gcc            command:gcc         C-compiler
g++            command:g++         C++-compiler
make           command:make        front-door
cmake          command:cmake       build
ninja-build    command:ninja       build
pkg-config     command:pkg-config  build
libjansson-dev library:jansson     JSON
"
build_wishes="
libcairo2-dev  library:cairo       heat-maps-as-PNG-and-PDF
libopenmpi-dev library:ompi-c      jobs-over-Open-MPI
libmpich-dev   library:mpich       jobs-over-MPICH
zlib1g-dev     library:zlib        files-that-are-packed
libsqlite3-dev library:sqlite3     serve
libmicrohttpd-dev library:libmicrohttpd serve
libcurl4-openssl-dev library:libcurl    serve
"
test_needs="
libcmocka-dev  library:cmocka      unit-tests
bats           command:bats        command-line-tests
jq             command:jq          command-line-tests
python3-numpy  python:numpy        reference-of-the-ratio-method
procps         command:pgrep       fault-tests
python3-pytest python:pytest       tests-of-the-Python-package
python3-venv   python:ensurepip    test-of-the-wheel
"
test_wishes="
python3-torch  python:torch            tests-of-the-Python-package-with-torch
openmpi-bin    command:mpirun.openmpi  tests-of-Open-MPI
mpich          command:mpirun.mpich    tests-of-MPICH
iproute2       command:ip              tests-on-several-hosts
spin           command:spin            models-of-the-protocols
tmux           command:tmux            tests-of-the-terminal
zsh            command:zsh             tests-of-completions
fish           command:fish            tests-of-completions
chromium       command:chromium        tests-of-pages-in-a-browser
chromium-driver command:chromedriver   tests-of-pages-in-a-browser
"
wheel_needs="
binutils           command:objdump    platform-tag
python3-setuptools python:setuptools  wheel
python3-wheel      python:wheel       wheel
"
check_needs="
clang            command:clang           headers
clang-format-14  command:clang-format-14 format
shellcheck       command:shellcheck      scripts
man-db           command:man             man-pages
git              command:git             list-of-files
mypy             python:mypy             types-of-the-Python-package
python3-flake8   python:flake8           style-of-the-Python-package
"
fuzz_needs="
clang            command:clang     fuzzing
libclang-rt-dev  fuzzer:clang      libFuzzer
"

arm64_wishes="
gcc-aarch64-linux-gnu command:aarch64-linux-gnu-gcc cross-compiler
g++-aarch64-linux-gnu command:aarch64-linux-gnu-g++ cross-compiler
qemu-user             command:qemu-aarch64          running-what-it-builds
"

present()
{
    local kind=${1%%:*} name=${1#*:}
    case $kind in
    command) command -v "$name" ;;
    library) pkg-config --exists "$name" ;;
    python) python3 -c "import $name" ;;
    fuzzer)
        echo 'int LLVMFuzzerTestOneInput(const char *d, long n) { return d && n < 0; }' |
            clang -fsanitize=fuzzer,address,undefined -x c - -o /dev/null
        ;;
    esac > /dev/null 2>&1
}

installed()
{
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null) == installed ]]
}

# missing NEEDS: the packages of the table that are neither installed nor stand-ins for what works
# without them, on one line.
missing()
{
    local package test list=''
    while read -r package test _; do
        if [[ -n $package ]] && ! present "$test" && ! installed "$package"; then
            list+=" $package"
        fi
    done <<< "$1"
    echo "${list# }"
}

# at_least HAVE WANT
at_least()
{
    [[ $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$2" ]]
}

check_versions()
{
    local version
    if [[ -z ${CC:-} ]]; then
        version=$(gcc -dumpfullversion)
        if ! at_least "$version" 11; then
            echo "GCC 11 or later is needed; this system has $version." >&2
            return 1
        fi
    fi
    version=$(cmake --version | awk 'NR == 1 { print $3 }')
    if ! at_least "$version" 3.25; then
        echo "CMake 3.25 or later is needed; this system has $version." >&2
        return 1
    fi
}

install_packages()
{
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" < /dev/null
}

needs='' wishes=''
for group in "${@:-build}"; do
    case $group in
    build) needs+=$build_needs wishes+=$build_wishes ;;
    test) needs+=$test_needs$wheel_needs wishes+=$test_wishes ;;
    wheel) needs+=$wheel_needs ;;
    check) needs+=$check_needs ;;
    fuzz) needs+=$fuzz_needs ;;
    arm64) wishes+=$arm64_wishes ;;
    *)
        echo "install-deps.sh: no group '$group'; there are build, test, check, fuzz, wheel and arm64" >&2
        exit 2
        ;;
    esac
done
read -ra required <<< "$(missing "$needs" | tr ' ' '\n' | sort -u | tr '\n' ' ')"
read -ra optional <<< "$(missing "$wishes")"

if ((${#required[@]} + ${#optional[@]} == 0)); then
    check_versions
    exit
fi
if ! command -v apt-get > /dev/null; then
    if ((${#optional[@]} > 0)); then
        echo "Not installed, optional (Debian's name): ${optional[*]}"
    fi
    if ((${#required[@]} > 0)); then
        echo "Please install what Debian calls: ${required[*]}" >&2
        exit 1
    fi
elif (($(id -u) != 0)); then
    if ((${#required[@]} > 0)); then
        echo "Packages are missing. Please run:" >&2
        echo "sudo apt-get install ${required[*]} ${optional[*]}" | sed 's/ *$//' >&2
        exit 1
    fi
    echo "Optional: sudo apt-get install ${optional[*]}"
else
    echo "Installing ${required[*]} ${optional[*]}"
    apt-get update -q < /dev/null || echo "apt-get update failed; trying what is known" >&2
    if ((${#required[@]} > 0)); then install_packages "${required[@]}"; fi
    if ((${#optional[@]} > 0)); then
        install_packages "${optional[@]}" || echo "Going on without ${optional[*]}" >&2
    fi
fi
check_versions
