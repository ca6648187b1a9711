import { TestIssuer } from '@logloom/auth/test-issuer';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { eventually, Pipeline } from './pipeline.ts';

interface Document {
  id: string;
  revision: number;
  services: string[];
  eventCount: number;
}

interface Message {
  type: string;
  cursor?: string;
  correlations?: Document[];
}

/** What a tenant has been sent of the stream of correlations, over however many connections. */
abstract class Viewer {
  readonly documents: Document[] = [];
  readonly troubles: string[] = [];
  cursor: string | undefined;
  protected readonly url: string;
  protected readonly token: string;
  protected isOver = false;

  constructor(url: string, token: string) {
    this.url = url;
    this.token = token;
  }

  abstract end(): void;

  /** The latest revision of each document, by id. */
  get latest(): Document[] {
    const latest = new Map<string, Document>();
    for (const document of this.documents) latest.set(document.id, document);
    return [...latest.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  protected take({ type, cursor, correlations = [] }: Message): void {
    if (type === 'gap' || type === 'error') this.troubles.push(type);
    if (cursor !== undefined) this.cursor = cursor;
    this.documents.push(...correlations);
  }
}

class WebSocketTenant extends Viewer {
  #ws: WebSocket | undefined;

  constructor(url: string, token: string) {
    super(url, token);
    this.#connect();
  }

  end(): void {
    this.isOver = true;
    this.#ws?.terminate();
  }

  #connect(): void {
    const headers = { authorization: `Bearer ${this.token}` };
    const ws = new WebSocket(`${this.url.replace('http', 'ws')}/live`, { headers });
    this.#ws = ws;
    ws.on('error', () => {});
    ws.on('close', () => setTimeout(() => !this.isOver && this.#connect(), 100));
    ws.on('open', () => {
      const from = this.cursor === undefined ? 'now' : { cursor: this.cursor };
      ws.send(JSON.stringify({ type: 'subscribe', id: 'a', stream: 'correlations', from }));
    });
    ws.on('message', (data) => this.take(JSON.parse((data as Buffer).toString()) as Message));
  }
}

class SseTenant extends Viewer {
  readonly #stop = new AbortController();

  constructor(url: string, token: string) {
    super(url, token);
    void this.#run();
  }

  end(): void {
    this.isOver = true;
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    while (!this.isOver) {
      await this.#read().catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async #read(): Promise<void> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.token}` };
    if (this.cursor !== undefined) headers['last-event-id'] = this.cursor;
    const response = await fetch(`${this.url}/live/sse?stream=correlations`, {
      headers,
      signal: this.#stop.signal,
    });
    let rest = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const blocks = (rest + chunk).split('\n\n');
      rest = blocks.pop()!;
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data !== undefined) this.take(JSON.parse(data) as Message);
      }
    }
  }
}

class PollTenant extends Viewer {
  constructor(url: string, token: string) {
    super(url, token);
    void this.#run();
  }

  end(): void {
    this.isOver = true;
  }

  async #run(): Promise<void> {
    while (!this.isOver) {
      try {
        const from = this.cursor === undefined ? '' : `&from=${this.cursor}`;
        const response = await fetch(`${this.url}/live/poll?stream=correlations&wait=2000${from}`, {
          headers: { authorization: `Bearer ${this.token}` },
        });
        const { cursor, correlations, gaps } = (await response.json()) as Message & { gaps: unknown[] };
        if (gaps.length > 0) this.troubles.push('gap');
        this.take({ type: 'correlations', cursor: cursor!, correlations: correlations! });
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
}

/** By tenant; they leave with the test. */
class Viewers extends Map<string, Viewer[]> implements Disposable {
  [Symbol.dispose](): void {
    for (const viewer of [...this.values()].flat()) viewer.end();
  }
}

const tenants = ['acme', 'globex', 'initech'];

const isFull = process.env['LOGLOOM_FULL'] === '1';

for (const workers of isFull ? ['1', '2'] : ['1'])
  test(`tenants watch requests that others have joined, through kill -9, as the API has them; ${workers} process(es) for viewers`, async () => {
    const issuer = await TestIssuer.create('key');
    await using pipeline = await Pipeline.create({
      LIVE_WORKERS: workers,
      LIVE_AUTH_AUDIENCE: 'logloom',
      LIVE_DRAIN_MS: '500',
      CORRELATION_IDLE_MS: '300',
      CORRELATION_GRACE_MS: '20000',
    });
    const keys = join(pipeline.dataFolder, 'keys.json');
    writeFileSync(keys, issuer.jwks());
    pipeline.env['LIVE_AUTH_JWKS'] = keys;
    await pipeline.start();

    using viewers = new Viewers();
    const tokens = new Map<string, string>();
    for (const tenant of tenants) {
      const token = await issuer.sign(
        { logloom_filter: `attributes.tenant:${tenant}`, sub: tenant },
        { seconds: 3600 },
      );
      tokens.set(tenant, token);
      viewers.set(tenant, [
        new WebSocketTenant(pipeline.viewersUrl, token),
        new SseTenant(pipeline.viewersUrl, token),
        new PollTenant(pipeline.viewersUrl, token),
      ]);
    }
    const all = [...viewers.values()].flat();
    await eventually('all have begun', async () => all.every(({ cursor }) => cursor !== undefined));

    const line = (request: number, tenant: string, n: number): string =>
      JSON.stringify({
        service: `${tenant}-${n % 2 === 0 ? 'web' : 'db'}`,
        level: n % 5 === 0 ? 'error' : 'info',
        message: `${tenant} ${n}`,
        correlationId: `request-${request}`,
        attributes: { tenant, requestId: `${tenant}-${n % 7}` },
      });
    const send = async (lines: string[]): Promise<void> => {
      assert.equal((await pipeline.ingest(lines.join('\n'))).status, 200);
    };
    let n = 0;
    for (let round = 0; round < 6; round++) {
      const lines: string[] = [];
      for (let request = 10 * round; request < 10 * round + 10; request++)
        for (let i = 0; i <= request % 5; i++) lines.push(line(request, tenants[(request + i) % 3]!, n++));
      // Late ones: others' to some requests of before, and their own.
      if (round > 0)
        for (let request = 10 * round - 10; request < 10 * round; request += 3)
          lines.push(line(request, tenants[n % 3]!, n++));
      await send(lines);
      await new Promise((resolve) => setTimeout(resolve, 700));
      if (round === 2 || (isFull && round === 4)) {
        await pipeline.end('SIGKILL');
        await pipeline.start();
      }
    }

    const asked = async (tenant: string): Promise<Document[]> => {
      const documents: Document[] = [];
      let cursor = '';
      do {
        const response = await fetch(`${pipeline.viewersUrl}/api/correlations?limit=500${cursor}`, {
          headers: { authorization: `Bearer ${tokens.get(tenant)}` },
        });
        const page = (await response.json()) as { correlations: Document[]; next?: string };
        documents.push(...page.correlations);
        cursor = page.next === undefined ? '' : `&cursor=${encodeURIComponent(page.next)}`;
      } while (cursor !== '');
      return documents.sort((a, b) => (a.id < b.id ? -1 : 1));
    };
    const sum = (documents: readonly Document[]): number =>
      documents.reduce((events, { eventCount }) => events + eventCount, 0);
    await eventually('the API has every event of every tenant', async () => {
      const counts = await Promise.all(tenants.map(async (tenant) => sum(await asked(tenant))));
      return counts.reduce((a, b) => a + b) === n;
    });
    for (const tenant of tenants) {
      const wanted = await asked(tenant);
      for (const viewer of viewers.get(tenant)!) {
        await eventually(
          `${viewer.constructor.name} has all`,
          async () => sum(viewer.latest) === sum(wanted),
        );
        const { latest } = viewer;
        wanted.forEach((document, i) => assert.deepEqual(latest[i], document));
        assert.equal(latest.length, wanted.length);
        assert.ok(
          viewer.documents.every(({ services }) => services.every((name) => name.startsWith(tenant))),
        );
        const revisions = viewer.documents.map(({ id, revision }) => `${id} ${revision}`);
        assert.equal(new Set(revisions).size, revisions.length, 'each revision once');
        assert.deepEqual(viewer.troubles, []);
      }
    }
    assert.equal(await pipeline.end('SIGTERM'), 0);
  });
