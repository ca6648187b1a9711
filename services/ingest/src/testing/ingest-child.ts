import { startForTest } from './ingest-harness.ts';

// Runs the service in a process of its own, for tests that kill it. The arguments are the folder and the settings as JSON; the first
// message is the address.
if (import.meta.main) {
  const { address } = await startForTest(
    process.argv[2]!,
    JSON.parse(process.argv[3] ?? '{}') as Record<string, string>,
  );
  process.send!(address);
}
