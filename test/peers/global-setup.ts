/** A vitest globalSetup: compiles the C peer once, before the test files start. */
import { buildCPeer, findPythonPeer } from './build.js';

export default function setup(): void {
  buildCPeer();
  findPythonPeer();
}
