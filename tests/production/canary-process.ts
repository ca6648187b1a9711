import { parseMetrics } from '@logloom/telemetry/testing/metrics-text';
import { eventually, freePort } from '@logloom/testing';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { answers } from '../../infra/local/readiness.ts';
import { ServerProcess } from '../../infra/local/server-process.ts';

const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');
const paths = ['searchable', 'correlated', 'sent'];

/** `logloom canary` as a process of its own, and what its metrics say. */
export class CanaryProcess implements AsyncDisposable {
  readonly process: ServerProcess;
  readonly url: string;

  private constructor(process: ServerProcess, url: string) {
    this.process = process;
    this.url = url;
  }

  /** `settings`: the whole environment; undefined: it does without. Resolves when it is ready. */
  static async start(
    settings: Readonly<Record<string, string | undefined>>,
    logFile: string,
  ): Promise<CanaryProcess> {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const env = Object.entries({ ...settings, HEALTH_PORT: String(port) });
    const canary = new ServerProcess({
      name: 'canary',
      port,
      command: 'env',
      args: [
        ...env.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])),
        process.execPath,
        main,
        'canary',
      ],
      logFile,
      isReady: answers(`${url}/health/ready`),
      signal: new AbortController().signal,
    });
    await canary.start();
    return new CanaryProcess(canary, url);
  }

  /** The sum of `logloom_canary_NAME_events_total` over the series whose labels contain all of these values. */
  async total(name: string, ...labels: string[]): Promise<number> {
    const families = parseMetrics(await (await fetch(`${this.url}/metrics`)).text());
    const samples = families.get(`logloom_canary_${name}_events_total`)?.samples ?? [];
    return samples
      .filter((sample) => labels.every((label) => sample.labels.includes(`"${label}"`)))
      .reduce((sum, { value }) => sum + value, 0);
  }

  /** Resolves when so many more events than now have arrived from each of the receivers on every path. */
  async untilArrived(receivers: readonly string[], more: number, timeoutMs?: number): Promise<void> {
    const counts = async (): Promise<number[]> => {
      const all: number[] = [];
      for (const receiver of receivers)
        for (const path of paths)
          all.push(
            (await this.total('expected', receiver, path)) - (await this.total('lost', receiver, path)),
          );
      return all;
    };
    const before = await counts();
    await eventually(
      'every receiver on every path',
      async () => (await counts()).every((count, i) => count >= before[i]! + more),
      timeoutMs,
    );
  }

  /** Proves that nothing was doubled or changed places, and that nothing is lost of what these receivers acknowledged. */
  async assertComplete(
    acknowledging: readonly string[],
  ): Promise<{ sent: number; refused: number; lost: number }> {
    for (const name of ['duplicated', 'disordered']) assert.equal(await this.total(name), 0, name);
    const never = async (...labels: string[]): Promise<number> =>
      (await this.total('lost', ...labels)) - (await this.total('late', ...labels));
    for (const receiver of acknowledging)
      for (const path of paths) assert.equal(await never(receiver, path), 0, `${receiver} ${path}`);
    return { sent: await this.total('sent'), refused: await this.total('refused'), lost: await never() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.kill();
  }
}
