#!/bin/sh
# Runs the tests with another Node.js version and the addon as built (Node-API is the same for all of them).
#   npm run test:node -- 22 [vitest arguments]
# The version is a major or full version of the npm packages node-<platform>-<arch>; kept under .cache/.
set -eu
cd "$(dirname "$0")/.."

if [ $# = 0 ]; then
  echo 'usage: npm run test:node -- VERSION [vitest arguments]' >&2
  exit 2
fi
version=$1
shift

package=$(node -p '`node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`')
home=$PWD/.cache/node-$version
bin=$home/node_modules/$package/bin

if [ ! -x "$bin/node" ]; then
  echo "[test:node] fetching $package@$version"
  mkdir -p "$home"
  npm install --prefix "$home" --no-save --no-package-lock --ignore-scripts --no-audit --no-fund \
    --loglevel=error "$package@$version" > /dev/null
fi

PATH=$bin:$PATH
export PATH
echo "[test:node] $(node --version)"
exec "$bin/node" node_modules/vitest/vitest.mjs run "$@"
