/** How long a service may take to drain, beyond the time for viewers to disconnect: an engine may never answer. In ms. */
const drainMs = 20_000;

/**
 * Ends the process if it has not ended by itself in time. That is like a kill, which loses nothing that was acknowledged. `liveDrainMs` is
 * the time for viewers to disconnect; `command` names the process.
 */
export function endAnyway(
  command: string,
  liveDrainMs: number,
  end: () => void = () => process.exit(1),
): void {
  const afterMs = drainMs + liveDrainMs;
  setTimeout(() => {
    process.stderr.write(`logloom ${command}: not drained after ${afterMs} ms; exiting anyway\n`);
    end();
  }, afterMs).unref();
}

/** How long what was given up may still hold the process, in ms. */
const lingerMs = 1_000;

/**
 * Ends a process whose work is over, with its exit code: an engine's client may keep trying, for many seconds, what nobody waits for any
 * more. A process that nothing holds has ended before.
 */
export function endSoon(end: () => void = () => process.exit()): void {
  setTimeout(end, lingerMs).unref();
}
