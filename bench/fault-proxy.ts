/**
 * What does the load test's proxy cost a connection and a chunk, while it makes no fault and while it delays? Beside it sockets that are piped
 * into each other, which is the least that a proxy of Node can do. Each proxy is a process of its own, between one process that has the
 * server and one that has the clients.
 *
 *     node bench/fault-proxy.ts            # 1,000 connections, 20 chunks of 500 bytes a second to each
 *     node bench/fault-proxy.ts --connections 5000 --rate 10 --seconds 10
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultProxy } from '../apps/loadtest/src/faults/proxy/fault-proxy.ts';
import { printConditions } from './conditions.ts';
import { option } from './live/option.ts';

const connections = option('connections', 1_000);
const rate = option('rate', 20);
const seconds = option('seconds', 10);
const chunk = Buffer.alloc(500, 'x');

const roles: Record<string, (argument: string) => Promise<void>> = {
  /** Writes a chunk to every connection, again and again. */
  server: async () => {
    const sockets = new Set<Socket>();
    const server = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
    });
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 });
    await once(server, 'listening');
    setInterval(() => {
      for (const socket of sockets) socket.write(chunk);
    }, 1_000 / rate);
    process.send!((server.address() as AddressInfo).port);
  },
  clients: async (port) => {
    let chunks = 0;
    for (let i = 0; i < connections; i++) {
      const socket = connect({
        host: '127.0.0.1',
        port: Number(port),
        localAddress: `127.0.0.${1 + (i % 20)}`,
      });
      socket.on('data', () => chunks++);
      if (i % 100 === 99) await sleep(10);
    }
    process.on('message', () => process.send!(chunks));
    process.send!('connected');
  },
  ours: async (port) => proxy(await new FaultProxy({ host: '127.0.0.1', port: Number(port) }).listen()),
  'ours, 50 ms of latency': async (port) => {
    const ours = new FaultProxy({ host: '127.0.0.1', port: Number(port) });
    const own = await ours.listen();
    ours.begin(1, { kind: 'network', share: 1, on: 'viewers', latencyMs: 50, atSeconds: 0, seconds: 1_000 });
    proxy(own);
  },
  pipes: async (port) => {
    const server = createServer({ noDelay: true }, (client) => {
      const upstream = connect({ host: '127.0.0.1', port: Number(port), noDelay: true });
      client.pipe(upstream).pipe(client);
      for (const socket of [client, upstream]) socket.on('error', () => {});
    });
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 });
    await once(server, 'listening');
    proxy((server.address() as AddressInfo).port);
  },
};

/** Says its port, and on each message what it has taken. */
function proxy(port: number): void {
  const before = process.memoryUsage().rss;
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send!({ cpuUs: user + system, bytes: process.memoryUsage().rss - before });
  });
  process.send!(port);
}

async function start(role: string, port = 0): Promise<{ child: ChildProcess; said: unknown }> {
  const child = fork(import.meta.filename, [
    ...process.argv.slice(2),
    '--role',
    role,
    '--port',
    String(port),
  ]);
  const [said] = (await once(child, 'message')) as [unknown];
  return { child, said };
}

async function ask<T>(child: ChildProcess): Promise<T> {
  child.send('how much?');
  return ((await once(child, 'message')) as [T])[0];
}

const at = process.argv.indexOf('--role');
if (at > 0) {
  const port = process.argv[process.argv.indexOf('--port') + 1]!;
  await roles[process.argv[at + 1]!]!(port);
} else {
  printConditions(
    `${connections} connections, ${rate} chunks of ${chunk.length} bytes a second to each, ${seconds} s`,
  );
  for (const role of ['pipes', 'ours', 'ours, 50 ms of latency']) {
    const server = await start('server');
    const between = await start(role, Number(server.said));
    const clients = await start('clients', Number(between.said));
    await sleep(3_000);
    const [before, chunksBefore] = [await ask<Taken>(between.child), await ask<number>(clients.child)];
    await sleep(seconds * 1_000);
    const [after, chunks] = [await ask<Taken>(between.child), await ask<number>(clients.child)];
    const passed = chunks - chunksBefore;
    console.log(
      `${role.padEnd(24)} ${((after.cpuUs - before.cpuUs) / passed).toFixed(1)} µs of CPU a chunk, ` +
        `${(after.bytes / connections / 1_024).toFixed(1)} KiB a connection, ${Math.round(passed / seconds)} chunks/s`,
    );
    for (const { child } of [clients, between, server]) child.kill('SIGKILL');
  }
}

interface Taken {
  cpuUs: number;
  bytes: number;
}
