/** Waits of tests that end: each names its step, so that a hang says where. */

/** Settles as `promise` does, or rejects once `milliseconds` have passed. */
export async function within<Value>(
  step: string,
  promise: PromiseLike<Value>,
  milliseconds = 10_000,
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${milliseconds} ms passed before: ${step}`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Whether `promise` is still unsettled after `milliseconds`: for steps that have to wait. A slow machine can only
 * make this true too often, never fail a test that should pass.
 */
export async function isPending(promise: PromiseLike<unknown>, milliseconds = 50): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const settled = Promise.resolve(promise).then(
    () => false,
    () => false,
  );
  const pending = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, milliseconds, true);
  });
  try {
    return await Promise.race([settled, pending]);
  } finally {
    clearTimeout(timer);
  }
}

/** One turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
