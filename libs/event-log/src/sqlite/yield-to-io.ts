/** SQLite answers at once, so a busy reader would never let a socket or a timer have its turn. */
export function yieldToIo(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
