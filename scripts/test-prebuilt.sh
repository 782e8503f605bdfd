#!/bin/sh
# Runs tests with the addon as it is published, which has a libzmq in it: those of itself, and of all that has much to do
# with libzmq, unless told others.
#   test-prebuilt.sh [vitest arguments]
set -eu
cd "$(dirname "$0")/.."

ZEROMQ_THREADS_ADDON=$(node scripts/prebuilt-file.mjs)
export ZEROMQ_THREADS_ADDON

others=
for name in interop curve-keys options options-range events serve serve-kept-replies pipeline proxy message-memory dead-brokers exit; do
  others="$others test/$name.test.ts"
done
# shellcheck disable=SC2086 # a list of files
[ $# -gt 0 ] || set -- test/prebuilt test/draft $others
# For peers that use the draft API.
exec sh scripts/with-libzmq.sh "$PWD/build-libzmq/current" node node_modules/vitest/vitest.mjs run "$@"
