import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinPages, parseViewerId, type ViewerId, type ViewerPage } from './viewer-directory.ts';
import { ViewerRegistry, type ConnectedViewer } from './viewer-registry.ts';

function viewer(done: string[] = []): ConnectedViewer {
  return {
    figures: () => ({
      subscriptions: [],
      queuedBytes: 0,
      bytes: 0,
      events: 0,
      eventsPerSecond: 0,
      missed: 0,
      gaps: 0,
      ageMs: null,
    }),
    heartbeat: () => {},
    expire: () => {},
    goodbye: (reason, retryAfterMs) => done.push(`goodbye ${reason} ${retryAfterMs}`),
    close: () => done.push('close'),
    terminate: () => {},
  };
}

function filled(count: number): ViewerRegistry {
  const registry = new ViewerRegistry(['sse', 'websocket'], 1000);
  for (let i = 0; i < count; i++)
    registry.add(i % 2 === 0 ? 'sse' : 'websocket', viewer(), undefined, { subject: `s${i}` });
  return registry;
}

async function pagesOf(list: (after: ViewerId | undefined) => Promise<ViewerPage>): Promise<string[][]> {
  const pages: string[][] = [];
  for (let after: ViewerId | undefined; ;) {
    const { viewers, hasMore } = await list(after);
    pages.push(viewers.map(({ id }) => id));
    if (!hasMore) return pages;
    after = parseViewerId(viewers.at(-1)!.id);
  }
}

test('pages hold every viewer of every process once, in order, while others come and go', async () => {
  const registries = [filled(7), filled(0), filled(5)];
  const list = async (after: ViewerId | undefined): Promise<ViewerPage> =>
    joinPages(await Promise.all(registries.map((one) => one.list({ limit: 3, after }))), 3);
  const pages = await pagesOf(list);
  assert.deepEqual(
    pages.map((page) => page.length),
    [3, 3, 3, 3],
  );
  assert.equal(new Set(pages.flat()).size, 12);
  assert.equal((await list(undefined)).total, 12);
});

test('an entry says who the viewer is, and is gone with it', async () => {
  const registry = new ViewerRegistry(['sse'], 1000);
  const one = viewer();
  registry.add('sse', one, undefined, { address: '10.0.0.1', subject: 'ada' });
  registry.add('sse', viewer(), undefined);
  const { viewers } = await registry.list({ limit: 10, after: undefined });
  assert.deepEqual(
    viewers.map(({ transport, address, subject }) => ({ transport, address, subject })),
    [
      { transport: 'sse', address: '10.0.0.1', subject: 'ada' },
      { transport: 'sse', address: null, subject: null },
    ],
  );
  registry.delete('sse', one);
  assert.equal((await registry.list({ limit: 10, after: undefined })).viewers[0]!.id, viewers[1]!.id);
});

test('a viewer that is ended is told why and closed; an id of nobody, or of another process, ends none', async () => {
  const registry = new ViewerRegistry(['sse'], 1000);
  const done: string[] = [];
  let ended = 0;
  registry.onEnded = () => ended++;
  registry.add('sse', viewer(done), undefined);
  const { node } = registry;
  assert.equal(await registry.end({ node, number: 2 }), false);
  assert.equal(await registry.end({ node: 'another1', number: 1 }), false);
  assert.deepEqual(done, []);
  assert.equal(await registry.end({ node, number: 1 }), true);
  assert.deepEqual([done, ended], [['goodbye ended 60000', 'close'], 1]);
});

test('only what was written as an id is one', () => {
  assert.deepEqual(parseViewerId('0123abcd-12'), { node: '0123abcd', number: 12 });
  for (const text of ['', '0123abcd-', '0123abcd-0', '0123abcd-01', '0123ABCD-1', '0123abcd-1 ', '../-1'])
    assert.equal(parseViewerId(text), undefined, text);
});
