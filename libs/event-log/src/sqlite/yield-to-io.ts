/** SQLite calls are synchronous, so a busy reader would starve sockets and timers. */
export function yieldToIo(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
