/**
 * Runs the test files named by the arguments in one process, where each module is loaded once for all of them. Each file is a suite with its
 * path for a name; its hooks are the suite's.
 */
import { suite } from 'node:test';
import { pathToFileURL } from 'node:url';

for (const file of process.argv.slice(2))
  void suite(file, async () => {
    await import(pathToFileURL(file).href);
  });
