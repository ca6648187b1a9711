/**
 * Do several processes hold 50,000 viewers on one machine? They connect from 127.0.0.0/8, get an event a second, and nothing may be
 * lost. No rival holds as many in one process; bench/live-connections.ts compares one. Needs the load client `wsload` and
 * `ulimit -n 20000`: node bench/live-workers.ts --wsload /path/to/wsload
 * Options: --viewers 50000, --workers 4, --clients 4, --seconds 20.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { printConditions } from './conditions.ts';
import { Fleet } from './live/fleet.ts';
import { option } from './live/option.ts';

interface LoadReport {
  open: number;
  failed: number;
  closed: number;
  connect_s: number;
  records: number;
  missed: number;
  repeats: number;
  gaps: number;
  p50_us: number;
  p99_us: number;
}

const wsload = process.argv[process.argv.indexOf('--wsload') + 1]!;
const viewers = option('viewers', 50_000);
const workers = option('workers', 4);
const clients = option('clients', 4);
const seconds = option('seconds', 20);
if (!process.argv.includes('--wsload') || !existsSync(wsload)) {
  console.log('not measured: --wsload names no load client');
  process.exit(0);
}
printConditions(`${viewers} viewers of everything in ${clients} load clients, ${workers} workers, 1 event/s`);
await using fleet = await Fleet.open(workers, '127.0.0.1', 3_000);
const folder = mkdtempSync(join(tmpdir(), 'live-workers-'));
const loads = Array.from({ length: clients }, async (_, i) => {
  const { stdout } = await promisify(execFile)(wsload, [
    '--url',
    `ws://127.0.0.1:${fleet.port}/live`,
    '--conns',
    String(Math.ceil(viewers / clients)),
    '--sources',
    '40',
    '--connect-rate',
    '2000',
    '--connect-timeout',
    '180s',
    '--duration',
    `${seconds}s`,
    '--ready-file',
    join(folder, `${i}`),
    '--hello',
    '{"type":"subscribe","id":"a"}',
    '--count-key',
    '--seq-key',
    '"n":',
  ]);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as LoadReport;
});
const all = Promise.all(loads);
const producing = fleet.produceUntil(1, all);
while (!loads.every((_, i) => existsSync(join(folder, `${i}`)))) {
  if ((await Promise.race([all.then(() => true), sleep(200)])) === true) break;
}
const memory = fleet.supervisor.workers.pids.map((pid) => {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
});
const reports = await all;
await producing;
const sum = (name: keyof LoadReport): number => reports.reduce((total, report) => total + report[name], 0);
const most = (name: keyof LoadReport): number => Math.max(...reports.map((report) => report[name]));
console.log(
  `${sum('open')} open after ${most('connect_s').toFixed(0)} s, ${sum('failed')} failed, ${sum('closed')} closed; ${sum('records')} deliveries, ${sum('missed')} lost, ${sum('repeats')} twice; p50 ${(most('p50_us') / 1000).toFixed(0)} ms, p99 ${(most('p99_us') / 1000).toFixed(0)} ms; RSS of the workers ${memory.map((mb) => mb.toFixed(0)).join(' + ')} MB`,
);
rmSync(folder, { recursive: true });
