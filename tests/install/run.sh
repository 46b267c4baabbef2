#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh: install $DXT_BUILD_DIR into a staging folder, move that elsewhere, and use what lies there
# with a C program, a C++ program and the command.
set -euo pipefail

build=${DXT_BUILD_DIR:?} source=${DXT_SOURCE_DIR:?}
work=$build/install-test
unset LD_LIBRARY_PATH DEEPXTRACE_PARTS

fail()
{
    echo "FAILED: $1" >&2
    exit 1
}

cached()
{
    sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"
}

rm -rf "$work"
mkdir -p "$work"
DESTDIR=$work/stage cmake --install "$build" > "$work/install.log"
given_prefix=$(cached CMAKE_INSTALL_PREFIX)
[[ -d $work/stage$given_prefix ]] || fail "DESTDIR or the prefix was not heeded"
mv "$work/stage$given_prefix" "$work/moved"
prefix=$work/moved
libdir=$prefix/$(cached CMAKE_INSTALL_LIBDIR)

echo "== the headers, all and no others"
diff <(cd "$source/include" && find . -name '*.h' -o -name '*.cuh' | sort) \
    <(cd "$prefix/include" && find . -type f | sort) || fail "headers"

echo "== the man pages"
for page in "$source"/docs/man/*.1; do
    [[ -f $prefix/share/man/man1/${page##*/} ]] || fail "${page##*/} is not installed"
done

echo "== the completions"
for file in bash-completion/completions/deepxtrace zsh/site-functions/_deepxtrace \
    fish/vendor_completions.d/deepxtrace.fish; do
    grep -q -e 'slow-path' "$prefix/share/$file" || fail "$file"
done

echo "== the pkg-config file"
export PKG_CONFIG_PATH=$libdir/pkgconfig
said_prefix=$(pkg-config --variable=prefix deepxtrace)
[[ $said_prefix == "$given_prefix" || $said_prefix -ef $prefix ]] ||
    fail "deepxtrace.pc says prefix $said_prefix"
version=$(pkg-config --modversion deepxtrace)

# compile PROGRAM SOURCE MODULE COMPILER…: as a stranger would, by what pkg-config says.
compile()
{
    local program=$1 code=$2 module=$3 flags
    shift 3
    read -ra flags <<< "$(pkg-config --define-variable=prefix="$prefix" --cflags --libs "$module")"
    if [[ -n ${library:-} ]]; then flags+=("$library"); fi
    "$@" -Wall -Wextra -Wpedantic -Werror -o "$work/$program" "$source/tests/install/$code" \
        "${flags[@]}" "-Wl,-rpath,$libdir"
}

echo "== a C program and a C++ program"
compile use_c use.c deepxtrace "${CC:-cc}" -std=c11
compile use_cpp use.cpp deepxtrace "${CXX:-c++}" -std=c++17
[[ $("$work/use_c" "$libdir") == "$version" ]] || fail "C program"
[[ $("$work/use_cpp") == "$version" ]] || fail "C++ program"

echo "== a program on the expert-parallel library"
if [[ -f $libdir/pkgconfig/deepxtrace-ep.pc ]]; then
    compile use_ep use_ep.c deepxtrace-ep "${CC:-cc}" -std=c11
else
    library=-ldeepxtrace-ep compile use_ep use_ep.c deepxtrace "${CC:-cc}" -std=c11
fi
"$work/use_ep" || fail "expert-parallel program"

echo "== the command, with the libraries next to it"
ldd "$prefix/bin/deepxtrace" | grep 'libdeepxtrace' > "$work/libraries" || fail "no library of ours"
if grep -vF " $prefix/" "$work/libraries" | grep -v "$(realpath "$prefix")/"; then
    fail "taken from elsewhere"
fi
"$prefix/bin/deepxtrace" info > "$work/info" || fail "deepxtrace info"
grep -qF "$version" "$work/info" || fail "deepxtrace info does not tell the version"

echo "== run, with the Python package beside the command"
if command -v python3 > /dev/null; then
    export PYTHONDONTWRITEBYTECODE=1
    for name in "deepxtrace run" deepxtrace-run; do
        # shellcheck disable=SC2086 # two words are meant
        "$prefix/bin/"$name sh -c 'exit 7' && fail "$name did not hand on the exit status"
        (($? == 7)) || fail "$name"
        # shellcheck disable=SC2086
        package=$("$prefix/bin/"$name python3 -c 'import sys; print(sys.modules["sitecustomize"].__file__)')
    done
    package=$(dirname "$(dirname "$package")")
    [[ $(realpath "$package") == "$(realpath "$prefix")"/* ]] || fail "the package is $package"
    [[ -e $package/lib/libdeepxtrace.so.0 && -e $package/include/deepxtrace/probe.h ]] ||
        fail "links of the package"
fi

echo "== every program and library: its search path, its hardening"
"$source/scripts/check-elf.sh" "$prefix" || fail "check-elf.sh"

echo "== the same after another move"
mv "$prefix" "$work/moved again"
"$work/moved again/bin/deepxtrace" info > "$work/info" || fail "deepxtrace info"
rm -rf "$work"
