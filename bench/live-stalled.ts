/**
 * 1,000 of 5,000 viewers stop reading: do the others notice, what does it hold in memory, and does everybody know exactly what was left
 * out? Beside it, in the same run, the same viewers while all of them read. Everybody watches small events; the 1,000 also get large
 * ones, as many as fill their sockets (the kernel takes some 4 MB for each that does not read) and then their budgets, which
 * are together four times what all may hold.
 * Options: --viewers 5000, --stalled 1000, --seconds 40, --rate 10 (small events a second), --large 25 (large ones), --bytes 10000,
 * --buffer 262144, --total 67108864. Needs `ulimit -n 20000`.
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { printConditions } from './conditions.ts';
import { listening, residentKb } from './live/measure.ts';
import { option } from './live/option.ts';
import { publishLines } from './live/publish-lines.ts';
import type { Command, StallReport } from './live/stalling-viewers.ts';

const viewers = option('viewers', 5_000);
const stalledCount = option('stalled', 1_000);
const seconds = option('seconds', 40);
const rate = option('rate', 10);
const large = option('large', 25);
const bytes = option('bytes', 10_000);
const buffer = option('buffer', 1 << 18);
const total = option('total', 1 << 26);
const port = 9127;
const patienceMs = 60_000;
const here = (name: string): string => join(import.meta.dirname, 'live', name);

const sent = { small: 0, large: 0 };

/** Posts small and large events until the signal aborts. */
async function publish(signal: AbortSignal): Promise<void> {
  const started = performance.now();
  let n = 0;
  const line = (service: string, length: number): string =>
    JSON.stringify({ t: Date.now() * 1000, n: n++, service, traceId: `t${n}`, msg: 'x'.repeat(length) });
  while (!signal.aborted) {
    const elapsed = (performance.now() - started) / 1000;
    const lines: string[] = [];
    for (; sent.small < elapsed * rate; sent.small++) lines.push(line('checkout', 100));
    for (; sent.large < elapsed * large; sent.large++) lines.push(line('bulk', bytes));
    if (lines.length > 0) await publishLines(port, lines);
    await sleep(10);
  }
}

async function tell(client: ChildProcess, command: Command): Promise<StallReport> {
  client.send(command);
  return ((await once(client, 'message')) as [StallReport])[0];
}

printConditions(
  `${viewers} viewers, ${stalledCount} of whom stop reading for ${seconds} s; ${rate} events/s for all, ${large} of ${bytes} bytes for those; ${buffer} bytes a viewer, ${total} in all; server on core 0, viewers on core 1`,
);
const server = spawn(
  'taskset',
  [
    '-c',
    '0',
    process.execPath,
    here('server.ts'),
    `127.0.0.1:${port}`,
    // Who gives no sign between two heartbeats is cut, and gets everything when it comes back: here they are to stay.
    '--buffer',
    String(buffer),
    '--total',
    String(total),
    '--heartbeat',
    '120000',
  ],
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
const children: ChildProcess[] = [server];
try {
  if (!(await listening(port, server))) throw new Error('the server did not start');
  const view = (count: number, filter: string): ChildProcess => {
    const client = fork(here('stalling-viewers.ts'), [String(port), String(count), filter]);
    spawn('taskset', ['-a', '-cp', '1', String(client.pid)], { stdio: 'ignore' });
    children.push(client);
    return client;
  };
  const others = view(viewers - stalledCount, 'service:checkout');
  const stalling = view(stalledCount, 'service:checkout OR service:bulk');
  const subscribed = async (): Promise<number> =>
    (await tell(others, 'report')).subscribed + (await tell(stalling, 'report')).subscribed;
  while ((await subscribed()) < viewers) await sleep(200);
  const emptyKb = residentKb(server.pid!);
  const stop = new AbortController();
  const publishing = publish(stop.signal);

  const p99s: { name: string; p99: number }[] = [];
  const measure = async (name: string): Promise<void> => {
    let largestKb = 0;
    await tell(others, 'report');
    for (const until = performance.now() + seconds * 500; performance.now() < until;) {
      largestKb = Math.max(largestKb, residentKb(server.pid!));
      await sleep(250);
    }
    const { p50, p99 } = await tell(others, 'report');
    p99s.push({ name, p99 });
    console.log(
      `${name}: the others' p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms; server's RSS at most ${(largestKb / 1024).toFixed(0)} MB (${(emptyKb / 1024).toFixed(0)} before the first event)`,
    );
  };
  await sleep(3000);
  await measure('all read, first half');
  await measure('all read, second half');
  await tell(stalling, 'stall');
  await measure('stalled, first half');
  await measure('stalled, second half');
  await tell(stalling, 'read');
  await measure('all read again');
  stop.abort();
  await publishing;

  const all = sent.small + sent.large;
  const check = async (): Promise<boolean> => {
    const [a, b] = [await tell(others, 'report'), await tell(stalling, 'report')];
    return a.fewest >= sent.small && b.fewest >= all;
  };
  for (const until = performance.now() + patienceMs; performance.now() < until && !(await check());)
    await sleep(200);
  for (const [name, client, due] of [
    ['the others', others, sent.small],
    ['those who stalled', stalling, all],
  ] as const) {
    const { fewest, most, missed, twice, reconnections } = await tell(client, 'report');
    const isExact = fewest === due && most === due && twice === 0;
    console.log(
      `${name}: ${due} events each; received and announced ${fewest} to ${most}, ${twice} twice: ${isExact ? 'exact' : 'NOT EXACT'}; ${missed} announced as missed, ${reconnections} reconnections`,
    );
  }
  const worst = (prefix: string): number =>
    Math.max(...p99s.filter(({ name }) => name.startsWith(prefix)).map(({ p99 }) => p99));
  console.log(
    `the others' p99 while those are stalled is ${(worst('stalled') / worst('all read,')).toFixed(2)} of what it is while all read (the worse half of each)`,
  );
} finally {
  for (const child of children) child.kill('SIGKILL');
}
