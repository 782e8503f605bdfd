#!/bin/sh
# Builds the addon with the address or the thread sanitizer and runs the tests with it. Linux only.
#   test-sanitized.sh asan|tsan [vitest arguments]
#
# node itself is not instrumented, so the sanitizer's runtime is preloaded. It sees the addon, and the libc calls
# of everything else, of which scripts/tsan.supp and scripts/sanitizer-reports.mjs leave out what is no fault.
set -eu
cd "$(dirname "$0")/.."
root=$PWD

name=${1:-}
case $name in
  asan | tsan) shift ;;
  *)
    echo 'usage: test-sanitized.sh asan|tsan [vitest arguments]' >&2
    exit 2
    ;;
esac
dir=build-$name
library=lib$name.so

compiler=${CXX:-g++}
runtime=$("$compiler" -print-file-name="$library")
# Exceptions are intercepted, so libstdc++ has to be there before node loads the addon.
cxx=$("$compiler" -print-file-name=libstdc++.so.6)
for file in "$runtime" "$cxx"; do
  if [ ! -e "$file" ]; then
    echo "[sanitize] $compiler has no $file" >&2
    exit 1
  fi
done

sh scripts/build.sh "$name"

# Reports go to files: a test process is killed when its file is done, and its exit code is lost.
rm -rf "$dir/reports"
mkdir "$dir/reports"
log=log_path=$root/$dir/reports/report

ZEROMQ_THREADS_ADDON=$root/$dir/build/Release/zeromq_threads.node
ZMQT_SANITIZER_RUNTIME="$runtime $cxx"
# Leaks are not looked for: node leaves much behind at exit by design. Nor does a report change the exit code: races of
# node's own would fail tests that look at it, and those of the addon are found in the reports.
# Memory that there cannot be is refused, as malloc does: peers announce frames of 2^63 bytes.
ASAN_OPTIONS=detect_leaks=0:detect_odr_violation=0:allocator_may_return_null=1:$log:${ASAN_OPTIONS:-}
TSAN_OPTIONS=suppressions=$root/scripts/tsan.supp:allow_addr2line=1:exitcode=0:allocator_may_return_null=1:$log:${TSAN_OPTIONS:-}
export ZEROMQ_THREADS_ADDON ZMQT_SANITIZER_RUNTIME ASAN_OPTIONS TSAN_OPTIONS

echo "[sanitize] running the tests"
status=0
# Without address randomisation: the thread sanitizer does not know where newer kernels put things.
setarch "$(uname -m)" -R node node_modules/vitest/vitest.mjs run "$@" || status=$?

node scripts/sanitizer-reports.mjs "$dir/reports" || status=1
exit $status
