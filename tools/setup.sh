#!/bin/sh
# Lay the virtual environment: tools/setup.sh VENV SET
#
# SET names a lock file in requirements/: "run" is what the product needs, "dev" adds the tools of
# the checks. Every package is fetched with the hash that the lock holds; the project itself is
# installed in place. Needs Python 3.11 or newer with venv, and nothing else.
set -eu

venv=$1
packages=$2
cd "$(dirname "$0")/.."

say() { printf '%s\n' "tidegate: $*" >&2; }
fail() {
    say "$@"
    exit 1
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        if new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    if [ -n "${PYTHON:-}" ]; then
        fail "PYTHON=$PYTHON is not Python 3.11 or newer. Leave it out, or name another one."
    fi
    fail "no Python 3.11 or newer found. On Debian 12 or newer: apt-get install python3 python3-venv"
}

usable() { new_enough "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1; }

if ! usable; then
    python=$(find_python)
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        fail "$python lacks the module venv. On Debian: apt-get install python$version-venv"
    fi
    say "making $venv with Python $version"
    "$python" -m venv --clear "$venv"
fi

export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
pip() { "$venv/bin/python" -m pip -qq "$@"; }

say "installing requirements/$packages.txt into $venv (the first time takes a minute or two)"
# The lock is whole: nothing is left for pip to choose, so a newer release cannot slip in.
pip install --no-deps --require-hashes -r "requirements/$packages.txt"
pip install --no-deps --no-build-isolation --editable .
