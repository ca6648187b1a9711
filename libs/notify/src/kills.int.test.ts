import { eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AlertState } from './alert-state.ts';
import { alertState, resolvedState } from './testing/alert.ts';
import { startHttpReceiver } from './testing/http-receiver.ts';

const kills = process.env['LOGLOOM_FULL'] === '1' ? 40 : 3;
const child = join(import.meta.dirname, 'testing/notifier.child.ts');

/** A notifier that is killed and started again. Alerts are handed over until they are known to be durable. */
class KilledNotifier implements AsyncDisposable {
  readonly #folder: string;
  #process: ChildProcessWithoutNullStreams | undefined;
  #lines = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async start(): Promise<void> {
    const started = spawn(process.execPath, [child, this.#folder]);
    started.stdin.on('error', () => {});
    started.stderr.pipe(process.stderr);
    this.#lines = 0;
    started.stdout.on('data', (chunk: Buffer) => (this.#lines += chunk.toString().split('\n').length - 1));
    this.#process = started;
    await eventually('it is ready', () => this.#lines >= 1 || started.exitCode !== null);
  }

  async kill(): Promise<void> {
    const killed = this.#process!;
    if (killed.exitCode === null && killed.signalCode === null) {
      killed.kill('SIGKILL');
      await once(killed, 'exit');
    }
  }

  /** False if the process ended first. */
  async take(alert: AlertState): Promise<boolean> {
    const lines = this.#lines;
    const taking = this.#process!;
    taking.stdin.write(`${JSON.stringify(alert)}\n`);
    await eventually('it is taken', () => this.#lines > lines || taking.signalCode !== null);
    return this.#lines > lines;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

test('killed at any time, in the end the receiver knows exactly what fires, and one id has one content', async () => {
  await using receiver = await startHttpReceiver((_, response) => {
    // An answer that comes late, or is lost with the process.
    setTimeout(() => response.writeHead(Math.random() < 0.2 ? 503 : 200).end(), randomInt(30));
  });
  using folder = temporaryFolder('kills');
  writeFileSync(
    join(folder.path, 'receivers.yaml'),
    `receivers:
  - { name: hook, webhook: { url: '${receiver.url}', timeout: 1s } }
routes:
  - { receiver: hook, groupBy: [alertname], groupWait: 10ms, groupInterval: 10ms, repeatInterval: 1h }
`,
  );
  const states = new Map<string, AlertState>();
  const change = (): AlertState => {
    const n = randomInt(6);
    const before = states.get(alertState(n).fingerprint);
    if (before?.state === 'firing') return resolvedState(before);
    const revision = (before?.revision ?? 0) + 1;
    return alertState(n, { rule: `rule-${n % 2}`, revision, startsAt: Date.now() });
  };
  let pending: AlertState | undefined;
  await using notifier = new KilledNotifier(folder.path);
  for (let kill = 0; kill <= kills; kill++) {
    await notifier.start();
    const ends = kill < kills ? sleep(randomInt(10, 250)).then(() => notifier.kill()) : Promise.resolve();
    for (let i = 0; i < 12; i++) {
      // One that the process ended on may be durable: it is handed over again, as whoever reads a log does.
      pending ??= change();
      if (!(await notifier.take(pending))) break;
      states.set(pending.fingerprint, pending);
      pending = undefined;
    }
    await ends;
  }
  const firing = (): string[] =>
    [...states.values()].filter(({ state }) => state === 'firing').map(({ fingerprint }) => fingerprint);
  const told = (): Map<string, string> => {
    const known = new Map<string, string>();
    for (const { body } of receiver.taken)
      for (const { fingerprint, status } of (
        JSON.parse(body) as { alerts: { fingerprint: string; status: string }[] }
      ).alerts)
        known.set(fingerprint, status);
    return known;
  };
  await eventually('it knows exactly what fires', () => {
    const known = [...told()].filter(([, status]) => status === 'firing').map(([fingerprint]) => fingerprint);
    return known.sort().join() === firing().sort().join();
  });
  const contents = new Map<string, string>();
  for (const { headers, body } of receiver.taken) {
    const id = String(headers['webhook-id']);
    assert.equal(contents.get(id) ?? body, body);
    contents.set(id, body);
  }
  assert.ok(receiver.taken.length > 0);
});
