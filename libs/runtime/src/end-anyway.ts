/** How long a service may take to drain, besides what viewers are given to leave: an engine may never answer. In ms. */
const drainMs = 20_000;

/**
 * Ends the process when it has not ended by itself until then: as a kill would, which loses nothing that was acknowledged. `liveDrainMs`
 * is what viewers are given to leave; `command` names the process.
 */
export function endAnyway(
  command: string,
  liveDrainMs: number,
  end: () => void = () => process.exit(1),
): void {
  const afterMs = drainMs + liveDrainMs;
  setTimeout(() => {
    process.stderr.write(`logloom ${command}: not drained after ${afterMs} ms, it ends all the same\n`);
    end();
  }, afterMs).unref();
}
