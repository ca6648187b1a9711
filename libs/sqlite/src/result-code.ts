/** SQLite's primary result code; the higher bits distinguish variants of it. Undefined: not an error of SQLite. */
export function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : undefined;
}

/** Whether SQLite refused because another connection has the lock. Source: sqlite.org/rescode.html#busy. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === 5;
}
