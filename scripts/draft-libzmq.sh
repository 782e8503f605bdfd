#!/bin/sh
# Builds libzmq with its draft API from the source package of a Debian release, without changing the system.
#   draft-libzmq.sh [RELEASE]     bookworm (4.3.4) unless told; trixie has 4.3.5
#
# The result is build-draft/RELEASE/lib/libzmq.so.5 and its headers beside it. Does nothing if that is there.
# Draft builds have the same ABI for all that is stable: the ordinary addon runs with one,
#   LD_LIBRARY_PATH=build-draft/bookworm/lib
set -eu
cd "$(dirname "$0")/.."

release=${1:-bookworm}
case $release in
  -* | */* | '')
    echo 'usage: draft-libzmq.sh [RELEASE]' >&2
    exit 2
    ;;
esac
target=$PWD/build-draft/$release

say() { printf '[draft] %s\n' "$*"; }
die() {
  printf '[draft] %s\n' "$*" >&2
  exit 1
}

[ ! -e "$target/.done" ] || exit 0

command -v apt-get > /dev/null 2>&1 ||
  die "a Debian system is needed, for its source packages; elsewhere build libzmq with -DENABLE_DRAFTS=ON and put its library into $target/lib"
missing=
for tool in cmake c++ make; do
  command -v "$tool" > /dev/null 2>&1 || missing="$missing $tool"
done
if [ -n "$missing" ]; then
  packages=$(echo "$missing" | sed 's/c++/g++/')
  [ "$(id -u)" = 0 ] || die "missing:$missing - run: sudo apt-get update && sudo apt-get install -y$packages"
  say "installing$packages"
  # shellcheck disable=SC2086 # a list of packages
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages; } \
    > /dev/null < /dev/null || die 'apt-get failed'
fi

rm -rf "$target"
mkdir -p "$target/apt/lists/partial" "$target/source"
trap 'rm -rf "$target"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# The site that the system's own packages come from, with a list of its own: the system's lists stay as they are.
site=$(apt-get indextargets --format '$(SITE) $(COMPONENT)' 'Identifier: Packages' |
  awk '$2 == "main" && $1 ~ /\/debian\/?$/ { print $1; exit }')
[ -n "$site" ] || die 'the system has no Debian archive among its package sources'
echo "deb-src $site $release main" > "$target/apt/sources.list"
apt() {
  apt-get -qq \
    -o Dir::Etc::sourcelist="$target/apt/sources.list" -o Dir::Etc::sourceparts=- \
    -o Dir::State::lists="$target/apt/lists" -o Dir::Cache::srcpkgcache= -o Dir::Cache::pkgcache= \
    -o APT::Sandbox::User="$(id -un)" "$@"
}

say "fetching the source of libzmq in $release"
log=$target/log
{ apt update && cd "$target/source" && apt source --download-only zeromq3; } > "$log" 2>&1 < /dev/null || {
  cat "$log" >&2
  die 'apt-get failed'
}
tar -xzf "$target"/source/zeromq3_*.orig.tar.gz -C "$target/source" --strip-components=1

say "building libzmq $(sed -n 's/^#define ZMQ_VERSION_\(MAJOR\|MINOR\|PATCH\) //p' "$target/source/include/zmq.h" | paste -sd.) with drafts"
cmake -S "$target/source" -B "$target/build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_POLICY_VERSION_MINIMUM=3.5 \
  -DCMAKE_INSTALL_PREFIX="$target" -DCMAKE_INSTALL_LIBDIR=lib -DENABLE_DRAFTS=ON -DENABLE_WS=OFF -DWITH_LIBSODIUM=OFF \
  -DBUILD_TESTS=OFF -DBUILD_STATIC=OFF -DWITH_DOCS=OFF -DWITH_DOC=OFF -DWITH_PERF_TOOL=OFF -DENABLE_CPACK=OFF \
  > "$log" 2>&1 || {
  cat "$log" >&2
  die 'cmake failed'
}
{ cmake --build "$target/build" --parallel 2 && cmake --install "$target/build"; } > "$log" 2>&1 || {
  cat "$log" >&2
  die 'libzmq did not compile'
}
rm -rf "$target/source" "$target/build" "$target/apt" "$log"
: > "$target/.done"
trap - EXIT
say "built $target/lib/libzmq.so.5"
