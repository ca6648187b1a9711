import { enableCompileCache } from 'node:module';

// Stripping types and compiling takes most of the start; the second start uses the cache.
enableCompileCache();
// Data, positions and reports contain logs: only the user who runs this may read them.
process.umask(0o077);
const { createCli, explain } = await import('./cli.ts');
const { escapeOutput } = await import('@logloom/telemetry/escape-controls');

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    // A second Ctrl-C does not wait for the drain; acknowledged events are on disk.
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  });
}
// `logloom search | head` closes the pipe, which is not a failure.
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
