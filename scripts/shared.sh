# shellcheck shell=bash
# What the scripts beside this file share; they source it.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PATH=$PATH:/usr/sbin:/sbin # dockerd and sshd are there, and a user's PATH often is not

say() {
    printf 'tinyforge: %s\n' "$*" >&2
}

die() {
    say "$@"
    exit 1
}

# announce WHAT HOW: says what is missing and how it comes here, before it does; TINYFORGE_SETUP=never ends it there.
announce() {
    [ "${TINYFORGE_SETUP:-}" != never ] || die "$1. TINYFORGE_SETUP=never: not doing this: $2"
    say "$1: $2"
}

may_use_apt() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null
}

# apt_install PACKAGE...: never removes a package, and waits for another apt that is at work, as on a machine's first boot.
apt_install() {
    local options=(-y -qq --no-install-recommends --no-remove -o DPkg::Lock::Timeout=300) printed
    apt-get update -qq </dev/null || say "apt-get update failed, going on with the package lists that are here"
    printed=$(DEBIAN_FRONTEND=noninteractive apt-get install "${options[@]}" "$@" </dev/null 2>&1) || {
        printf '%s\n' "$printed" >&2
        die "apt-get could not install: $*"
    }
}

# engine_packages: prints Debian's packages for a Docker Engine.
engine_packages() {
    echo docker.io
    if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ] && ! command -v apparmor_parser >/dev/null; then
        echo apparmor # docker.io only recommends it, but with AppArmor in the kernel no container starts without it
    fi
}
