#!/bin/sh
# Builds, whether stale or not; scripts/setup.sh calls this when something has changed.
#   build.sh             the addon and the TypeScript
#   build.sh native      the addon
#   build.sh ts          the TypeScript
#   build.sh asan|tsan   the addon with a sanitizer: build-asan/ or build-tsan/build/Release/zeromq_threads.node
#   build.sh prebuilt [RELEASE|DIRECTORY]
#                        the addon with a libzmq of its own in it, as the published package brings it along:
#                        prebuilds/PLATFORM-ARCHITECTURE/; which libzmq is said as to scripts/build-libzmq.sh,
#                        and stays the same until told otherwise
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

# A package directory of its own, all links: node-gyp puts its output under it and nowhere else.
link_package() {
  mkdir -p "$1"
  for name in binding.gyp package.json native node_modules; do
    [ -e "$1/$name" ] || ln -s "../$name" "$1/$name"
  done
}

build_sanitized() {
  say "compiling the addon with -fsanitize=$2"
  link_package "$1"
  node_gyp "$1" --sanitize="$2"
}

# With the libzmq of its last build, unless told which.
build_prebuilt() {
  which=${1:-$(cat build-prebuilt/.libzmq 2> /dev/null || echo bookworm)}
  libzmq=$(sh scripts/build-libzmq.sh "$which")
  sodium=
  for licence in "$(pkg-config --variable=prefix libsodium)/LICENSE" /usr/share/doc/libsodium*/copyright; do
    [ ! -e "$licence" ] || sodium=$licence
  done
  if [ -z "$sodium" ]; then
    say 'the licence of libsodium, which has to be with it, was not found' >&2
    exit 1
  fi
  say 'compiling the addon with libzmq in it'
  # make does not look whether an archive or a header of another folder has changed.
  if [ -z "$(find build-prebuilt/.stamp -newer "$libzmq/.done" 2> /dev/null)" ] ||
    [ "$which" != "$(cat build-prebuilt/.libzmq)" ]; then
    rm -rf build-prebuilt/build
  fi
  link_package build-prebuilt
  : > build-prebuilt/.stamp.new
  node_gyp build-prebuilt --libzmq="$libzmq"
  file=$(node scripts/prebuilt-file.mjs)
  folder=$(dirname "$file")
  mkdir -p "$folder"
  strip -x -o "$folder/.new" build-prebuilt/build/Release/zeromq_threads.node
  mv "$folder/.new" "$file"
  cp "$libzmq/LICENSE.libzmq" "$folder/LICENSE.libzmq"
  cp "$sodium" "$folder/LICENSE.libsodium"
  echo "$which" > build-prebuilt/.libzmq
  ln -sfn "$(basename "$libzmq")" build-libzmq/current
  mv build-prebuilt/.stamp.new build-prebuilt/.stamp
  say "built $file"
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
  prebuilt)
    shift
    build_prebuilt "$@"
    ;;
  all)
    build_native
    build_ts
    ;;
  *)
    echo 'usage: build.sh [native|ts|asan|tsan|prebuilt [RELEASE|DIRECTORY]]' >&2
    exit 2
    ;;
esac
