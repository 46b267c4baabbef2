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

echo "== a manual page of every function, as the headers have it"
sort -u "$source"/tests/install/symbols/libdeepxtrace{,-ep}.txt > "$work/functions"
(($(wc -l < "$work/functions") > 50)) || fail "list of functions"
while read -r function; do
    page=$prefix/share/man/man3/$function.3
    for line in "^$function .- [^ ]" "^\.B \".*$function(" '^\.SH NOTES'; do
        grep -q "$line" "$page" || fail "$page has no line '$line'"
    done
done < "$work/functions"
grep -qF 'Receives it; release with dxt_session_destroy()' "$prefix/share/man/man3/dxt_session_create.3" ||
    fail "dxt_session_create(3) lacks what the header says of its parameters"

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
    "$@" -Wall -Wextra -Wpedantic -Werror -o "$work/$program" "$source/tests/install/$code" \
        "${flags[@]}" "-Wl,-rpath,$libdir"
}

echo "== a C program and a C++ program"
compile use_c use.c deepxtrace "${CC:-cc}" -std=c11
compile use_cpp use.cpp deepxtrace "${CXX:-c++}" -std=c++17
[[ $("$work/use_c" "$libdir") == "$version" ]] || fail "C program"
[[ $("$work/use_cpp") == "$version" ]] || fail "C++ program"

echo "== the example of processes without MPI"
example=$prefix/share/doc/deepxtrace/examples/c/processes.c
read -ra flags <<< "$(pkg-config --define-variable=prefix="$prefix" --cflags --libs deepxtrace)"
"${CC:-cc}" -O2 -Wall -Wextra -Werror -o "$work/processes" "$example" "${flags[@]}" "-Wl,-rpath,$libdir"
"$work/processes" > "$work/log" 2>&1 || fail "processes: $(cat "$work/log")"

echo "== a program on the expert-parallel library"
compile use_ep use_ep.c deepxtrace-ep "${CC:-cc}" -std=c11
"$work/use_ep" || fail "expert-parallel program"

echo "== every kind of library, by CMake"
consumer()
{
    cmake -S "$source/tests/install/consumer" -B "$work/consumer" -DCMAKE_PREFIX_PATH="$prefix" \
        -DCMAKE_C_COMPILER="${CC:-cc}" -DCMAKE_BUILD_TYPE=Release && cmake --build "$work/consumer"
}
consumer > "$work/log" 2>&1 || fail "$(cat "$work/log")"
[[ $("$work/consumer/use" "$libdir") == "$version" ]] || fail "CMake, shared"
[[ $(DEEPXTRACE_PARTS=$libdir "$work/consumer/use_static" "$libdir") == "$version" ]] ||
    fail "CMake, static"
for kind in use_ep use_ep_static use_both_static; do "$work/consumer/$kind" || fail "CMake, $kind"; done
for kind in use_static use_ep_static; do
    if readelf -d "$work/consumer/$kind" | grep -q 'NEEDED.*deepxtrace'; then fail "$kind is not static"; fi
done

echo "== a program without any shared library, by pkg-config"
read -ra flags <<< "$(pkg-config --static --define-variable=prefix="$prefix" --cflags --libs deepxtrace-ep)"
"${CC:-cc}" -static -o "$work/use_ep_alone" "$source/tests/install/use_ep.c" "${flags[@]}" \
    2> "$work/log" || fail "$(cat "$work/log")"
"$work/use_ep_alone" || fail "static expert-parallel program"

echo "== static libraries keep to our names"
for name in libdeepxtrace libdeepxtrace-ep; do
    nm --defined-only --extern-only "$libdir/$name.a" | awk 'NF == 3 { print $3 }' | sort > "$work/names"
    comm -13 <(sort "$source/tests/install/symbols/$name.txt") "$work/names" > "$work/more"
    [[ ! -s $work/more ]] || fail "$name.a has other names: $(cat "$work/more")"
done

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
        package=$("$prefix/bin/"$name python3 -c 'import os; print(os.environ["PYTHONPATH"].split(":")[0])')
    done
    package=$(dirname "$package")
    [[ $(realpath "$package") == "$(realpath "$prefix")"/* ]] || fail "the package is $package"
    [[ -e $package/lib/libdeepxtrace.so.0 && -e $package/include/deepxtrace/probe.h ]] ||
        fail "links of the package"
fi

echo "== every program and library: its search path, its hardening"
"$source/scripts/check-elf.sh" "$prefix" || fail "check-elf.sh"

echo "== the same after another move"
mv "$prefix" "$work/moved again"
"$work/moved again/bin/deepxtrace" info > "$work/info" || fail "deepxtrace info"

echo "== taken away again: nothing of ours is left, and nothing of others is gone"
prefix="$work/moved again"
mkdir "$prefix/share/deepxtrace/python/deepxtrace/__pycache__"
touch "$prefix/share/deepxtrace/python/deepxtrace/__pycache__/run.pyc" "$prefix/lib/of-others" \
    "$prefix/share/doc/deepxtrace/notes"
uninstall() { cmake -DPREFIX="$prefix" -P "$source/cmake/uninstall.cmake" > "$work/log" 2>&1; }
cp "$prefix/share/deepxtrace/installed.txt" "$work/list"
echo ../notes >> "$prefix/share/deepxtrace/installed.txt"
touch "$work/notes"
if uninstall || [[ ! -e $work/notes || ! -e $prefix/bin/deepxtrace ]]; then
    fail "uninstall heeded a path that leads elsewhere"
fi
cp "$work/list" "$prefix/share/deepxtrace/installed.txt"
uninstall || fail "uninstall: $(cat "$work/log")"
diff <(cd "$prefix" && find . ! -type d | sort) <(printf '%s\n' ./lib/of-others ./share/doc/deepxtrace/notes) ||
    fail "uninstall"
if find "$prefix" -path "*/deepxtrace/*" -type d | grep .; then fail "folders are left"; fi
if uninstall; then fail "nothing is installed, and uninstall does not say so"; fi
rm -rf "$work"
