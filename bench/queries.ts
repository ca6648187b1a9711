/**
 * How long do the questions take that people ask of years of logs? Ten of them, over the recorded days repeated to so many million events,
 * through the embedded search store as the API uses it (a page of 100 with the total; the histogram), beside ripgrep over the same lines
 * in one file, and on request beside Elasticsearch with the same events. All warm.
 *
 *     node bench/queries.ts [millions] [--elasticsearch] [--keep folder]
 *
 * ripgrep has to be on the PATH, or named by RIPGREP. `--keep` leaves the data in the folder, and uses what is there.
 */
import { ColumnStore } from '@logloom/column-store';
import { parseFilter, type Filter } from '@logloom/filter';
import { levels, parseMicros, placeEvent, type LogEvent, type PlacedEvent } from '@logloom/schemas';
import { recordedLines, temporaryFolder } from '@logloom/testing';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startStack } from '../infra/local/start-stack.ts';
import { openEmbeddedSearchStore } from '../libs/search-store/src/embedded/embedded-search-store.ts';
import type { SearchStore } from '../libs/search-store/src/search-store.ts';
import { openTestStore } from '../libs/search-store/src/testing/elasticsearch-test-store.ts';
import { printConditions } from './conditions.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { elasticsearch: { type: 'boolean', default: false }, keep: { type: 'string' } },
});
const count = Number(positionals[0] ?? 2) * 1e6;
const ripgrep = process.env['RIPGREP'] ?? 'rg';
const repetitions = 20;
const batch = 10_000;
const epoch = 'benchq';
const dayMicros = 86_400_000_000;

const lines = recordedLines();
const folder = options.keep ?? temporaryFolder('queries').path;
mkdirSync(folder, { recursive: true });
const rawFile = join(folder, 'raw.ndjson');
const madeFile = join(folder, 'made');
const stores = join(folder, 'stores');

interface Recorded {
  timestamp: string;
  service: string;
  host?: string;
  level: string;
  message: string;
  traceId?: string;
  spanId?: string;
}

/** The line of a number: that of the recording, on a later day, with ids of its own. */
function lineOf(number: number): Recorded {
  const round = Math.floor(number / lines.length);
  const line = JSON.parse(lines[number % lines.length]!) as Recorded;
  if (round === 0) return line;
  const { traceId, spanId } = line;
  const changed = (id: string): string =>
    createHash('md5').update(`${id}/${round}`).digest('hex').slice(0, id.length);
  let { message } = line;
  for (const id of [traceId, spanId]) if (id) message = message.replaceAll(id, changed(id));
  const micros = parseMicros(line.timestamp) + round * dayMicros;
  return {
    ...line,
    timestamp: `${new Date(micros / 1000).toISOString().slice(0, 19)}.${String(micros % 1e6).padStart(6, '0')}Z`,
    message,
    ...(traceId && { traceId: changed(traceId) }),
    ...(spanId && { spanId: changed(spanId) }),
  };
}

function eventOf(line: Recorded, offset: number): PlacedEvent {
  const { timestamp, traceId, level } = line;
  const event: LogEvent = {
    source: { kind: 'http', topic: 'recorded', partition: 0, offset, index: 0 },
    timestamp: parseMicros(timestamp),
    receivedAt: parseMicros(timestamp),
    level: levels.find((each) => each === level) ?? 'info',
    service: line.service,
    host: line.host ?? null,
    message: line.message,
    correlationId: traceId ?? null,
    correlationKind: traceId === undefined ? null : 'traceId',
    traceId: traceId ?? null,
    spanId: line.spanId ?? null,
    attributes: '{}',
  };
  return placeEvent(event, epoch, offset % 4, Math.floor(offset / 4));
}

async function make(): Promise<void> {
  const store = new ColumnStore(stores);
  const raw = await open(rawFile, 'w');
  let cpuMicros = 0;
  for (let from = 0; from < count; from += batch) {
    const made = Array.from({ length: Math.min(batch, count - from) }, (_, i) => lineOf(from + i));
    await raw.write(made.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const events = made.map((line, i) => eventOf(line, from + i));
    const before = process.cpuUsage();
    await store.putEvents('search', events);
    const { user, system } = process.cpuUsage(before);
    cpuMicros += user + system;
  }
  await raw.close();
  const before = process.cpuUsage();
  await store.settle();
  const { user, system } = process.cpuUsage(before);
  await store.close();
  console.log(
    `stored: ${(cpuMicros / count).toFixed(1)} µs of CPU an event, then ${((user + system) / count).toFixed(1)} to merge and index the rest`,
  );
  writeFileSync(madeFile, String(count));
}

interface Question {
  name: string;
  filter: string;
  histogram?: boolean;
  /** Arguments of ripgrep for the same lines; they are counted. */
  ripgrep: string[];
  /** Of those, the lines that are not counted. */
  without?: string[];
}

function questions(): Question[] {
  const middle = lineOf(
    Array.from({ length: 1e5 }, (_, i) => Math.floor(count / 2) + i).find((i) => lineOf(i).traceId)!,
  );
  const trace = middle.traceId!;
  return [
    { name: 'level', filter: 'level:error', ripgrep: ['-F', '"level":"error"'] },
    {
      name: 'service AND level',
      filter: 'service:ts-food-service AND level:error',
      ripgrep: ['"service":"ts-food-service".*"level":"error"'],
    },
    {
      name: 'NOT',
      filter: 'level:error AND NOT service:ts-food-service',
      ripgrep: ['-F', '"level":"error"'],
      without: ['-F', '"service":"ts-food-service"'],
    },
    { name: 'word', filter: 'upstream', ripgrep: ['-i', '-w', '-F', 'upstream'] },
    { name: 'phrase', filter: '"Get Food Request"', ripgrep: ['-i', '-w', '-F', 'Get Food Request'] },
    { name: '*Exception*', filter: '*Exception*', ripgrep: ['-i', '-F', 'exception'] },
    { name: 'trace id', filter: `traceId:${trace}`, ripgrep: ['-F', trace] },
    { name: 'correlation id', filter: `correlationId:${trace}`, ripgrep: ['-F', trace] },
    { name: 'histogram', filter: '', histogram: true, ripgrep: ['-F', '"timestamp":'] },
    { name: 'newest 100, filtered', filter: 'level:warn AND food', ripgrep: ['-i', '"level":"warn".*food'] },
  ];
}

function filterOf(text: string): Filter {
  const result = parseFilter(text);
  if (!result.ok) throw new Error(result.error.message);
  return result.filter;
}

interface Measured {
  p50: number;
  p95: number;
  answer: string;
}

async function ask(store: SearchStore, { filter: text, histogram }: Question): Promise<Measured> {
  const filter = filterOf(text);
  return measure(async () => {
    if (histogram) return `${(await store.histogram({ filter })).buckets.length} buckets`;
    const { total, events } = await store.search({ filter, limit: 100, order: 'desc' });
    return `${total.exact ? '' : '> '}${total.value}, ${events.length} shown`;
  });
}

function grep({ ripgrep: args, without }: Question): Measured | undefined {
  const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ');
  const command =
    without === undefined
      ? quoted([ripgrep, '-c', ...args, rawFile])
      : `${quoted([ripgrep, ...args, rawFile])} | ${quoted([ripgrep, '-v', '-c', ...without])}`;
  const once = (): string => spawnSync('sh', ['-c', command], { encoding: 'utf8' }).stdout.trim();
  once();
  const times: number[] = [];
  let answer = '';
  for (let i = 0; i < 3; i++) {
    const startedAt = performance.now();
    answer = once();
    times.push(performance.now() - startedAt);
  }
  return { ...percentiles(times), answer };
}

async function measure(work: () => Promise<string>): Promise<Measured> {
  let answer = await work();
  const times: number[] = [];
  for (let i = 0; i < repetitions; i++) {
    const startedAt = performance.now();
    answer = await work();
    times.push(performance.now() - startedAt);
  }
  return { ...percentiles(times), answer };
}

function percentiles(times: readonly number[]): { p50: number; p95: number } {
  const sorted = times.toSorted((a, b) => a - b);
  return { p50: sorted[Math.floor(sorted.length / 2)]!, p95: sorted[Math.ceil(sorted.length * 0.95) - 1]! };
}

/** The catalog, the slices that it names, and their indexes. */
async function storedBytes(): Promise<number> {
  const columns = new ColumnStore(stores, { readOnly: true });
  const files = await columns.read('search', async (view) =>
    [...view.slices, ...view.requestSlices].flatMap((slice) =>
      ['parquet', 'words', 'blocks'].map((extension) => view.besideSlice(slice, extension)),
    ),
  );
  await columns.close();
  return [join(stores, 'catalog.db'), ...files]
    .filter((file) => existsSync(file))
    .reduce((sum, file) => sum + statSync(file).size, 0);
}

if (!existsSync(madeFile)) await make();
const bytes = await storedBytes();
const rawBytes = statSync(rawFile).size;
printConditions(
  `${count / 1e6} million events, ${(rawBytes / 1e9).toFixed(2)} GB raw, stored in ${(bytes / rawBytes).toFixed(3)} of that; ` +
    `${repetitions} times each, ripgrep 3 times; the page cache is warm\n`,
);
await using stack = options.elasticsearch
  ? await startStack({ only: ['elasticsearch'], throughput: true })
  : undefined;
const url = stack?.env['ELASTICSEARCH_URL'];
await using rival = url === undefined ? undefined : openTestStore(url, {});
if (rival !== undefined) {
  for (let from = 0; from < count; from += batch)
    await rival.store.index(
      Array.from({ length: Math.min(batch, count - from) }, (_, i) => eventOf(lineOf(from + i), from + i)),
    );
  await rival.client.indices.refresh({ index: rival.names.events });
}
const store = openEmbeddedSearchStore(stores, { readOnly: true });
const cells = (measured: Measured | undefined): string =>
  measured === undefined
    ? ''
    : `${measured.p50.toFixed(0).padStart(8)}${measured.p95.toFixed(0).padStart(8)}  ${measured.answer.padEnd(26)}`;
console.log(
  `${'ms: p50, p95, found'.padEnd(22)}${'embedded'.padEnd(44)}${'ripgrep'.padEnd(44)}${rival ? 'Elasticsearch' : ''}`,
);
for (const question of questions()) {
  const ours = await ask(store, question);
  const theirs = rival && (await ask(rival.store, question));
  console.log(question.name.padEnd(22) + cells(ours) + cells(grep(question)) + cells(theirs));
}
console.log(`resident at the end: ${Math.round(process.memoryUsage().rss / 1e6)} MB`);
await store.close();
if (options.keep === undefined) rmSync(folder, { recursive: true });
