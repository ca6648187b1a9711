/**
 * Viewers who are cut off and come back, in a process of their own: `returning-viewers.ts <logloom|socketio> <port> <viewers>`. On
 * standard input `drop <spreadMs> <awayMs>` cuts each of them once, spread over that time; `end` prints what they got, as JSON.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

const [kind, port, count] = process.argv.slice(2);
const url =
  kind === 'logloom'
    ? `ws://127.0.0.1:${port}/live`
    : `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`;
const catchUpMs: number[] = [];
/** The newest event that any viewer has. */
let newest = -1;

class ReturningViewer {
  #ws: WebSocket | undefined;
  /** Socket.IO's session and offset, or our cursor. */
  #pid = '';
  #place = '';
  #last = -1;
  #wanted = -1;
  #backAt = 0;
  received = 0;
  twice = 0;
  lost = 0;
  unrecovered = 0;

  get last(): number {
    return this.#last;
  }

  connect(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const isBack = this.#place !== '';
    this.#wanted = newest;
    this.#backAt = performance.now();
    const ws = new WebSocket(url, { perMessageDeflate: false, skipUTF8Validation: true });
    this.#ws = ws;
    ws.on('error', () => {});
    ws.on('close', () => {
      // Refused or cut while nobody asked for it.
      if (this.#ws === ws)
        void sleep(200)
          .then(() => this.connect())
          .then(resolve);
    });
    ws.on('message', (data) => {
      const text = (data as Buffer).toString('latin1');
      if (kind === 'logloom') this.#ours(ws, text, isBack, resolve);
      else this.#theirs(ws, text, isBack, resolve);
    });
    return promise;
  }

  cut(): void {
    const ws = this.#ws;
    this.#ws = undefined;
    ws?.terminate();
  }

  #ours(ws: WebSocket, text: string, isBack: boolean, ready: () => void): void {
    if (text.startsWith('{"type":"hello"'))
      ws.send(
        JSON.stringify({
          type: 'subscribe',
          id: 'a',
          filter: 'service:checkout',
          from: isBack ? { cursor: this.#place } : 'now',
        }),
      );
    const cursor = /"cursor":"([^"]+)"/.exec(text);
    if (cursor !== null) this.#place = cursor[1]!;
    if (text.startsWith('{"type":"gap"')) this.unrecovered++;
    this.#take(text);
    if (text.startsWith('{"type":"subscribed"')) ready();
  }

  #theirs(ws: WebSocket, text: string, isBack: boolean, ready: () => void): void {
    if (text.startsWith('0{'))
      ws.send(isBack ? `40${JSON.stringify({ pid: this.#pid, offset: this.#place })}` : '40');
    if (text === '2') ws.send('3');
    if (text.startsWith('40{')) {
      const { pid } = JSON.parse(text.slice(2)) as { pid: string };
      if (isBack && pid !== this.#pid) this.unrecovered++;
      this.#pid = pid;
      this.#place ||= '-';
      ready();
    }
    if (!text.startsWith('42')) return;
    this.#take(text);
    const offset = /,"([^"]+)"\]$/.exec(text);
    if (offset !== null) this.#place = offset[1]!;
  }

  #take(text: string): void {
    for (const [, digits] of text.matchAll(/"n":(\d+)/g)) {
      const n = Number(digits);
      if (n <= this.#last) {
        this.twice++;
        continue;
      }
      if (this.#last >= 0) this.lost += n - this.#last - 1;
      this.#last = n;
      this.received++;
      newest = Math.max(newest, n);
    }
    if (this.#backAt === 0 || this.#last < this.#wanted || this.#place === '') return;
    if (this.#wanted >= 0) catchUpMs.push(performance.now() - this.#backAt);
    this.#backAt = 0;
  }
}

const viewers = Array.from({ length: Number(count) }, () => new ReturningViewer());
for (let i = 0; i < viewers.length; i += 100)
  await Promise.all(viewers.slice(i, i + 100).map((viewer) => viewer.connect()));
console.log('ready');

for await (const line of createInterface({ input: process.stdin })) {
  const [command, spreadMs, awayMs] = line.split(' ');
  if (command === 'end') break;
  catchUpMs.length = command === 'forget' ? 0 : catchUpMs.length;
  if (command === 'drop')
    await Promise.all(
      viewers.map(async (viewer, i) => {
        await sleep((i / viewers.length) * Number(spreadMs));
        viewer.cut();
        await sleep(Number(awayMs));
        await viewer.connect();
      }),
    );
  console.log('done');
}
const sum = (of: (viewer: ReturningViewer) => number): number => viewers.reduce((s, v) => s + of(v), 0);
catchUpMs.sort((a, b) => a - b);
const at = (share: number): number => catchUpMs[Math.floor(share * (catchUpMs.length - 1))] ?? Number.NaN;
console.log(
  JSON.stringify({
    received: sum((v) => v.received),
    twice: sum((v) => v.twice),
    lost: sum((v) => v.lost),
    behind: viewers.filter((v) => v.last !== newest).length,
    unrecovered: sum((v) => v.unrecovered),
    returns: catchUpMs.length,
    p50: at(0.5),
    p99: at(0.99),
  }),
);
process.exit();
