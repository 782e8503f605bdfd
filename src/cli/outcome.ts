/**
 * How a command ends: its exit status, and the line that says why.
 */
import { ArgumentError, TimeoutError, ZmqError } from '../errors.js';

/** Exit statuses. Those above 128 are the ones that a shell gives to a program that the signal ended. */
export const EXIT = {
  success: 0,
  failure: 1,
  usage: 2,
  /** As coreutils' `timeout` has it. */
  timeout: 124,
  hangUp: 129,
  interrupted: 130,
  brokenPipe: 141,
  terminated: 143,
} as const;

/** Ends a command with a line on stderr. */
export class CommandError extends Error {
  constructor(
    message: string,
    readonly exitCode: number = EXIT.failure,
  ) {
    super(message);
  }
}

/** The command line, or what was given to the command, is wrong. */
export function usageError(message: string): CommandError {
  return new CommandError(message, EXIT.usage);
}

/** Endpoints and options that can be no good anywhere; what a machine lacks at the moment is a failure. */
const BAD_INPUT = new Set(['EINVAL', 'EPROTONOSUPPORT', 'ENOCOMPATPROTO', 'ENOTSUP']);

/** Runs `body`, in which libzmq looks at what the command line says. */
export function checkingInput<Result>(body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    if (error instanceof ZmqError && BAD_INPUT.has(error.code)) throw usageError(error.message);
    throw error;
  }
}

/** The status and the text for what a command threw. An error that nobody expects shows where it comes from. */
export function outcomeOf(error: unknown): { exitCode: number; message: string } {
  if (error instanceof CommandError) return { exitCode: error.exitCode, message: error.message };
  if (error instanceof TimeoutError) return { exitCode: EXIT.timeout, message: error.message };
  if (error instanceof ArgumentError) return { exitCode: EXIT.usage, message: error.message };
  if (error instanceof ZmqError || isSystemError(error)) {
    return { exitCode: EXIT.failure, message: error.message };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { exitCode: EXIT.failure, message };
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';
}
