import { enableCompileCache } from 'node:module';

// Stripping types and compiling is most of the start; the second start finds it done.
enableCompileCache();
// Data, positions and reports hold what was logged: they are for the user who runs this.
process.umask(0o077);
const { createCli, explain } = await import('./cli.ts');
const { escapeOutput } = await import('@logloom/telemetry/escape-controls');

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    // A second Ctrl-C does not wait for the drain; what was acknowledged is on the disk.
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  });
}
// `logloom search | head` closes the pipe; that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

try {
  await createCli({
    env: process.env,
    signal: stop.signal,
    write: (line) => process.stdout.write(`${escapeOutput(line)}\n`),
    note: (line) => process.stderr.write(`${escapeOutput(line)}\n`),
  }).parseAsync();
} catch (error) {
  const { exitCode, message } = explain(error, process.env);
  if (message !== '') process.stderr.write(`logloom: ${escapeOutput(message)}\n`);
  process.exitCode = exitCode;
}
