#!/bin/sh
# Runs the tests against a libzmq that was built with its draft API: those of the draft API unless told others.
#   test-draft.sh [vitest arguments]
set -eu
cd "$(dirname "$0")/.."

sh scripts/draft-libzmq.sh
library=$PWD/build-draft/bookworm/lib
LD_LIBRARY_PATH=$library${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
PKG_CONFIG_PATH=$library/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export LD_LIBRARY_PATH PKG_CONFIG_PATH

[ $# -gt 0 ] || set -- test/draft
# Without the draft API the tests of it would all be skipped.
node -e "import('zeromq-threads').then(({ capability: { draft } }) => process.exit(draft ? 0 : 1))" || {
  echo "[draft] the addon did not load the libzmq in $library" >&2
  exit 1
}
exec node node_modules/vitest/vitest.mjs run "$@"
