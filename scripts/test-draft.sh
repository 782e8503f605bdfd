#!/bin/sh
# Runs tests against a libzmq that was built with its draft API: those of the draft API, and those of what it touches
# most, unless told others.
#   test-draft.sh [vitest arguments]
#
# With a sanitizer:
#   sh scripts/with-libzmq.sh "$(sh scripts/build-libzmq.sh)" sh scripts/test-sanitized.sh asan test/draft
set -eu
cd "$(dirname "$0")/.."

libzmq=$(sh scripts/build-libzmq.sh)

others=
for name in socket-types options-table options message receive-modes poller high-water-mark lost-wakeups socket-close; do
  others="$others test/$name.test.ts"
done
# shellcheck disable=SC2086 # a list of files
[ $# -gt 0 ] || set -- test/draft $others
# Without the draft API the tests of it would all be skipped.
sh scripts/with-libzmq.sh "$libzmq" \
  node -e "import('zeromq-threads').then(({ capability: { draft } }) => process.exit(draft ? 0 : 1))" || {
  echo "[draft] the addon did not load the libzmq in $libzmq" >&2
  exit 1
}
exec sh scripts/with-libzmq.sh "$libzmq" node node_modules/vitest/vitest.mjs run "$@"
