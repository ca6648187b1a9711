/**
 * What do 5,000 viewers notice of a restart? Worker processes are replaced one by one (SIGUSR2's way) under them; beside it, in the
 * same run, the same workers are killed one by one (a restart without a drain). Each viewer comes back at its cursor and counts what it
 * lost or got twice, and the longest time between two events, of which 5 a second are sent.
 * Options: --viewers 5000, --workers 2, --drain 3000 (ms). Needs `ulimit -n 20000`.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { printConditions } from './conditions.ts';
import { Fleet } from './live/fleet.ts';
import { option } from './live/option.ts';

const perSecond = 5;
const clientProcesses = 2;

interface Report {
  subscribed: number;
  lost: number;
  twice: number;
  connections: number;
  /** Offset that every viewer has reached. */
  reached: number;
  pausesMs: number[];
}

async function view(port: number, count: number): Promise<void> {
  const report: Report = { subscribed: 0, lost: 0, twice: 0, connections: 0, reached: 0, pausesMs: [] };
  const offsets = new Array<number>(count).fill(-1);
  const heard = new Array<number>(count).fill(0);
  report.pausesMs = new Array<number>(count).fill(0);
  const cursors = new Array<string | undefined>(count).fill(undefined);

  function connect(i: number): void {
    let retryAfterMs = 20 + Math.random() * 200;
    const ws = new WebSocket(`ws://127.0.0.1:${port}/live`, { perMessageDeflate: false });
    report.connections++;
    ws.on('open', () => {
      const from = cursors[i] === undefined ? 'now' : { cursor: cursors[i] };
      ws.send(JSON.stringify({ type: 'subscribe', id: 'a', from }));
    });
    ws.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as {
        type: string;
        cursor?: string;
        retryAfterMs?: number;
        events?: { offset: number }[];
      };
      if (message.type === 'goodbye') retryAfterMs = message.retryAfterMs!;
      if (message.type === 'subscribed' && cursors[i] === undefined) report.subscribed++;
      if (message.cursor !== undefined) cursors[i] = message.cursor;
      for (const { offset } of message.events ?? []) {
        const last = offsets[i]!;
        if (last >= 0 && offset > last + 1) report.lost += offset - last - 1;
        if (offset <= last) report.twice++;
        offsets[i] = Math.max(last, offset);
        const now = performance.now();
        if (heard[i]! > 0) report.pausesMs[i] = Math.max(report.pausesMs[i]!, now - heard[i]!);
        heard[i] = now;
      }
    });
    ws.on('close', () => setTimeout(() => connect(i), retryAfterMs));
    ws.on('error', () => {});
  }

  for (let i = 0; i < count; i++) {
    connect(i);
    if (i % 20 === 19) await sleep(10);
  }
  process.on('message', (ask: 'report' | 'reset') => {
    if (ask === 'reset') report.pausesMs.fill(0);
    process.send!({ ...report, reached: Math.min(...offsets) });
  });
}

async function ask(clients: readonly ChildProcess[], what: 'report' | 'reset'): Promise<Report> {
  const reports = await Promise.all(
    clients.map(async (client) => {
      client.send(what);
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
    reached: Math.min(...reports.map((r) => r.reached)),
    pausesMs: reports.flatMap((r) => r.pausesMs).sort((a, b) => a - b),
  };
}

async function main(): Promise<void> {
  const viewers = option('viewers', 5_000);
  const workers = option('workers', 2);
  const drainMs = option('drain', 3_000);
  printConditions(
    `${viewers} viewers of everything in ${clientProcesses} processes, ${workers} workers, ${perSecond} events/s, drain over ${drainMs} ms`,
  );
  await using fleet = await Fleet.open(workers, '127.0.0.1', drainMs);
  const clients = Array.from({ length: clientProcesses }, () =>
    fork(import.meta.filename, ['view', String(fleet.port), String(Math.ceil(viewers / clientProcesses))]),
  );
  const end = Promise.withResolvers<void>();
  const producing = fleet.produceUntil(perSecond, end.promise);
  while ((await ask(clients, 'report')).subscribed < viewers) await sleep(200);

  const measure = async (name: string, body: () => Promise<void>): Promise<void> => {
    const before = await ask(clients, 'reset');
    await body();
    const sent = fleet.sent;
    const deadline = performance.now() + 120_000;
    let after = await ask(clients, 'report');
    while (after.reached < sent - 1 && performance.now() < deadline) {
      await sleep(200);
      after = await ask(clients, 'report');
    }
    const at = (share: number): number => after.pausesMs[Math.floor((after.pausesMs.length - 1) * share)]!;
    console.log(
      `${name}: ${after.lost - before.lost} events lost, ${after.twice - before.twice} twice, ${after.reached < sent - 1 ? 'SOME STRANDED' : 'nobody stranded'}, ${after.connections - before.connections} reconnections; longest pause p50 ${at(0.5).toFixed(0)} ms, p99 ${at(0.99).toFixed(0)} ms, largest ${at(1).toFixed(0)} ms`,
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
