#!/bin/sh
# Packs the package, installs it in empty folders as users would, once with the prebuilt addon and once compiling one,
# has it look after itself there, and compiles a strict program against its declarations.
set -eu
cd "$(dirname "$0")/.."
modules=$PWD/node_modules

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm pack --silent --pack-destination "$folder" > /dev/null

# install FOLDER ORIGIN: with what doctor has to say about where the addon is from.
install() {
  mkdir "$folder/$1"
  cd "$folder/$1"
  printf '{ "name": "user", "private": true, "type": "module" }\n' > package.json
  npm install --no-audit --no-fund --loglevel=error ../zeromq-threads-*.tgz > install.log 2>&1 || {
    cat install.log >&2
    exit 1
  }
  npx --no-install zeromq-threads doctor > doctor.log || {
    cat doctor.log >&2
    exit 1
  }
  cat doctor.log
  grep -q "addon  *$2" doctor.log || {
    echo "the addon is not the one that $2" >&2
    exit 1
  }
}
install prebuilt 'came with the package'
export npm_config_build_from_source=true
install compiled 'compiled on this machine'

cat > app.js << 'APP'
import { Pull, Push } from 'zeromq-threads';
const [pull, push] = [new Pull(), new Push()];
push.connect(pull.bind('tcp://127.0.0.1:*'));
await push.send('from the packed package');
console.log(await pull.recv('utf8'));
APP
node app.js
cat > app.ts << 'APP'
import { type Message, Pull, pipeline, serve } from 'zeromq-threads';
import { Server } from 'zeromq-threads/draft';
const messages: Promise<Message[]> = new Pull().receive();
void [messages, pipeline, serve, Server];
APP
mkdir -p node_modules/@types
ln -s "$modules/@types/node" node_modules/@types/node
node "$modules/typescript/bin/tsc" --ignoreConfig --strict --noEmit --module nodenext --types node app.ts
