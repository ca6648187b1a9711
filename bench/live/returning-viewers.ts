/**
 * Viewers who are cut off and come back, in a process of their own: `returning-viewers.ts <logloom|socketio> <port> <viewers>`. On
 * standard input `drop <spreadMs> <awayMs>` cuts each of them once, spread over that time, and says how many are not back a minute after the
 * last should be; `end` prints what they got, as JSON.
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

/** What one message says. It is the same for thousands of viewers, and read once: reading it for each would measure the viewers. */
interface Message {
  data: Buffer;
  text: string;
  numbers: number[];
  place: string | undefined;
}

const recent: Message[] = [];

function read(data: Buffer): Message {
  const known = recent.find((each) => each.data.equals(data));
  if (known !== undefined) return known;
  const text = data.toString('latin1');
  const place = (kind === 'logloom' ? /"cursor":"([^"]+)"/ : /^42.*,"([^"]+)"\]$/s).exec(text)?.[1];
  const numbers = Array.from(text.matchAll(/"n":(\d+)/g), ([, digits]) => Number(digits));
  const message = { data: Buffer.from(data), text, numbers, place };
  if (recent.push(message) > 8) recent.shift();
  return message;
}

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

  /** Resolves when it is subscribed, at whatever attempt. */
  connect(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wanted = newest;
    this.#backAt = performance.now();
    this.#open(resolve);
    return promise;
  }

  #open(ready: () => void): void {
    const isBack = this.#place !== '';
    const ws = new WebSocket(url, { perMessageDeflate: false, skipUTF8Validation: true });
    this.#ws = ws;
    ws.on('error', () => {});
    ws.on('close', () => {
      // Refused or cut while nobody asked for it.
      if (this.#ws === ws) setTimeout(() => this.#ws === ws && this.#open(ready), 200 + 200 * Math.random());
    });
    ws.on('message', (data: Buffer) => {
      // What comes after it was cut is for a connection that is gone.
      if (this.#ws !== ws) return;
      const message = read(data);
      if (kind === 'logloom') this.#ours(ws, message, isBack, ready);
      else this.#theirs(ws, message, isBack, ready);
    });
  }

  cut(): void {
    const ws = this.#ws;
    this.#ws = undefined;
    ws?.terminate();
  }

  #ours(ws: WebSocket, message: Message, isBack: boolean, ready: () => void): void {
    const { text, place } = message;
    if (text.startsWith('{"type":"hello"'))
      ws.send(
        JSON.stringify({
          type: 'subscribe',
          id: 'a',
          filter: 'service:checkout',
          from: isBack ? { cursor: this.#place } : 'now',
        }),
      );
    if (place !== undefined) this.#place = place;
    if (text.startsWith('{"type":"gap"')) this.unrecovered++;
    this.#take(message);
    if (text.startsWith('{"type":"subscribed"')) ready();
  }

  #theirs(ws: WebSocket, message: Message, isBack: boolean, ready: () => void): void {
    const { text, place } = message;
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
    this.#take(message);
    if (place !== undefined) this.#place = place;
  }

  #take({ numbers }: Message): void {
    for (const n of numbers) {
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

const patienceMs = 60_000;

/** Cuts each once; returns how many have not come back in time. */
async function drop(spreadMs: number, awayMs: number): Promise<number> {
  let away = viewers.length;
  const returns = viewers.map(async (viewer, i) => {
    await sleep((i / viewers.length) * spreadMs);
    viewer.cut();
    await sleep(awayMs);
    await viewer.connect();
    away--;
  });
  await Promise.race([Promise.all(returns), sleep(spreadMs + awayMs + patienceMs)]);
  return away;
}

for await (const line of createInterface({ input: process.stdin })) {
  const [command, spreadMs, awayMs] = line.split(' ');
  if (command === 'end') break;
  catchUpMs.length = command === 'forget' ? 0 : catchUpMs.length;
  console.log(command === 'drop' ? await drop(Number(spreadMs), Number(awayMs)) : 'done');
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
