/** What to do about what `doctor` found. */
import { ADDON_VARIABLE, type AddonFound } from './addon-search.js';

const PACKAGES = [
  'Debian, Ubuntu: sudo apt-get install -y libzmq3-dev pkg-config g++ make python3',
  'Fedora:         sudo dnf install -y zeromq-devel pkgconf-pkg-config gcc-c++ make python3',
  'Arch:           sudo pacman -S --needed zeromq pkgconf gcc make python',
  'Alpine:         sudo apk add zeromq-dev pkgconf g++ make python3',
  'macOS:          brew install zeromq pkgconf',
];

const REBUILD = 'compile it again: npm rebuild zeromq-threads';

/** For an addon that is nowhere, or cannot be loaded. */
export function addonAdvice(found: AddonFound | undefined, problem: string): string[] {
  if (process.env[ADDON_VARIABLE]) {
    return [`${ADDON_VARIABLE} says which file to load: correct it, or unset it to use the package's own`];
  }
  if (found === undefined) {
    return [
      'it was not compiled when the package was installed (npm install --ignore-scripts does that)',
      'install what it takes, then compile it: npm rebuild zeromq-threads',
      ...PACKAGES,
    ];
  }
  if (/libzmq\.so|libzmq.*dylib/.test(problem)) return ['libzmq is not installed any more:', ...PACKAGES];
  if (/GLIBC|GLIBCXX|CXXABI|musl|undefined symbol/.test(problem)) {
    return [`it was made for other system libraries; ${REBUILD}`];
  }
  if (/invalid ELF|wrong ELF|mach-o|not a valid Win32|architecture|file too short/i.test(problem)) {
    return [`the file is damaged, or for another kind of machine; ${REBUILD}`];
  }
  return [REBUILD];
}

const STEPS: Readonly<Record<string, readonly string[]>> = {
  tcp: [
    'this process cannot talk to itself over 127.0.0.1: is the loopback interface up (ip addr show lo), and is there a',
    'firewall or sandbox that forbids it?',
  ],
  ipc: [
    "sockets cannot be made in the temporary folder: look at TMPDIR, its rights and its file system's kind",
  ],
  worker: [
    'this Node.js may have been built without worker_threads, or its memory limit is too low for another thread',
  ],
};

/** For a step of the self-test that failed. */
export function stepAdvice(step: string): readonly string[] {
  return STEPS[step] ?? ['that should not be: please report it, with this output'];
}
