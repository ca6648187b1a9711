/**
 * Attacks on a Logloom of its own on loopback, each bounded in count and time. argv: the attack's name, the ingest URL, the viewers' URL,
 * the syslog port. Comes from 127.0.0.2, so that the honest senders of the test are others. Prints what became of it.
 */
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { WebSocket } from 'ws';

const [name, ingestUrl, viewersUrl, syslogPort] = process.argv.slice(2) as [string, string, string, string];
const localAddress = '127.0.0.2';
const agent = new Agent({ localAddress });

interface Answer {
  status: number;
  bytes: number;
}

/** Sends a request; resolves with status 0 when the connection breaks. `abortMs`: hangs up after so long. */
function ask(
  url: string,
  options: {
    method?: string;
    headers?: Record<string, string>;
    body?: string | Buffer;
    abortMs?: number;
  } = {},
): Promise<Answer> {
  const { method = 'GET', headers = {}, body, abortMs = 120_000 } = options;
  return new Promise((resolve) => {
    const sent = request(url, { method, headers, agent }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => (bytes += chunk.length));
      response.on('end', () => resolve({ status: response.statusCode!, bytes }));
      response.on('error', () => resolve({ status: 0, bytes }));
    });
    sent.on('error', () => resolve({ status: 0, bytes: 0 }));
    setTimeout(() => sent.destroy(), abortMs).unref();
    sent.end(body);
  });
}

const ndjson = { 'content-type': 'application/x-ndjson' };
const json = { 'content-type': 'application/json' };

function ingest(body: string | Buffer, headers: Record<string, string> = ndjson): Promise<Answer> {
  return ask(`${ingestUrl}/ingest`, { method: 'POST', headers, body });
}

function statuses(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

function open(port: number, first: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress }, () => {
      if (first !== '') socket.write(first);
      // Otherwise the end of what the server says is never seen.
      socket.resume();
      resolve(socket);
    });
    socket.on('error', () => resolve(undefined));
  });
}

const livePort = Number(new URL(viewersUrl).port);

const attacks: Record<string, () => Promise<unknown>> = {
  'distinct ids': async () => {
    const answers: Answer[] = [];
    for (let part = 0; part < 12; part++) {
      const lines = Array.from({ length: 50_000 }, () => {
        const id = Math.random().toString(36).slice(2) + Math.random().toString(36).slice(2);
        return `{"service":"flood","message":"m","traceId":"${id}"}`;
      });
      answers.push(await ingest(gzipSync(lines.join('\n')), { ...ndjson, 'content-encoding': 'gzip' }));
    }
    return statuses(answers);
  },
  'arrays of ones': async () => {
    const body = gzipSync(`[${'1,'.repeat(60_000_000)}1]`);
    const headers = { ...json, 'content-encoding': 'gzip' };
    return statuses(await Promise.all(Array.from({ length: 6 }, () => ingest(body, headers))));
  },
  'large pages': async () => {
    const sent: Answer[] = [];
    for (let n = 0; n < 450; n++)
      sent.push(
        await ingest(`{"service":"large","message":"${'x'.repeat(1_000_000)}","traceId":"large-${n}"}`),
      );
    for (let tries = 0; tries < 240; tries++) {
      const answer = await fetch(`${viewersUrl}/api/search?q=service:large&limit=0`);
      const { total } = (await answer.json()) as { total: { value: number } };
      if (total.value === sent.length) break;
      await sleep(500);
    }
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => ask(`${viewersUrl}/api/search?q=service:large&limit=1000`)),
    );
    return { sent: statuses(sent), pages: statuses(answers), bytes: answers.map(({ bytes }) => bytes) };
  },
  'durable names': async () => {
    const sockets: WebSocket[] = [];
    for (let n = 0; n < 200; n++) {
      const ws = new WebSocket(`${viewersUrl.replace('http', 'ws')}/live`, 'logloom.v1', { localAddress });
      ws.on('error', () => {});
      ws.on('open', () => {
        for (let i = 0; i < 100; i++)
          ws.send(
            JSON.stringify({
              type: 'subscribe',
              id: `s${i}`,
              filter: '',
              durable: `n-${n}-${i}-${'x'.repeat(40)}`,
              from: 'now',
            }),
          );
      });
      sockets.push(ws);
      if (n % 20 === 19) await sleep(500);
    }
    await sleep(5000);
    const lists = await Promise.all(Array.from({ length: 5 }, () => ask(`${viewersUrl}/live/durable`)));
    for (const ws of sockets) ws.terminate();
    return { lists: statuses(lists), bytes: lists.map(({ bytes }) => bytes) };
  },
  'searches that nobody waits for': async () => {
    const query = encodeURIComponent('message:*a*b*c* OR attributes.x:*y*z*');
    const all: Answer[] = [];
    for (let round = 0; round < 10; round++) {
      const searches = Array.from({ length: 20 }, () =>
        ask(`${viewersUrl}/api/search?q=${query}&limit=1000`, { abortMs: 300 }),
      );
      all.push(...(await Promise.all(searches)));
    }
    return statuses(all);
  },
  'saved filters': async () => {
    const answers: Answer[] = [];
    for (let n = 0; n < 3000; n++)
      answers.push(
        await ask(`${viewersUrl}/api/saved-filters`, {
          method: 'POST',
          headers: json,
          body: JSON.stringify({ name: `f${n}`, filter: `message:*${n}*`, everyMs: 1000 }),
        }),
      );
    await sleep(10_000);
    return statuses(answers);
  },
  'a flooding viewer': async () => {
    const ws = new WebSocket(`${viewersUrl.replace('http', 'ws')}/live`, 'logloom.v1', { localAddress });
    const closed = new Promise<number>((resolve) => ws.on('close', resolve));
    ws.on('error', () => {});
    let sent = 0;
    for (const end = Date.now() + 20_000; Date.now() < end && ws.readyState <= WebSocket.OPEN; await sleep(5))
      if (ws.readyState === WebSocket.OPEN)
        for (let i = 0; i < 100; i++, sent++)
          ws.send(`{"type":"subscribe","id":"${sent}","filter":"a:${sent}"}`);
    ws.terminate();
    return { sent, close: await closed };
  },
  'refused upgrades': async () => {
    const upgrade = `GET /live HTTP/1.1\r\nHost: 127.0.0.1:${livePort}\r\nOrigin: http://evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;
    const sockets = await Promise.all(Array.from({ length: 3000 }, () => open(livePort, upgrade)));
    await sleep(8000);
    const left = sockets.filter(
      (socket) => socket !== undefined && !socket.destroyed && !socket.readableEnded,
    );
    for (const socket of sockets) socket?.destroy();
    return { opened: sockets.length, stillOpen: left.length };
  },
  'bodies that never end': async () => {
    const head = `POST /api/saved-filters HTTP/1.1\r\nHost: 127.0.0.1:${livePort}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`;
    const sockets = await Promise.all(Array.from({ length: 500 }, () => open(livePort, head)));
    await sleep(15_000);
    for (const socket of sockets) socket?.destroy();
    return { opened: sockets.filter((socket) => socket !== undefined).length };
  },
  polls: async () => {
    const polls = Array.from({ length: 2000 }, () =>
      ask(`${viewersUrl}/live/poll?filter=service:nobody&wait=8000`),
    );
    return statuses(await Promise.all(polls));
  },
  'silent syslog connections': async () => {
    const sockets = await Promise.all(Array.from({ length: 1500 }, () => open(Number(syslogPort), '')));
    await sleep(12_000);
    for (const socket of sockets) socket?.destroy();
    return { opened: sockets.filter((socket) => socket !== undefined).length };
  },
};

process.stdout.write(`${JSON.stringify(await attacks[name]!())}\n`);
process.exit(0);
