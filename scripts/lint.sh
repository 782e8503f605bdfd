#!/bin/sh
# Formatters and linters of both languages. All of them run; fails if one of them did.
#   lint.sh           check
#   lint.sh --write   format, and apply safe fixes
set -u
cd "$(dirname "$0")/.." || exit 1

status=0
step() {
  printf '[lint] %s\n' "$1"
  shift
  "$@" || status=1
}

biome=node_modules/@biomejs/biome/bin/biome
# Colours are written one letter at a time, which makes a log unreadable.
colors=off
[ -t 1 ] && colors=force
sources=$(find native -name '*.cc' -o -name '*.h' | sort)

if [ "${1:-}" = --write ]; then
  step 'biome' node "$biome" check --write --colors=$colors
  # shellcheck disable=SC2086 # a list of files
  step 'clang-format' clang-format -i $sources
  exit $status
fi

# The directory of node_api.h: that of the node that runs this, or the one node-gyp downloaded.
node_headers() {
  prefix=$(node -p "require('path').resolve(fs.realpathSync(process.execPath), '../..')")
  for dir in "$prefix" "$(sed -n 's/.*"nodedir": "\(.*\)".*/\1/p' build/config.gypi 2> /dev/null)"; do
    if [ -f "$dir/include/node/node_api.h" ]; then
      printf '%s' "$dir/include/node"
      return
    fi
  done
}

tidy() {
  # By far the slowest step: skipped when nothing has changed since it last passed.
  stamp=build/.tidy
  if [ -e "$stamp" ] && [ -z "$(find native .clang-tidy -newer "$stamp")" ]; then return; fi
  mkdir -p build
  : > "$stamp.new"
  headers=$(node_headers)
  if [ -z "$headers" ]; then
    echo 'node_api.h was not found; run npm run build:native first' >&2
    return 1
  fi
  addon_api=$(node -p "require('node-addon-api').include_dir")
  log=$stamp.log
  jobs=$(getconf _NPROCESSORS_ONLN 2> /dev/null || echo 2)
  # Other people's headers are system headers here: nothing is reported from inside them.
  # shellcheck disable=SC2046 # flags
  find native -name '*.cc' | sort | xargs -P "$jobs" -I '{}' clang-tidy --quiet '{}' -- -xc++ -std=c++17 \
    -DNAPI_VERSION=8 -DNAPI_CPP_EXCEPTIONS -DBUILDING_NODE_EXTENSION -isystem "$headers" \
    -isystem "$addon_api" $(pkg-config --cflags libzmq) 2> "$log" && mv "$stamp.new" "$stamp" && return
  grep -v 'warnings\{0,1\} generated' "$log" >&2
  return 1
}

step 'biome' node "$biome" ci --error-on-warnings --colors=$colors
# shellcheck disable=SC2086 # a list of files
step 'clang-format' clang-format --dry-run -Werror $sources
step 'clang-tidy' tidy
[ $status = 0 ] && printf '[lint] ok\n'
exit $status
