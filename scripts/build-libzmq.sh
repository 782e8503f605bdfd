#!/bin/sh
# Builds libzmq, with its draft API and CURVE, from the source package of a Debian release, without changing the system.
#   build-libzmq.sh [RELEASE]     bookworm (4.3.4) unless told; trixie has 4.3.5
#   build-libzmq.sh DIRECTORY     from a source tree of libzmq, into build-libzmq/source, on any system
#
# The result is build-libzmq/RELEASE/, of which it prints the path: include/, lib/libzmq.so.5 and lib/libzmq.a, its licence
# beside them. Builds nothing if that is there. With the archive scripts/build.sh prebuilt makes an addon that needs no
# libzmq. The library has the same ABI for all that is stable: the ordinary addon runs with it, too, by
# scripts/with-libzmq.sh.
set -eu
cd "$(dirname "$0")/.."

release=${1:-bookworm}
given=
case $release in
  -* | '')
    echo 'usage: build-libzmq.sh [RELEASE | DIRECTORY]' >&2
    exit 2
    ;;
  */* | .)
    given=$(cd "$release" && pwd)
    release=source
    ;;
esac
target=$PWD/build-libzmq/$release

say() { printf '[libzmq] %s\n' "$*" >&2; }
die() {
  say "$@"
  exit 1
}

# Built by this very script? What is in a directory is built each time.
if [ -z "$given" ] && [ -e "$target/.done" ] &&
  [ -z "$(find scripts/build-libzmq.sh -newer "$target/.done")" ]; then
  echo "$target"
  exit 0
fi

[ -n "$given" ] || command -v apt-get > /dev/null 2>&1 ||
  die 'a Debian system is needed, for its source packages; elsewhere name the directory of a source tree of libzmq'
missing=
for tool in cmake c++ make pkg-config; do
  command -v "$tool" > /dev/null 2>&1 || missing="$missing $tool"
done
pkg-config --exists libsodium 2> /dev/null || missing="$missing libsodium"
if [ -z "$given" ]; then
  for tool in patch xz; do
    command -v "$tool" > /dev/null 2>&1 || missing="$missing $tool"
  done
fi
if [ -n "$missing" ]; then
  command -v apt-get > /dev/null 2>&1 || die "missing:$missing"
  packages=$(echo "$missing" | sed 's/c++/g++/; s/xz/xz-utils/; s/libsodium/libsodium-dev/')
  [ "$(id -u)" = 0 ] || die "missing:$missing - run: sudo apt-get update && sudo apt-get install -y$packages"
  say "installing$packages"
  # shellcheck disable=SC2086 # a list of packages
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages; } \
    > /dev/null < /dev/null || die 'apt-get failed'
fi

# Put in place when it is complete: what is there is used meanwhile, and two builds do not meet.
mkdir -p build-libzmq
work=$(mktemp -d "$PWD/build-libzmq/.new-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
: > "$work/done"
log=$work/log
source=$given

# The source package of the release, with the patches that the release has, into $source.
fetch_source() {
  source=$work/source
  mkdir -p "$work/apt/lists/partial" "$source"
  # The site that the system's own packages come from, with a list of its own: the system's lists stay as they are.
  site=$(apt-get indextargets --format '$(SITE) $(COMPONENT)' 'Identifier: Packages' |
    awk '$2 == "main" && $1 ~ /\/debian\/?$/ { print $1; exit }')
  [ -n "$site" ] || die 'the system has no Debian archive among its package sources'
  echo "deb-src $site $release main" > "$work/apt/sources.list"
  apt() {
    apt-get -qq \
      -o Dir::Etc::sourcelist="$work/apt/sources.list" -o Dir::Etc::sourceparts=- \
      -o Dir::State::lists="$work/apt/lists" -o Dir::Cache::srcpkgcache= -o Dir::Cache::pkgcache= \
      -o APT::Sandbox::User="$(id -un)" "$@"
  }
  say "fetching the source of libzmq in $release"
  { apt update && cd "$work/apt" && apt source --download-only zeromq3; } > "$log" 2>&1 < /dev/null || {
    cat "$log" >&2
    die 'apt-get failed'
  }
  tar -xzf "$work"/apt/zeromq3_*.orig.tar.gz -C "$source" --strip-components=1
  xz -dc "$work"/apt/zeromq3_*.debian.tar.xz | tar -xf - -C "$source"
  if [ -e "$source/debian/patches/series" ]; then
    sed 's/#.*//; /^[[:space:]]*$/d' "$source/debian/patches/series" | while read -r patch; do
      patch -d "$source" -p1 --batch --silent -i "debian/patches/$patch" > "$log" 2>&1 < /dev/null || {
        cat "$log" >&2
        die "the patch $patch does not apply"
      }
    done
  fi
}
if [ -z "$given" ]; then
  (fetch_source)
  source=$work/source
fi

say "building libzmq $(sed -n 's/^#define ZMQ_VERSION_\(MAJOR\|MINOR\|PATCH\) //p' "$source/include/zmq.h" | paste -sd.) with drafts"
# Its assertions name their files.
names="-ffile-prefix-map=$source=libzmq"
cmake -S "$source" -B "$work/build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_POLICY_VERSION_MINIMUM=3.5 \
  -DCMAKE_C_FLAGS="$names" -DCMAKE_CXX_FLAGS="$names" -DCMAKE_POSITION_INDEPENDENT_CODE=ON \
  -DCMAKE_INSTALL_PREFIX="$target" -DCMAKE_INSTALL_LIBDIR=lib \
  -DENABLE_DRAFTS=ON -DENABLE_RADIX_TREE=OFF -DENABLE_WS=OFF -DWITH_LIBBSD=OFF -DENABLE_CURVE=ON -DWITH_LIBSODIUM=ON \
  -DBUILD_SHARED=ON -DBUILD_STATIC=ON -DBUILD_TESTS=OFF -DWITH_DOCS=OFF -DWITH_DOC=OFF -DWITH_PERF_TOOL=OFF \
  -DENABLE_CPACK=OFF > "$log" 2>&1 || {
  cat "$log" >&2
  die 'cmake failed'
}
{ cmake --build "$work/build" --parallel 2 && DESTDIR=$work/root cmake --install "$work/build"; } > "$log" 2>&1 || {
  cat "$log" >&2
  die 'libzmq did not compile'
}
# COPYING.LESSER with its exception for linking until 4.3.4, LICENSE since.
for licence in LICENSE COPYING.LESSER; do
  [ ! -e "$source/$licence" ] || { cp "$source/$licence" "$work/root$target/LICENSE.libzmq" && break; }
done
mv "$work/done" "$work/root$target/.done"
rm -rf "$target"
mv "$work/root$target" "$target"
say "built $target/lib/libzmq.so.5"
echo "$target"
