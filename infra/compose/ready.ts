/** Exits with 0 when the URL answers 2xx, else with 1: a health check for an image that has Node and no curl. */
const [url] = process.argv.slice(2);
try {
  const { ok, status } = await fetch(url!, { signal: AbortSignal.timeout(4000) });
  process.stdout.write(`${status}\n`);
  process.exitCode = ok ? 0 : 1;
} catch (error) {
  process.stdout.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
