import { randomBytes } from 'node:crypto';
import { createHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../commands/command-errors.ts';
import { reason } from '../commands/endpoint.ts';
import { FrameReader, LoadViewer } from './load-viewer.ts';
import { sendBatches } from '../send/send-batches.ts';

export interface LoadtestOptions {
  /** The viewers' port's base URL, and the ingest port's. */
  url: string;
  ingestUrl: string;
  /** For a Logloom that requires one of senders. */
  ingestKey: string | undefined;
  viewers: number;
  /** The filter that all of them watch; undefined: the load test's own events. */
  filter: string | undefined;
  /** Events to send per second; 0: none, the viewers count events of other senders. */
  rate: number;
  seconds: number;
  token: string | undefined;
  note: (line: string) => void;
}

/** Latencies from before `POST /ingest` to the viewer, in ms, on this machine's clock; absent if no own event arrived. */
export interface LoadtestResult {
  viewers: number;
  refused: number;
  seconds: number;
  sent: number;
  deliveries: number;
  deliveriesPerSecond: number;
  /** Announced by gaps, all viewers together. */
  missed: number;
  /** Viewers that neither got each own event once nor a gap for the missing ones. */
  wrong: number;
  /** Viewers whose connection was lost. */
  lost: number;
  latencyMs?: { p50: number; p95: number; p99: number; max: number };
}

const connectingAtOnce = 50;
const batchMs = 25;
const settleMs = 30_000;

/** Lets many viewers watch a running Logloom and counts what each gets. Throws CommandError when no viewer can connect. */
export async function loadtest(options: LoadtestOptions, signal: AbortSignal): Promise<LoadtestResult> {
  const { url, ingestUrl, ingestKey, rate, seconds, note } = options;
  const run = randomBytes(6).toString('hex');
  const filter = options.filter ?? `attributes.loadtest.run:${run}`;
  const latency = createHistogram();
  const target = {
    url: new URL('/live', url.replace(/^http/, 'ws')).href,
    filter,
    token: options.token,
    reader: new FrameReader(run),
    onLatency: (ms: number) => latency.record(Math.max(1, Math.round(ms * 1000))),
  };
  const viewers = Array.from({ length: options.viewers }, () => new LoadViewer());
  try {
    const refused = await connectAll(viewers, target);
    const watching = viewers.filter((viewer) => !refused.has(viewer));
    note(`${watching.length} viewers watch ${filter}`);
    const start = performance.now();
    let sent = 0;
    if (rate > 0) {
      const batches = ownBatches(run, rate, seconds, signal);
      sent = (await sendBatches(batches, { url: ingestUrl, key: ingestKey, onProgress: () => {} })).accepted;
      if (options.filter === undefined) await settled(watching, sent, signal);
    } else await sleep(seconds * 1000, undefined, { signal }).catch(() => {});
    const took = (performance.now() - start) / 1000;
    const deliveries = watching.reduce((total, viewer) => total + viewer.received, 0);
    const expectedSum = (sent * (sent - 1)) / 2;
    const isRight = ({ received, sum, missed }: LoadViewer): boolean =>
      received + missed === sent && (missed > 0 || sum === expectedSum);
    return {
      viewers: watching.length,
      refused: refused.size,
      seconds: round(took),
      sent,
      deliveries,
      deliveriesPerSecond: Math.round(deliveries / took),
      missed: watching.reduce((total, { missed }) => total + missed, 0),
      // Other senders' events may match a filter that the user has chosen.
      wrong: options.filter === undefined ? watching.filter((viewer) => !isRight(viewer)).length : 0,
      lost: watching.filter(({ closed }) => closed).length,
      ...(latency.count === 0
        ? {}
        : {
            latencyMs: {
              p50: round(latency.percentile(50) / 1000),
              p95: round(latency.percentile(95) / 1000),
              p99: round(latency.percentile(99) / 1000),
              max: round(latency.max / 1000),
            },
          }),
    };
  } finally {
    for (const viewer of viewers) viewer.close();
  }
}

/** The result as lines for a person. */
export function loadtestLines(result: LoadtestResult): string[] {
  const { viewers, refused, seconds, sent, deliveries, deliveriesPerSecond, missed, wrong, lost, latencyMs } =
    result;
  const problems = [
    refused > 0 ? `${refused} could not connect` : '',
    lost > 0 ? `${lost} lost their connection` : '',
    wrong > 0 ? `${wrong} did not get each event once` : '',
    missed > 0 ? `${missed} deliveries were left out and announced (gaps)` : '',
  ].filter((line) => line !== '');
  return [
    `${viewers} viewers, ${sent} events sent in ${seconds} s`,
    `${deliveries} deliveries, ${deliveriesPerSecond}/s`,
    ...(latencyMs === undefined
      ? []
      : [
          `latency ms: p50 ${latencyMs.p50}, p95 ${latencyMs.p95}, p99 ${latencyMs.p99}, max ${latencyMs.max}`,
        ]),
    ...problems,
  ];
}

/** Whether every viewer got everything, so that scripts may rely on it. */
export function isClean({ refused, wrong, lost, missed }: LoadtestResult): boolean {
  return refused + wrong + lost + missed === 0;
}

async function connectAll(
  viewers: readonly LoadViewer[],
  target: Parameters<LoadViewer['open']>[0],
): Promise<Set<LoadViewer>> {
  const refused = new Set<LoadViewer>();
  let why: unknown;
  const waiting = [...viewers];
  const connect = async (): Promise<void> => {
    for (let viewer = waiting.pop(); viewer !== undefined; viewer = waiting.pop()) {
      try {
        await viewer.open(target);
      } catch (error) {
        why = error;
        refused.add(viewer);
      }
    }
  };
  await Promise.all(Array.from({ length: connectingAtOnce }, connect));
  if (refused.size === viewers.length)
    throw new CommandError(
      'no-response',
      `no viewer could connect to ${target.url} (${reason(why)}); is Logloom running?`,
    );
  return refused;
}

/** Numbered events, `rate` a second for `seconds`. */
async function* ownBatches(
  run: string,
  rate: number,
  seconds: number,
  signal: AbortSignal,
): AsyncGenerator<string[]> {
  const start = performance.now();
  const total = Math.round(rate * seconds);
  for (let n = 0; n < total && !signal.aborted;) {
    const due = Math.min(total, Math.ceil(((performance.now() - start) / 1000) * rate));
    const at = performance.timeOrigin + performance.now();
    const batch: string[] = [];
    for (; n < due; n++)
      batch.push(
        JSON.stringify({
          service: 'loadtest',
          level: 'info',
          message: `load test event ${n}`,
          loadtest: { run, n, at },
        }),
      );
    if (batch.length > 0) yield batch;
    await sleep(batchMs);
  }
}

/** Waits until every viewer has everything, or nothing has arrived for a while. */
async function settled(viewers: readonly LoadViewer[], sent: number, signal: AbortSignal): Promise<void> {
  let before = -1;
  let quietSince = performance.now();
  while (!signal.aborted) {
    const open = viewers.filter(({ closed, received, missed }) => !closed && received + missed < sent);
    if (open.length === 0) return;
    const now = viewers.reduce((total, { received }) => total + received, 0);
    if (now !== before) quietSince = performance.now();
    else if (performance.now() - quietSince > settleMs) return;
    before = now;
    await sleep(5);
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
