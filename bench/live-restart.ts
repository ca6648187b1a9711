/**
 * What do 5,000 viewers notice of a restart? Worker processes are replaced one by one (SIGUSR2's way) under them; beside it, in the
 * same run, the same workers are killed one by one (a restart without a drain). Each viewer comes back at its cursor and counts what it
 * lost or got twice, and the longest time between two events.
 * Options: --viewers 5000, --workers 2, --drain 3000 (ms), --rate 5 (events a second). Needs `ulimit -n 20000`.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { printConditions } from './conditions.ts';
import { Fleet } from './live/fleet.ts';
import { option } from './live/option.ts';

const clientProcesses = 2;
/** Who has not got everything so long after a restart is stranded. */
const patienceMs = 90_000;

interface Report {
  subscribed: number;
  lost: number;
  twice: number;
  connections: number;
  /** Viewers who have not got everything yet. */
  behind: number;
  pausesMs: number[];
}

interface Question {
  resets: boolean;
  /** The offset that everybody is to have. */
  last: number;
}

interface Message {
  type: string;
  cursor?: string;
  retryAfterMs?: number;
  events?: { offset: number }[];
}

/** A frame is the same for all viewers of a worker: parsing it for each would measure the viewers. */
const recent: { data: Buffer; message: Message }[] = [];

function parse(data: Buffer): Message {
  const known = recent.find((each) => each.data.equals(data));
  if (known !== undefined) return known.message;
  const message = JSON.parse(data.toString()) as Message;
  if (recent.push({ data: Buffer.from(data), message }) > 16) recent.shift();
  return message;
}

class Viewer {
  last = -1;
  lost = 0;
  twice = 0;
  connections = 0;
  longestPauseMs = 0;
  cursor: string | undefined;
  readonly #url: string;
  #heardAt = 0;
  #failures = 0;

  constructor(url: string) {
    this.#url = url;
  }

  connect(): void {
    let retryAfterMs: number | undefined;
    const ws = new WebSocket(this.#url, { perMessageDeflate: false, skipUTF8Validation: true });
    this.connections++;
    ws.on('open', () => {
      const from = this.cursor === undefined ? 'now' : { cursor: this.cursor };
      ws.send(JSON.stringify({ type: 'subscribe', id: 'a', from }));
    });
    ws.on('message', (data: Buffer) => {
      const message = parse(data);
      if (message.type === 'goodbye') ({ retryAfterMs } = message);
      if (message.type === 'subscribed') this.#failures = 0;
      if (message.cursor !== undefined) this.cursor = message.cursor;
      for (const { offset } of message.events ?? []) this.#take(offset);
    });
    // As the SDK does: twice as long after each failure, half of it random.
    ws.on('close', () => {
      const ceilingMs = Math.min(5_000, 200 * 2 ** this.#failures++);
      setTimeout(() => this.connect(), retryAfterMs ?? (ceilingMs * (1 + Math.random())) / 2);
    });
    ws.on('error', () => {});
  }

  #take(offset: number): void {
    if (this.last >= 0 && offset > this.last + 1) this.lost += offset - this.last - 1;
    if (offset <= this.last) this.twice++;
    this.last = Math.max(this.last, offset);
    const now = performance.now();
    if (this.#heardAt > 0) this.longestPauseMs = Math.max(this.longestPauseMs, now - this.#heardAt);
    this.#heardAt = now;
  }
}

async function view(port: number, count: number): Promise<void> {
  const viewers = Array.from({ length: count }, () => new Viewer(`ws://127.0.0.1:${port}/live`));
  const sum = (of: (viewer: Viewer) => number): number => viewers.reduce((total, v) => total + of(v), 0);
  process.on('message', ({ resets, last }: Question) => {
    if (resets) for (const viewer of viewers) viewer.longestPauseMs = 0;
    process.send!({
      subscribed: sum(({ cursor }) => (cursor === undefined ? 0 : 1)),
      lost: sum(({ lost }) => lost),
      twice: sum(({ twice }) => twice),
      connections: sum(({ connections }) => connections),
      behind: sum((viewer) => (viewer.last < last ? 1 : 0)),
      pausesMs: viewers.map(({ longestPauseMs }) => longestPauseMs),
    } satisfies Report);
  });
  for (const [i, viewer] of viewers.entries()) {
    viewer.connect();
    if (i % 20 === 19) await sleep(10);
  }
}

async function ask(clients: readonly ChildProcess[], question: Question): Promise<Report> {
  const reports = await Promise.all(
    clients.map(async (client) => {
      client.send(question);
      const [report] = (await once(client, 'message')) as [Report];
      return report;
    }),
  );
  const sum = (of: (report: Report) => number): number =>
    reports.reduce((total, each) => total + of(each), 0);
  return {
    subscribed: sum((r) => r.subscribed),
    lost: sum((r) => r.lost),
    twice: sum((r) => r.twice),
    connections: sum((r) => r.connections),
    behind: sum((r) => r.behind),
    pausesMs: reports.flatMap((r) => r.pausesMs).sort((a, b) => a - b),
  };
}

async function main(): Promise<void> {
  const viewers = option('viewers', 5_000);
  const workers = option('workers', 2);
  const drainMs = option('drain', 3_000);
  const perSecond = option('rate', 5);
  printConditions(
    `${viewers} viewers of everything in ${clientProcesses} processes, ${workers} workers, ${perSecond} events/s, drain over ${drainMs} ms`,
  );
  await using fleet = await Fleet.open(workers, '127.0.0.1', drainMs);
  const clients = Array.from({ length: clientProcesses }, () =>
    fork(import.meta.filename, ['view', String(fleet.port), String(Math.ceil(viewers / clientProcesses))]),
  );
  const end = Promise.withResolvers<void>();
  const producing = fleet.produceUntil(perSecond, end.promise);
  const last = -1;
  const connectingAt = performance.now();
  while ((await ask(clients, { resets: false, last })).subscribed < viewers) await sleep(200);
  console.log(`all connected after ${((performance.now() - connectingAt) / 1000).toFixed(1)} s`);

  const measure = async (name: string, body: () => Promise<void>): Promise<void> => {
    const before = await ask(clients, { resets: true, last });
    const startedAt = performance.now();
    await body();
    const tookMs = performance.now() - startedAt;
    const everything = { resets: false, last: fleet.sent - 1 };
    let after = await ask(clients, everything);
    for (const until = performance.now() + patienceMs; after.behind > 0 && performance.now() < until;) {
      await sleep(200);
      after = await ask(clients, everything);
    }
    const at = (share: number): string =>
      after.pausesMs[Math.floor((after.pausesMs.length - 1) * share)]!.toFixed(0);
    console.log(
      `${name} (${(tookMs / 1000).toFixed(1)} s): ${after.lost - before.lost} events lost, ${after.twice - before.twice} twice, ${after.behind} stranded, ${after.connections - before.connections} reconnections; longest pause of a viewer p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, largest ${at(1)} ms`,
    );
  };
  await measure('no restart', () => sleep(5_000));
  await measure('rolling restart', () => fleet.supervisor.workers.restart());
  await measure('kill -9, one by one', async () => {
    for (const pid of fleet.supervisor.workers.pids) {
      process.kill(pid, 'SIGKILL');
      await sleep(500);
      while (fleet.supervisor.workers.readyCount < workers) await sleep(50);
      await sleep(1_000);
    }
  });
  end.resolve();
  await producing;
  for (const client of clients) client.kill('SIGKILL');
}

const [role, port, count] = process.argv.slice(2);
if (role === 'view') await view(Number(port), Number(count));
else await main();
