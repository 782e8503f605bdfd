#!/bin/sh
# Builds, whether stale or not; scripts/setup.sh calls this when something has changed.
#   build.sh             the addon and the TypeScript
#   build.sh native      the addon
#   build.sh ts          the TypeScript
#   build.sh asan|tsan   the addon with a sanitizer: build-asan/ or build-tsan/build/Release/zeromq_threads.node
#
# A stamp is made before a build and put in place after it: a file saved while the build runs is newer
# than the stamp, so the next setup.sh builds again.
set -eu
cd "$(dirname "$0")/.."
root=$PWD

say() { printf '[build] %s\n' "$*"; }

# node_gyp DIRECTORY [OPTION...]: compiles what binding.gyp in the directory says into its build/.
node_gyp() (
  cd "$1"
  shift
  mkdir -p build
  log=build/.log
  # The headers that came with this very node, when it has them: node-gyp then downloads nothing.
  prefix=$(node -p "require('path').resolve(fs.realpathSync(process.execPath), '../..')")
  if [ -z "${npm_config_nodedir:-}" ] && [ -f "$prefix/include/node/node_api.h" ]; then
    set -- "$@" --nodedir="$prefix"
  fi
  if ! node "$root/node_modules/node-gyp/bin/node-gyp.js" configure build --jobs max "$@" > "$log" 2>&1; then
    cat "$log" >&2
    say 'the addon did not compile' >&2
    exit 1
  fi
  grep -A 6 'warning:' "$log" >&2 || true
)

build_native() {
  say 'compiling the addon'
  mkdir -p build
  : > build/.stamp.new
  node_gyp .
  mv build/.stamp.new build/.stamp
}

# In a package directory of its own, all links: node-gyp puts its output under it and nowhere else.
build_sanitized() {
  say "compiling the addon with -fsanitize=$2"
  mkdir -p "$1"
  for name in binding.gyp package.json native node_modules; do
    [ -e "$1/$name" ] || ln -s "../$name" "$1/$name"
  done
  node_gyp "$1" --sanitize="$2"
}

build_ts() {
  say 'compiling TypeScript'
  mkdir -p dist
  : > dist/.stamp.new
  node node_modules/typescript/bin/tsc -p tsconfig.json
  node scripts/bundle.mjs
  node scripts/declarations.mjs
  chmod +x dist/bundle/src/cli/main.js
  mv dist/.stamp.new dist/.stamp
}

case "${1:-all}" in
  native) build_native ;;
  ts) build_ts ;;
  asan) build_sanitized build-asan address ;;
  tsan) build_sanitized build-tsan thread ;;
  all)
    build_native
    build_ts
    ;;
  *)
    echo 'usage: build.sh [native|ts|asan|tsan]' >&2
    exit 2
    ;;
esac
