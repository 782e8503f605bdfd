import { runServe } from '../lib/serve-ours.mjs';

await runServe({});
