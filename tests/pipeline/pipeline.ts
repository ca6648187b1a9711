import assert from 'node:assert/strict';
import { pathOfUrl } from '@logloom/runtime/testing/contract';
import { holdResponse } from '@logloom/runtime/testing/hold-contract';
import { closedPorts, eventually, freePort, temporaryFolder } from '@logloom/testing';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');

/** The one-process mode as a child process with a data folder and ports of its own, to be used, killed and started again. */
export class Pipeline implements AsyncDisposable {
  readonly dataFolder: string;
  readonly ingestUrl: string;
  readonly viewersUrl: string;
  readonly env: Record<string, string>;
  readonly #wrap: (program: string[]) => string[];
  #child: ChildProcess | undefined;
  #errors = '';

  private constructor(
    dataFolder: string,
    ingestPort: number,
    livePort: number,
    settings: Record<string, string>,
    wrap: (program: string[]) => string[],
  ) {
    this.#wrap = wrap;
    this.dataFolder = dataFolder;
    this.ingestUrl = `http://127.0.0.1:${ingestPort}`;
    this.viewersUrl = `http://127.0.0.1:${livePort}`;
    this.env = {
      ...(process.env as Record<string, string>),
      ...closedPorts,
      ...settings,
      LOGLOOM_DATA: dataFolder,
      INGEST_PORT: String(ingestPort),
      LIVE_PORT: String(livePort),
    };
  }

  /** `wrap` may put a program before it. */
  static async create(
    settings: Record<string, string> = {},
    wrap = (program: string[]): string[] => program,
  ): Promise<Pipeline> {
    return new Pipeline(temporaryFolder('pipeline').path, await freePort(), await freePort(), settings, wrap);
  }

  /** Starts it and waits until it is ready. */
  async start(): Promise<void> {
    const [program, ...args] = this.#wrap([process.execPath, main, 'up']);
    const child = spawn(program!, args, {
      env: this.env,
      cwd: this.dataFolder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    child.stderr.on('data', (data: Buffer) => (this.#errors += data.toString()));
    await eventually('ready', async () => {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`it ended at the start:\n${this.#errors}`);
      return (await fetch(`${this.viewersUrl}/health/ready`)).ok;
    });
  }

  /** Ends it with SIGKILL, or SIGTERM and its drain; returns the exit code. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null)
      return child?.exitCode ?? null;
    const exited = once(child, 'exit');
    child.kill(signal);
    const [code] = (await exited) as [number | null];
    return code;
  }

  /** Deletes every view and starts again: resolves once the log alone has given this many of each. */
  async rebuild(expected: { events: number; correlations: number }): Promise<void> {
    assert.equal(await this.end('SIGTERM'), 0, this.errors);
    rmSync(join(this.dataFolder, 'stores'), { recursive: true });
    for (const suffix of ['', '-wal', '-shm'])
      rmSync(join(this.dataFolder, 'log', `logs.correlations.db${suffix}`), { force: true });
    await this.start();
    await eventually('rebuilt', async () => {
      const { counts } = await this.get<{ counts: Record<string, number> }>('/api/status');
      return counts['events'] === expected.events && counts['correlations'] === expected.correlations;
    });
    await this.untilDone();
  }

  /** Of its process; undefined before the first start. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isRunning(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  /** What it wrote to standard error so far. */
  get errors(): string {
    return this.#errors;
  }

  async get<T>(path: string): Promise<T> {
    const response = await held('GET', this.viewersUrl + path);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** Every document, by the ids' order. */
  async documents<Document extends { id: string }>(): Promise<Document[]> {
    const documents: Document[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.get<{ correlations: Document[]; next?: string }>(
        `/api/correlations?limit=1000${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      documents.push(...page.correlations);
      cursor = page.next;
    } while (cursor !== undefined);
    return documents.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async ingest(
    body: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return held('POST', `${this.ingestUrl}/ingest`, {
      body,
      headers: { 'content-type': 'application/x-ndjson', ...headers },
    });
  }

  /** Waits until every consumer has read everything and no group is open any more. */
  async untilDone(): Promise<void> {
    await eventually('every consumer at the end', async () => {
      const { consumers } = await this.get<{ consumers: { lag: number }[] }>('/api/status');
      return consumers.every(({ lag }) => lag === 0) && (await this.openGroups()) === 0;
    });
    // The last documents still go through the indexer.
    await eventually('every document indexed', async () => {
      const { consumers } = await this.get<{ consumers: { lag: number }[] }>('/api/status');
      return consumers.every(({ lag }) => lag === 0);
    });
  }

  /** As `logloom verify`, summed over the views. */
  async verify(): Promise<{ complete: boolean; missing: number }> {
    const answer = await held('POST', `${this.viewersUrl}/api/jobs/verify`, {
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
    const { id } = (await answer.json()) as { id: string };
    let result: { complete: boolean; views: { missing: number }[] } | undefined;
    await eventually('verified', async () => {
      ({ result } = await this.get<{ result?: typeof result }>(`/api/jobs/${id}`));
      return result !== undefined;
    });
    return {
      complete: result!.complete,
      missing: result!.views.reduce((sum, view) => sum + view.missing, 0),
    };
  }

  async openGroups(): Promise<number> {
    const metrics = await (await fetch(`${this.viewersUrl}/metrics`)).text();
    let open = 0;
    for (const [, value] of metrics.matchAll(/^logloom_correlator_open_groups\{.*\} (\d+)$/gm))
      open += Number(value);
    return open;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
    rmSync(this.dataFolder, { recursive: true, force: true });
  }
}

/** As fetch(), but compares the response with the contract. */
async function held(method: string, url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, { ...init, method });
  const body = await response.clone().text();
  const contentType = response.headers.get('content-type') ?? undefined;
  holdResponse({ method, route: pathOfUrl(url) ?? '', status: response.status, contentType, body });
  return response;
}

// For tests of clients, which import no package of ours by its name.
export { eventually };
