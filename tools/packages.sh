#!/bin/sh
# Install the Debian packages that some tests need: a browser, and a C compiler with libmodbus for
# the independent peer. Without them those tests skip, and fail where TIDEGATE_CI is set.
set -eu

packages="gcc libc6-dev libmodbus-dev pkg-config procps mosquitto mosquitto-clients libcoap3-bin iproute2 curl"
if ! command -v chromium >/dev/null; then
    packages="$packages chromium"
fi

missing=""
for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
        missing="$missing $package"
done
if [ -z "$missing" ]; then
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "tidegate: no apt-get here; install by hand:$missing" >&2
    exit 1
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    as_root="sudo"
fi
echo "tidegate: installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -q >/dev/null
# shellcheck disable=SC2086 - a list of words
$as_root apt-get install -q -y --no-install-recommends $missing >/dev/null
