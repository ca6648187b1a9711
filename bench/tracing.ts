import { lockDataFolder } from '@logloom/event-log';
import { parseSettings } from '../apps/logloom/src/settings.ts';
import { createTelemetry, readTracingSettings, startTracing } from '@logloom/telemetry';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startIngest } from '../services/ingest/src/index.ts';
import { printConditions } from './conditions.ts';

// What does tracing cost ingest? User CPU time of the service for each event (the system's is the disk's), with tracing off, for 1 %
// and for 100 % of the requests, in bodies of 1,000 events and of 10. Usage: node bench/tracing.ts [rounds, default 6]

// The second one that is off shows what is noise.
const modes = { off: undefined, 'off too': undefined, '1 %': '0.01', '100 %': '1' } as const;
type Mode = keyof typeof modes;
const modeNames = Object.keys(modes) as Mode[];
const bodySizes = [1000, 10];
const requestsPerRound: Readonly<Record<number, number>> = { 1000: 10, 10: 150 };
const connections = 4;

/** Micro-seconds of CPU for each event, and events a second. */
interface Cost {
  cpu: number;
  rate: number;
}

/** The service as a process: tells its address, and on each message its user CPU time in microseconds. */
async function serve(folder: string): Promise<void> {
  lockDataFolder(folder);
  const telemetry = createTelemetry('ingest', 'error');
  const options = { service: 'ingest', isOneOfMany: false, kafka: false };
  await startTracing(telemetry, readTracingSettings(process.env), options);
  const { address } = await startIngest({
    settings: parseSettings({ LOGLOOM_DATA: folder, INGEST_PORT: '0', SYSLOG_PORT: '0' }),
    telemetry,
    signal: new AbortController().signal,
    onReady: () => {},
  });
  process.on('message', () => {
    process.send!(process.cpuUsage().user);
  });
  process.send!(address);
}

class Service {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: connections });
  #address = '';

  constructor(ratio: string | undefined, collector: string) {
    this.#folder = mkdtempSync(join(tmpdir(), 'bench-tracing-'));
    const variables =
      ratio === undefined ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_TRACES_SAMPLER_ARG: ratio };
    this.#child = fork(import.meta.filename, ['serve', this.#folder], {
      env: { ...process.env, ...variables },
    });
  }

  async ready(): Promise<void> {
    [this.#address] = (await once(this.#child, 'message')) as [string];
  }

  async measure(body: Buffer, events: number): Promise<Cost> {
    const before = await this.#cpu();
    const start = performance.now();
    const requests = requestsPerRound[events]!;
    const sent = requests * events;
    let next = 0;
    const connection = async (): Promise<void> => {
      while (next++ < requests) await this.#send(body);
    };
    await Promise.all(Array.from({ length: connections }, connection));
    const rate = (sent / (performance.now() - start)) * 1000;
    return { cpu: ((await this.#cpu()) - before) / sent, rate };
  }

  async end(): Promise<void> {
    this.#agent.destroy();
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
    rmSync(this.#folder, { recursive: true });
  }

  async #cpu(): Promise<number> {
    this.#child.send('cpu');
    return ((await once(this.#child, 'message')) as [number])[0];
  }

  #send(body: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/x-ndjson', 'content-length': body.length };
      const options = { method: 'POST', agent: this.#agent, headers };
      const sent = request(`${this.#address}/ingest`, options, (response) => {
        if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
        response.resume().on('end', resolve);
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }
}

function makeBody(events: number): Buffer {
  const lines = Array.from({ length: events }, (_, n) =>
    JSON.stringify({
      timestamp: new Date().toISOString(),
      level: n % 50 === 0 ? 'error' : 'info',
      service: `service-${n % 10}`,
      message: `request ${n} was handled by the checkout worker after looking at the cart and at the stock of the item`,
      requestId: `request-${Math.floor(n / 10)}`,
      http: { method: 'GET', status: 200, path: `/api/v1/orders/${n}` },
      durationMs: (n % 1000) / 10,
      user: `user-${n % 5000}`,
    }),
  );
  return Buffer.from(lines.join('\n'));
}

/** Takes spans and throws them away. */
async function startCollector(): Promise<{ url: string; bytes: () => number; close: () => void }> {
  let bytes = 0;
  const server = createServer((incoming, response) => {
    incoming.on('data', (data: Buffer) => (bytes += data.length)).on('end', () => response.end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, bytes: () => bytes, close: () => server.close().closeAllConnections() };
}

async function compare(rounds: number): Promise<void> {
  const collector = await startCollector();
  const services = new Map(modeNames.map((mode) => [mode, new Service(modes[mode], collector.url)]));
  try {
    await Promise.all([...services.values()].map((service) => service.ready()));
    printConditions(
      `POST /ingest, embedded log, ${connections} connections, OTLP to a sink in the load generator's process; best of ${rounds} rounds`,
    );
    for (const events of bodySizes) await compareBodies(services, events, rounds);
    console.log(`spans sent: ${Math.round(collector.bytes() / 1024)} KiB`);
  } finally {
    for (const service of services.values()) await service.end();
    collector.close();
  }
}

async function compareBodies(
  services: ReadonlyMap<Mode, Service>,
  events: number,
  rounds: number,
): Promise<void> {
  const body = makeBody(events);
  const best = new Map(modeNames.map((mode) => [mode, { cpu: Infinity, rate: 0 }]));
  for (let round = -2; round < rounds; round++) {
    // In turns, each time another one first, so that what else the machine does falls on all alike.
    for (let i = 0; i < modeNames.length; i++) {
      const mode = modeNames[(i + round + 2) % modeNames.length]!;
      const cost = await services.get(mode)!.measure(body, events);
      // The first rounds warm up.
      if (round < 0) continue;
      const so = best.get(mode)!;
      best.set(mode, { cpu: Math.min(so.cpu, cost.cpu), rate: Math.max(so.rate, cost.rate) });
    }
  }
  const of = (mode: Mode, what: keyof Cost): number => best.get(mode)![what];
  console.log(`bodies of ${events} events`);
  for (const mode of modeNames) {
    const percent = (of(mode, 'cpu') / of('off', 'cpu') - 1) * 100;
    console.log(
      `  tracing ${mode.padEnd(7)}  ${of(mode, 'cpu').toFixed(2).padStart(7)} µs CPU an event` +
        `  ${mode === 'off' ? '' : `${percent >= 0 ? '+' : ''}${percent.toFixed(1)} %`.padStart(7)}` +
        `  ${Math.round(of(mode, 'rate')).toLocaleString('en').padStart(9)} events/s`,
    );
  }
}

const [argument, folder = ''] = process.argv.slice(2);
if (argument === 'serve') await serve(folder);
else await compare(Number(argument ?? 6));
