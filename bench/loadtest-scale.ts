/**
 * How many viewers fit on one machine, the load test and all it tests together? It starts a Logloom with several processes for viewers, runs a
 * scenario against it, and tells what each side takes a viewer, the kernel's share apart. Needs Linux and `ulimit -n 20000`.
 *
 *     node bench/loadtest-scale.ts crowd-10k            # bench/loadtest/crowd-10k.yaml
 *     node bench/loadtest-scale.ts crowd-100k --workers 9
 *
 * Options: --share 0.1 (of the scenario's viewers), --workers 4, --out loadtest-runs (where the reports go).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument, isMap, isSeq } from 'yaml';
import type { RunResult } from '@logloom/loadtest';
import { temporaryFolder } from '@logloom/testing';
import { Pipeline } from '../tests/pipeline/pipeline.ts';
import { printConditions } from './conditions.ts';
import { resourceLines } from './loadtest/resource-lines.ts';
import { option } from './live/option.ts';

const main = join(import.meta.dirname, '../apps/logloom/src/main.ts');
const name = process.argv[2];
if (name === undefined || name.startsWith('--')) throw new Error('name a scenario of bench/loadtest');
const share = option('share', 1);
const workers = option('workers', 4);
const outAt = process.argv.indexOf('--out');
const out = outAt > 0 ? process.argv[outAt + 1]! : 'loadtest-runs';

const { file, viewers } = scaled(join(import.meta.dirname, `loadtest/${name}.yaml`), share);
printConditions(`${name}: ${viewers} viewers, ${workers} processes for viewers`);
const limit = Number(/Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))![1]);
// A process takes viewers for 60 % of its descriptors (services/fanout, connection-limit.ts).
if (limit * 0.6 < viewers / workers)
  throw new Error(`${limit} open files are too few for ${viewers} viewers in ${workers} processes`);

await using pipeline = await Pipeline.create({
  LIVE_WORKERS: String(workers),
  LIVE_MAX_HANDSHAKES: '5000',
  LOG_LEVEL: 'error',
});
await pipeline.start();
const child = spawn(
  process.execPath,
  [main, 'loadtest', 'run', file, '--url', pipeline.viewersUrl, '--ingest-url', pipeline.ingestUrl].concat([
    '--out',
    out,
    '--report',
    'json,html,markdown',
  ]),
  { stdio: ['ignore', 'inherit', 'inherit'] },
);
const [code] = (await once(child, 'exit')) as [number | null];
for (const line of resourceLines(latestResult())) console.log(line);
process.exitCode = code ?? 2;

/** Runs are in folders that begin with their time. */
function latestResult(): Pick<RunResult, 'resources'> {
  const latest = readdirSync(out)
    .filter((folder) => folder.endsWith(`-${name}`))
    .sort()
    .at(-1);
  if (latest === undefined) return {};
  return JSON.parse(readFileSync(join(out, latest, 'result.json'), 'utf8')) as RunResult;
}

/** The scenario with a share of its viewers, in a file that goes at the end. */
function scaled(path: string, of: number): { file: string; viewers: number } {
  const document = parseDocument(readFileSync(path, 'utf8'));
  const stages = document.getIn(['viewers', 'stages']);
  if (!isSeq(stages)) throw new Error(`${path} has no stages of viewers`);
  let highest = 0;
  for (const stage of stages.items) {
    if (!isMap(stage) || !stage.has('to')) continue;
    const to = Math.round(Number(stage.get('to')) * of);
    stage.set('to', to);
    highest = Math.max(highest, to);
  }
  const copy = join(temporaryFolder('loadtest-scale').path, `${name}.yaml`);
  writeFileSync(copy, String(document));
  return { file: copy, viewers: highest };
}
