// The package's install script. A prebuilt addon for this platform is used if there is one; otherwise the
// addon is compiled against the system's libzmq. In a checkout it does nothing: scripts/setup.sh builds there.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

// tsconfig.json is not published.
if (existsSync(path.join(root, 'tsconfig.json'))) process.exit(0);

function hasPrebuild() {
  if (process.env.npm_config_build_from_source) return false;
  try {
    require('node-gyp-build')(root);
    return true;
  } catch {
    return false;
  }
}

/** What to install, as the last thing that is said: compilers and node-gyp say much, and not this. */
function sayWhatIsNeeded(first) {
  console.error(
    [
      first,
      'It needs libzmq 4.3.4 or newer with its headers, pkg-config, a C++17 compiler, make and Python 3:',
      '  Debian, Ubuntu: sudo apt-get install -y libzmq3-dev pkg-config g++ make python3',
      '  Fedora:         sudo dnf install -y zeromq-devel pkgconf-pkg-config gcc-c++ make python3',
      '  Arch:           sudo pacman -S --needed zeromq pkgconf gcc make python',
      '  Alpine:         sudo apk add zeromq-dev pkgconf g++ make python3',
      '  macOS:          xcode-select --install; brew install zeromq pkgconf',
    ].join('\n'),
  );
}

if (!hasPrebuild()) {
  const libzmq = spawnSync('pkg-config', ['--atleast-version=4.3.4', 'libzmq']);
  if (process.platform !== 'win32' && libzmq.status !== 0) {
    sayWhatIsNeeded('zeromq-threads is compiled here, and pkg-config or libzmq is missing.');
    process.exit(1);
  }
  const builder = path.join(path.dirname(require.resolve('node-gyp-build/package.json')), 'bin.js');
  const { status, error } = spawnSync(process.execPath, [builder], { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) sayWhatIsNeeded('zeromq-threads is compiled here, and that failed: the reason is above.');
  process.exit(status ?? 1);
}
