/**
 * Files that are loaded by their address and not by an import: what Workers, handler threads and other processes begin
 * with. All of them are named here, because an address is relative to the file that has it, and most files are bundled
 * into one of this folder (scripts/bundle.mjs, which bundles what is named here).
 */
export const IO_WORKER = new URL('../workers/io-worker.js', import.meta.url);
export const ZAP_THREAD = new URL('../workers/zap-thread.js', import.meta.url);
export const HANDLER_THREAD = new URL('../workers/handler-thread.js', import.meta.url);
export const REPLY_OUTLET = new URL('./serve/reply-outlet.js', import.meta.url);
export const STAGE_OUTLET = new URL('./pipeline/stage-outlet.js', import.meta.url);
export const COMMAND_LINE = new URL('./cli/main.js', import.meta.url);
export const DOCTOR_SELF_TEST = new URL('./cli/doctor-self-test.js', import.meta.url);
