/**
 * What an AbortSignal cancels. All that waits with one signal shares one listener: of eleven Node.js warns as of a leak,
 * and to take one off it searches through all of them.
 */
const signals = new WeakMap<AbortSignal, Cancellation>();

class Cancellation {
  private readonly calls = new Set<() => void>();

  constructor(private readonly signal: AbortSignal) {}

  add(call: () => void): void {
    // A signal with a listener is kept from the garbage collector: there is none while nothing waits.
    if (this.calls.size === 0) this.signal.addEventListener('abort', this.cancel);
    this.calls.add(call);
  }

  delete(call: () => void): void {
    if (!this.calls.delete(call) || this.calls.size > 0) return;
    this.signal.removeEventListener('abort', this.cancel);
  }

  private readonly cancel = (): void => {
    for (const call of [...this.calls]) {
      // One that was called before may have ended this one.
      if (this.calls.has(call)) call();
    }
  };
}

/** Has `call` called when the signal is aborted, in the order of these calls, until `ignoreAbort`. */
export function onAbort(signal: AbortSignal, call: () => void): void {
  let cancellation = signals.get(signal);
  if (cancellation === undefined) {
    cancellation = new Cancellation(signal);
    signals.set(signal, cancellation);
  }
  cancellation.add(call);
}

export function ignoreAbort(signal: AbortSignal, call: () => void): void {
  signals.get(signal)?.delete(call);
}
