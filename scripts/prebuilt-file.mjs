// Prints where this platform's prebuilt addon is, or will be: named as node-gyp-build finds it.
import { fileURLToPath } from 'node:url';

function libc() {
  if (process.platform !== 'linux') return '';
  return process.report.getReport().header.glibcVersionRuntime ? '.glibc' : '.musl';
}

const { platform, arch } = process;
export const PREBUILT_FILE = fileURLToPath(
  new URL(`../prebuilds/${platform}-${arch}/zeromq-threads${libc()}.node`, import.meta.url),
);

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(PREBUILT_FILE);
