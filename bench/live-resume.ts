/**
 * 10,000 viewers, each cut off several times for 2 s while events continue: does every one get every event once, and how long does it take
 * to have what it missed, from the first byte of the new connection on? Rival, in the same run: Socket.IO's connection state
 * recovery. Needs `ulimit -n 20000`.
 * Options: --viewers 10000, --drops 3, --rate 5, --spread 10000 (milliseconds over which each round's cuts are spread).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { printConditions } from './conditions.ts';
import { listening } from './live/measure.ts';
import { option } from './live/option.ts';
import { publishLines } from './live/publish-lines.ts';

const viewers = option('viewers', 10_000);
const drops = option('drops', 3);
const rate = option('rate', 5);
const spreadMs = option('spread', 10_000);
const here = (name: string): string => join(import.meta.dirname, 'live', name);

interface Outcome {
  received: number;
  twice: number;
  lost: number;
  behind: number;
  unrecovered: number;
  returns: number;
  p50: number;
  p99: number;
}

/** Posts events until the signal aborts; returns how many. */
async function publish(port: number, signal: AbortSignal): Promise<number> {
  let n = 0;
  const started = performance.now();
  while (!signal.aborted) {
    const due = Math.floor(((performance.now() - started) / 1000) * rate);
    const lines: string[] = [];
    for (; n <= due; n++)
      lines.push(
        JSON.stringify({
          t: Date.now() * 1000,
          n,
          service: 'checkout',
          traceId: `t${n}`,
          msg: 'x'.repeat(100),
        }),
      );
    if (lines.length > 0) await publishLines(port, lines);
    await sleep(20);
  }
  return n;
}

async function run(kind: 'logloom' | 'socketio', command: string[], port: number): Promise<void> {
  const children: ChildProcess[] = [];
  const start = (core: number, args: string[]): ChildProcess => {
    const child = spawn('taskset', ['-c', String(core), process.execPath, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(child);
    return child;
  };
  try {
    const server = start(0, command);
    server.stdout!.resume();
    if (!(await listening(port, server))) throw new Error(`${kind} did not start`);
    const startedAt = performance.now();
    const clients = start(1, [here('returning-viewers.ts'), kind, String(port), String(viewers)]);
    const lines = createInterface({ input: clients.stdout! });
    const line = async (): Promise<string> => ((await once(lines, 'line')) as [string])[0];
    const tell = async (command: string): Promise<string> => {
      const answer = line();
      clients.stdin!.write(`${command}\n`);
      return answer;
    };
    await line();
    const connectedMs = performance.now() - startedAt;
    const stop = new AbortController();
    const publishing = publish(port, stop.signal);
    await sleep(2000);
    await tell('forget');
    for (let round = 0; round < drops; round++) {
      const away = await tell(`drop ${spreadMs} 2000`);
      if (away !== '0') console.log(`${kind}: ${away} viewers did not come back in round ${round + 1}`);
      await sleep(1000);
    }
    stop.abort();
    const published = await publishing;
    await sleep(3000);
    const o = JSON.parse(await tell('end')) as Outcome;
    console.log(
      `${kind}: ${published} events, ${o.received} of ${published * viewers} received, ${o.twice} twice, ${o.lost} lost, ${o.behind} viewers behind, ${o.unrecovered} not recovered; ${o.returns} returns, caught up after p50 ${o.p50.toFixed(0)} ms, p99 ${o.p99.toFixed(0)} ms; connected in ${seconds(connectedMs)} s, all in ${seconds(performance.now() - startedAt)} s`,
    );
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(0);
}

printConditions(
  `${viewers} viewers, each cut ${drops} times for 2 s, spread over ${spreadMs / 1000} s a time, ${rate} events/s; server on core 0, viewers on core 1`,
);
await run('logloom', [here('server.ts'), '127.0.0.1:9125'], 9125);
await run('socketio', [here('rivals/socket-io-server.ts'), '127.0.0.1:9126', '--recovery'], 9126);
