/**
 * Returns true when the work resolves before the signal aborts, false when the signal is first; rejects as the work does until then. For
 * work on an engine that may never answer.
 */
export async function settledBefore(work: Promise<unknown>, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const onAbort = (): void => resolve(false);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work.then(() => true), promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
