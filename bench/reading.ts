import type { LogEvent, Source } from '@logloom/schemas';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Normalizer } from '../services/ingest/src/event/normalize.ts';
import { readEvent } from '../services/ingest/src/event/read-event.ts';
import { printConditions } from './conditions.ts';
import { makeBodies } from './engines/ingest-bodies.ts';
import { sampleLines } from './engines/reading-lines.ts';

// What does it cost to read a line of each format, beside JSON.parse of the same lines?
// Usage: node bench/reading.ts [--rounds n] [--baseline <folder of another checkout>]
// With a baseline, NDJSON with the usual names is read by both in turns, and the median ratio of CPU time is printed.

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '15' }, baseline: { type: 'string' } },
});
const rounds = Number(values.rounds);
const source: Source = { kind: 'http', topic: 'bench', partition: 0, offset: 1, index: 0 };
const receivedAtMs = Date.now();
const patterns = ['\\b(req-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\\b'];

type Read = (line: string) => unknown;

/** CPU microseconds a line. */
function costOf(read: Read, lines: readonly string[]): number {
  const start = process.cpuUsage();
  for (const line of lines) read(line);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / lines.length;
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}

/** The median costs of several ways to read the same lines, measured in turns. */
function inTurns(reads: readonly Read[], lines: readonly string[]): number[][] {
  for (const read of reads) costOf(read, lines);
  const costs = reads.map((): number[] => []);
  for (let round = 0; round < rounds; round++)
    for (const i of reads.keys()) {
      const at = (i + round) % reads.length;
      costs[at]!.push(costOf(reads[at]!, lines));
    }
  return costs;
}

function reader(normalizer: Normalizer): Read {
  return (line) => {
    const event = readEvent(line, source, receivedAtMs, normalizer) as LogEvent;
    if (event.message === undefined) throw new Error(`refused: ${line}`);
    return event;
  };
}

printConditions(`${rounds} rounds; CPU microseconds a line, medians`);
const clean = makeBodies(20, 1000).flatMap((body) => body.toString().split('\n'));
if (values.baseline !== undefined) {
  const folder = join(values.baseline, 'services/ingest/src/event');
  const before = (await import(join(folder, 'normalize.ts'))) as {
    Normalizer: new (p: string[]) => Normalizer;
  };
  const other = (await import(join(folder, 'read-event.ts'))) as { readEvent: typeof readEvent };
  const theirs = new before.Normalizer(patterns);
  const [now, then] = inTurns(
    [reader(new Normalizer(patterns)), (line) => other.readEvent(line, source, receivedAtMs, theirs)],
    clean,
  ) as [number[], number[]];
  const ratios = now.map((cost, i) => cost / then[i]!);
  console.log(
    `clean NDJSON: ${median(now).toFixed(2)}, baseline ${median(then).toFixed(2)}, ratio ${median(ratios).toFixed(3)}`,
  );
}
const read = reader(new Normalizer(patterns));
console.log('format                      JSON.parse  read   ratio');
for (const [format, lines] of [['clean NDJSON', clean] as const, ...sampleLines(20_000)]) {
  const [parse, all] = inTurns([JSON.parse, read], lines) as [number[], number[]];
  const [low, high] = [median(parse), median(all)];
  console.log(
    `${format.padEnd(26)} ${low.toFixed(2).padStart(9)} ${high.toFixed(2).padStart(7)} ${(high / low).toFixed(1).padStart(6)}`,
  );
}
