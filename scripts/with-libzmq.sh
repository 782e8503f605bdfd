#!/bin/sh
# Runs a command with a libzmq that scripts/build-libzmq.sh built: what it starts loads that one, and compiles against it.
#   with-libzmq.sh DIRECTORY COMMAND [ARGUMENT...]
set -eu
library=$1/lib
shift
LD_LIBRARY_PATH=$library${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
PKG_CONFIG_PATH=$library/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export LD_LIBRARY_PATH PKG_CONFIG_PATH
exec "$@"
