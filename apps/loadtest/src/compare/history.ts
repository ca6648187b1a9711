import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunResult } from '../result.ts';

const format = 1;

export interface History {
  /** Oldest first. */
  runs: RunResult[];
  /** Files that hold no run that can be read, and why. */
  refused: { path: string; reason: string }[];
}

/** Reads the runs kept under a folder: each `*.json` in it, and `result.json` in each of its folders. Files are only added there. */
export async function readRuns(folder: string): Promise<History> {
  const history: History = { runs: [], refused: [] };
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() && !entry.name.endsWith('.json')) continue;
    const path = entry.isDirectory() ? join(folder, entry.name, 'result.json') : join(folder, entry.name);
    try {
      history.runs.push(parseRun(await readFile(path, 'utf8')));
    } catch (error) {
      // A folder without a result is a run that did not end.
      if (entry.isDirectory() && (error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      history.refused.push({ path, reason: (error as Error).message });
    }
  }
  history.runs.sort((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));
  return history;
}

function parseRun(text: string): RunResult {
  const run = JSON.parse(text) as Partial<RunResult> | null;
  if (run?.format !== format) throw new Error(`not a result of a load test in format ${format}`);
  if (!run.timeline || !run.startedAt || !run.generator) throw new Error('the result is not whole');
  return run as RunResult;
}
