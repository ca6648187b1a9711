import { startForTest } from './ingest-harness.ts';

// The service in a process of its own, for tests that kill it: the argument is the folder, the first message the address.
if (import.meta.main) {
  const { address } = await startForTest(process.argv[2]!);
  process.send!(address);
}
