#!/bin/sh
# Makes a checkout ready to use: system packages, node_modules, the addon, the TypeScript.
# Does only what is missing or stale, and prints nothing when that is nothing.
#
#   setup.sh           what building and running need
#   setup.sh --test    and what the tests need: a C compiler pyzmq and czmq, for peers in other languages; Linux's ip
#   setup.sh --bench   and what the benchmarks need: a C compiler, pyzmq, bench/node_modules
#   setup.sh --prebuilt   and the addon as it is published, with a libzmq in it: prebuilds/
#   setup.sh --lint    and what the linters need; builds nothing
set -eu
cd "$(dirname "$0")/.."

want_test=
want_lint=
want_bench=
want_prebuilt=
for argument in "$@"; do
  case $argument in
    --test) want_test=1 ;;
    --lint) want_lint=1 ;;
    --bench) want_bench=1 ;;
    --prebuilt) want_prebuilt=1 ;;
    *)
      echo 'usage: setup.sh [--test] [--bench] [--prebuilt] [--lint]' >&2
      exit 2
      ;;
  esac
done

say() { printf '[setup] %s\n' "$*"; }
die() {
  printf '[setup] %s\n' "$*" >&2
  exit 1
}
have() { command -v "$1" > /dev/null 2>&1; }

# --- system packages -------------------------------------------------------------------------------

# Tests start Python peers with /usr/bin/python3 if that one has pyzmq, otherwise with the first in PATH.
have_pyzmq() {
  for python in "${ZMQT_PYTHON:-}" /usr/bin/python3 python3; do
    if [ -n "$python" ] && have "$python" &&
      "$python" -c 'import importlib.util as u, sys; sys.exit(u.find_spec("zmq") is None)' \
        2> /dev/null; then
      return 0
    fi
  done
  return 1
}

# Prints what is missing, one word each.
missing_tools() {
  { have pkg-config && pkg-config --atleast-version=4.3.4 libzmq; } || echo libzmq
  have pkg-config || echo pkg-config
  { have make && { have c++ || have g++ || have clang++; }; } || echo compiler
  have python3 || have python || echo python
  if [ -n "$want_test$want_bench" ]; then
    have gcc || have cc || have clang || echo cc
    have_pyzmq || echo pyzmq
  fi
  if [ -n "$want_test" ]; then
    { have pkg-config && pkg-config --exists libczmq; } || echo czmq
    [ "$(uname -s)" != Linux ] || have ip || echo ip
  fi
  if [ -n "$want_lint" ]; then
    have clang-format || echo clang-format
    have clang-tidy || echo clang-tidy
  fi
}

# Prints the packages of one system that supply the tools in $missing.
packages() {
  for tool in $missing; do
    case $1:$tool in
      apt:libzmq) echo libzmq3-dev ;;
      apt:compiler) echo g++ make ;;
      apt:python) echo python3 ;;
      apt:cc) echo gcc libc6-dev ;;
      apt:pyzmq) echo python3-zmq ;;
      apt:czmq) echo libczmq-dev ;;
      apt:ip) echo iproute2 ;;
      dnf:libzmq) echo zeromq-devel ;;
      dnf:pkg-config) echo pkgconf-pkg-config ;;
      dnf:compiler) echo gcc-c++ make ;;
      dnf:python) echo python3 ;;
      dnf:cc) echo gcc ;;
      dnf:pyzmq) echo python3-zmq ;;
      dnf:czmq) echo czmq-devel ;;
      dnf:ip) echo iproute ;;
      dnf:clang-*) echo clang-tools-extra ;;
      pacman:libzmq) echo zeromq ;;
      pacman:pkg-config) echo pkgconf ;;
      pacman:compiler) echo gcc make ;;
      pacman:cc) echo gcc ;;
      pacman:pyzmq) echo python-pyzmq ;;
      pacman:ip) echo iproute2 ;;
      pacman:clang-*) echo clang ;;
      apk:libzmq) echo zeromq-dev ;;
      apk:pkg-config) echo pkgconf ;;
      apk:compiler) echo g++ make ;;
      apk:python) echo python3 ;;
      apk:cc) echo gcc musl-dev ;;
      apk:pyzmq) echo py3-pyzmq ;;
      apk:czmq) echo czmq-dev ;;
      apk:ip) echo iproute2 ;;
      apk:clang-*) echo clang-extra-tools ;;
      brew:libzmq) echo zeromq ;;
      brew:pkg-config) echo pkgconf ;;
      brew:compiler | brew:cc) ;;
      brew:pyzmq) ;;
      brew:clang-*) echo llvm ;;
      *) echo "$tool" ;;
    esac
  done | tr ' ' '\n' | sort -u | tr '\n' ' ' | sed 's/ $//'
}

missing=$(missing_tools)
if [ -n "$missing" ]; then
  missing=$(echo "$missing" | tr '\n' ' ')
  if have apt-get; then
    wanted=$(packages apt)
    if [ "$(id -u)" = 0 ]; then
      say "installing $wanted"
      log=$(mktemp)
      # shellcheck disable=SC2086 # a list of packages
      if ! { apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted; } \
        > "$log" 2>&1 < /dev/null; then
        cat "$log" >&2
        rm -f "$log"
        die 'apt-get failed'
      fi
      rm -f "$log"
      missing=$(missing_tools | tr '\n' ' ')
      [ -z "$missing" ] || die "still missing after apt-get install $wanted: $missing(libzmq must be 4.3.4 or newer)"
    else
      die "missing: $missing- run: sudo apt-get update && sudo apt-get install -y $wanted"
    fi
  elif have dnf; then
    die "missing: $missing- run: sudo dnf install -y $(packages dnf)"
  elif have pacman; then
    die "missing: $missing- run: sudo pacman -S --needed $(packages pacman)"
  elif have apk; then
    die "missing: $missing- run: sudo apk add $(packages apk)"
  elif [ "$(uname -s)" = Darwin ]; then
    command=
    case " $missing" in *' compiler '* | *' cc '*) command='xcode-select --install; ' ;; esac
    wanted=$(packages brew)
    [ -z "$wanted" ] || command="${command}brew install $wanted; "
    case " $missing" in *' pyzmq '*) command="${command}python3 -m pip install pyzmq; " ;; esac
    die "missing: $missing- run: ${command%; }"
  else
    die "missing: $missing- install libzmq (4.3.4 or newer) with its headers, pkg-config, a C++17 compiler, make and Python 3${want_test:+, pyzmq and czmq}${want_bench:+, pyzmq}${want_lint:+, and clang-format and clang-tidy}"
  fi
fi

# --- node and node_modules -------------------------------------------------------------------------

have node || die 'Node.js 20.19 or newer is needed: https://nodejs.org/'
version=$(node --version)
major=${version#v}
minor=${major#*.}
major=${major%%.*}
minor=${minor%%.*}
if [ "$major" -lt 20 ] || { [ "$major" -eq 20 ] && [ "$minor" -lt 19 ]; }; then
  die "Node.js 20.19 or newer is needed, this is $version"
fi

# The stamp is the lock file that was installed from.
modules_stale() { ! cmp -s package-lock.json node_modules/.installed-lock.json; }
bench_modules_stale() {
  [ -n "$want_bench" ] && ! cmp -s bench/package-lock.json bench/node_modules/.installed-lock.json
}

# stale STAMP PATH...: is anything under the paths newer than the stamp?
stale() {
  stamp=$1
  shift
  [ ! -e "$stamp" ] || [ -n "$(find "$@" -newer "$stamp" 2> /dev/null | head -n 1)" ]
}
native_stale() {
  [ ! -e build/Release/zeromq_threads.node ] ||
    stale build/.stamp native binding.gyp node_modules/.installed-lock.json
}
prebuilt_stale() {
  [ -n "$want_prebuilt" ] || return 1
  [ ! -e "$(node scripts/prebuilt-file.mjs)" ] ||
    stale build-prebuilt/.stamp native binding.gyp scripts/build.sh scripts/build-libzmq.sh scripts/prebuilt-file.mjs \
      node_modules/.installed-lock.json
}
ts_stale() {
  [ ! -e dist/bundle/src/index.js ] ||
    stale dist/.stamp src workers scripts/bundle.mjs scripts/declarations.mjs tsconfig.json \
      node_modules/.installed-lock.json
}
anything_stale() {
  modules_stale || bench_modules_stale || { [ -z "$want_lint" ] && { native_stale || prebuilt_stale || ts_stale; }; }
}

anything_stale || exit 0

# One at a time: two test runs in one checkout must not build over each other.
lock=.setup.lock
waited=
while ! mkdir "$lock" 2> /dev/null; do
  holder=$(cat "$lock/pid" 2> /dev/null || true)
  if [ -n "$holder" ] && ! kill -0 "$holder" 2> /dev/null; then
    rm -rf "$lock"
    continue
  fi
  [ -n "$waited" ] || say "waiting for another setup (process ${holder:-unknown}, lock $lock)"
  waited=1
  sleep 1
done
echo $$ > "$lock/pid"
trap 'rm -rf "$lock"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

if modules_stale; then
  say 'installing npm packages'
  # No scripts: what is to be built is built below.
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error > /dev/null || die 'npm ci failed'
  cp package-lock.json node_modules/.installed-lock.json
fi
if bench_modules_stale; then
  say 'installing npm packages of bench'
  # npm zeromq brings its binary along: no scripts here either.
  npm --prefix bench ci --ignore-scripts --no-audit --no-fund --loglevel=error > /dev/null || die 'npm ci failed in bench'
  cp bench/package-lock.json bench/node_modules/.installed-lock.json
fi
[ -z "$want_lint" ] || exit 0
if native_stale; then sh scripts/build.sh native; fi
if prebuilt_stale; then sh scripts/build.sh prebuilt; fi
if ts_stale; then sh scripts/build.sh ts; fi
