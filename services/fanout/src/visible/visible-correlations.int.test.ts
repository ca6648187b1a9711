import { openEmbeddedArchive } from '@logloom/archive';
import { visibleDocument, visibleDocumentJson } from '@logloom/auth';
import { TestIssuer } from '@logloom/auth/test-issuer';
import {
  aboutCorrelations,
  compilePredicate,
  CorrelationSubject,
  FilterSubject,
  parseFilter,
  type Filter,
} from '@logloom/filter';
import {
  correlationToJson,
  placeCorrelation,
  placeEvent,
  topics,
  type Correlation,
  type CorrelationJson,
  type Level,
  type LogEvent,
} from '@logloom/schemas';
import { eventually } from '@logloom/testing';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ViewerSubscriptions } from '../delivery/viewer-subscriptions.ts';
import type { From } from '../protocol/subscribe-from.ts';
import { correlationFields } from '../stream/correlation-filter.ts';
import { DocumentWriter } from '../testing/document-writer.ts';
import { LiveClient } from '../testing/live-client.ts';
import { LiveRig, type RunningTier } from '../testing/live-rig.ts';
import { SlowViewer } from '../testing/slow-viewer.ts';

function parsed(text: string): Filter {
  const result = parseFilter(text);
  assert.ok(result.ok, text);
  return result.filter;
}

/** A viewer with an imposed filter, who takes what comes when it is asked for. */
class Tenant {
  readonly viewer = new SlowViewer();
  readonly session: ViewerSubscriptions;
  readonly #tier: RunningTier;

  constructor(tier: RunningTier, imposed: string, filter = '', from: From = { type: 'now' }) {
    this.#tier = tier;
    const context = tier.tier.contextFor({ subject: imposed, filter: parsed(imposed) });
    this.session = new ViewerSubscriptions(this.viewer, context, ({ message }) => assert.fail(message));
    void this.session.subscribe({ id: 'a', filter, stream: 'correlations', from, priority: 'normal' });
  }

  get documents(): CorrelationJson[] {
    this.viewer.take();
    return this.viewer.received.flatMap(
      ({ correlations = [] }) => correlations as unknown as CorrelationJson[],
    );
  }

  get cursor(): string {
    this.viewer.take();
    return this.viewer.cursor!;
  }

  /** What it has been sent once everything was looked at; `count` documents at least. */
  async after(count: number): Promise<CorrelationJson[]> {
    const { visible } = this.#tier.tier.contextFor({});
    await eventually(`${count} documents`, () => this.documents.length >= count);
    await eventually('all looked at', () => visible.behind === 0);
    visible.flushAll();
    return this.documents;
  }

  async started(): Promise<this> {
    await eventually('subscribed', () => this.cursor !== undefined);
    return this;
  }
}

/** The documents that an imposed filter and a viewer's own leave of these, as the API makes them. */
function expected(
  documents: readonly Correlation[],
  eventAt: (partition: number, offset: number) => LogEvent | undefined,
  { epoch, imposed, filter }: { epoch: string; imposed: string; filter: string },
): CorrelationJson[] {
  const isVisible = compilePredicate(parsed(imposed));
  const { ast, canonical } = parsed(filter === '' ? '*' : filter);
  const matches = compilePredicate({ ast: aboutCorrelations(ast, correlationFields).ast, canonical });
  const seen = new Map<string, number>();
  const left: CorrelationJson[] = [];
  for (const document of documents) {
    const whole = placeCorrelation({ ...document }, epoch);
    const members = correlationToJson(whole).members.flatMap((offset) => {
      const event = eventAt(document.partition, offset);
      if (event === undefined) return [];
      const placed = placeEvent({ ...event }, epoch, document.partition, offset);
      return isVisible(new FilterSubject(placed)) ? [placed] : [];
    });
    if (members.length === 0) continue;
    // A revision that adds nothing visible is about others.
    if (seen.get(whole.id) === members.length) continue;
    seen.set(whole.id, members.length);
    const visible = visibleDocument(whole, members);
    if (matches(new CorrelationSubject(visible))) left.push(visibleDocumentJson(visible) as CorrelationJson);
  }
  return left;
}

function ofPartition(documents: readonly CorrelationJson[], partition: number): CorrelationJson[] {
  return documents.filter((document) => document.partition === partition);
}

const eventFields = fc.record({
  service: fc.constantFrom('pay', 'web', 'db'),
  level: fc.constantFrom<Level>('info', 'warn', 'error'),
  tenant: fc.constantFrom('acme', 'globex'),
  traceId: fc.constantFrom(null, 't1', 't2'),
  requestId: fc.constantFrom('', 'r1', 'r2'),
  at: fc.nat(1000),
});

const imposedFilters = [
  'attributes.tenant:acme',
  'attributes.tenant:globex AND NOT service:db',
  'service:pay',
  'level:error OR service:web',
  'NOT level:info',
  'service:nobody',
];
const ownFilters = [
  '',
  'eventCount:>1',
  'service:pay',
  'NOT service:pay',
  'ids:t1 OR errorCount:>=1',
  'severity:high',
];

for (const { name, options, archived } of [
  { name: 'memory', options: {}, archived: false },
  { name: 'the log', options: { ringItems: 4, readBack: 1 }, archived: false },
  { name: 'the archive', options: { ringItems: 4, readBack: 1 }, archived: true },
])
  test(`any filter over any members leaves of each document what the API does, live and later; members from ${name}`, async () => {
    const rig = await LiveRig.open();
    const archive = openEmbeddedArchive(join(rig.folder, 'stores'));
    try {
      const epoch = await rig.log.epochOf(topics.events);
      const writer = new DocumentWriter(rig);
      const tier = await rig.start(options);
      let run = 0;
      const scenario = fc.record({
        partitions: fc.array(
          fc.record({
            events: fc.array(fc.tuple(fc.nat(2), eventFields), { minLength: 1, maxLength: 12 }),
            cuts: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 2 }),
          }),
          { minLength: LiveRig.partitions, maxLength: LiveRig.partitions },
        ),
        imposed: fc.constantFrom(...imposedFilters),
        filter: fc.constantFrom(...ownFilters),
        piece: fc.integer({ min: 1, max: 5 }),
      });
      await fc.assert(
        fc.asyncProperty(scenario, async ({ partitions, imposed, filter, piece }) => {
          run++;
          const live = await new Tenant(tier, imposed, filter).started();
          const start = live.cursor;
          const events = new Map<string, LogEvent>();
          const documents: Correlation[] = [];
          for (const [partition, { events: drawn, cuts }] of partitions.entries()) {
            const made = drawn.map(([request, { tenant, requestId, at, ...fields }]) =>
              rig.event({
                ...fields,
                timestamp: 1_700_000_000_000_000 + at,
                correlationId: `${run}-${request}`,
                correlationKind: requestId === '' ? 'traceId' : 'requestId',
                attributes: JSON.stringify({ tenant, ...(requestId === '' ? {} : { requestId }) }),
              }),
            );
            const offsets = await writer.events(partition, made);
            offsets.forEach((offset, i) => events.set(`${partition}/${offset}`, made[i]!));
            for (const id of new Set(made.map(({ correlationId }) => correlationId!))) {
              const members = made.flatMap((event, i) =>
                event.correlationId === id ? [{ offset: offsets[i]!, event }] : [],
              );
              const sizes = [
                ...cuts.filter((cut) => cut < members.length).sort((a, b) => a - b),
                members.length,
              ];
              sizes.forEach((size, i) =>
                documents.push(writer.document(partition, id, members.slice(0, size), i + 1)),
              );
            }
          }
          if (archived) {
            for (const [place, event] of events) {
              const [partition, offset] = place.split('/').map(Number);
              await archive.put([placeEvent({ ...event }, epoch, partition!, offset!)]);
            }
            await rig.log.trim(topics.events, Date.now() + 60_000);
          }
          for (let at = 0; at < documents.length; at += piece)
            await rig.appendCorrelations(documents.slice(at, at + piece));
          const eventAt = (partition: number, offset: number) => events.get(`${partition}/${offset}`);
          const wanted = expected(documents, eventAt, { epoch, imposed, filter });
          const got = await live.after(wanted.length);
          const late = new Tenant(tier, imposed, filter, { type: 'cursor', cursor: start });
          const gotLate = await late.after(wanted.length);
          for (let partition = 0; partition < LiveRig.partitions; partition++) {
            assert.deepEqual(ofPartition(got, partition), ofPartition(wanted, partition), 'live');
            assert.deepEqual(ofPartition(gotLate, partition), ofPartition(wanted, partition), 'later');
          }
          for (const tenant of [live, late]) tenant.session.close();
        }),
        { numRuns: 40 },
      );
    } finally {
      await archive.close();
      await rig.close();
    }
  });

describe('documents under imposed filters', () => {
  let rig: LiveRig;
  let writer: DocumentWriter;
  let issuer: TestIssuer;
  before(async () => {
    rig = await LiveRig.open();
    writer = new DocumentWriter(rig);
    issuer = await TestIssuer.create('key');
  });
  after(() => rig.close());

  /** A request of these services, one event each. */
  const request = async (id: string, services: readonly string[], partition = 0): Promise<Correlation> => {
    const events = services.map((service) => rig.event({ service, correlationId: id }));
    const offsets = await writer.events(partition, events);
    return writer.document(
      partition,
      id,
      offsets.map((offset, i) => ({ offset, event: events[i]! })),
    );
  };
  /** Waits until the live tier has read all that there is of both topics. */
  const untilRead = async (tier: RunningTier): Promise<void> => {
    for (const stream of Object.values(tier.tier.contextFor({}).streams)) {
      const end = await rig.log.endOffsets(stream.kind.topic);
      await eventually(`${stream.kind.name} read`, () => stream.isAt(end));
    }
  };
  const ids = (documents: readonly CorrelationJson[]): string[] =>
    documents.map(({ correlationId, eventCount }) => `${correlationId}:${eventCount}`);

  test('a request that others have joined comes on every transport, without them', async () => {
    const tier = await rig.start({}, {}, await issuer.authenticate(rig.folder));
    const claims = { logloom_filter: 'service:mine OR service:also-mine' };
    const headers = { authorization: `Bearer ${await issuer.sign(claims)}` };
    const ws = await LiveClient.open(tier.port, { headers });
    await ws.subscribe({ stream: 'correlations' });
    const other = await LiveClient.open(tier.port, {
      headers: { authorization: `Bearer ${await issuer.sign({ logloom_filter: 'service:nobody' })}` },
    });
    await other.subscribe({ stream: 'correlations' });
    const url = `http://127.0.0.1:${tier.port}/live`;
    const sse = await fetch(`${url}/sse?stream=correlations&filter=eventCount:2`, { headers });
    const { cursor } = (await (
      await fetch(`${url}/poll?stream=correlations&wait=0`, { headers })
    ).json()) as { cursor: string };
    await rig.appendCorrelations([
      await request('own', ['mine', 'also-mine']),
      await request('shared', ['other', 'mine', 'other', 'also-mine']),
      await request('theirs', ['other']),
      await request('begun', ['other', 'mine']),
    ]);
    const received = (client: LiveClient): CorrelationJson[] =>
      client.messages.flatMap(({ correlations = [] }) => correlations as unknown as CorrelationJson[]);
    await eventually('three documents', () => received(ws).length === 3);
    assert.deepEqual(ids(received(ws)), ['own:2', 'shared:2', 'begun:1']);
    const [, shared] = received(ws);
    assert.deepEqual(
      [shared!.services, shared!.rules, shared!.severity, shared!.labels, shared!.shape],
      [['mine', 'also-mine'], [], undefined, {}, undefined],
    );
    const poll = (await (
      await fetch(`${url}/poll?stream=correlations&from=${cursor}`, { headers })
    ).json()) as { correlations: CorrelationJson[] };
    assert.deepEqual(poll.correlations, received(ws));
    let text = '';
    for await (const chunk of sse.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes('"shared"')) break;
    }
    const streamed = [...text.matchAll(/^data: (\{"type":"correlations".*)$/gm)].flatMap(
      ([, json]) => (JSON.parse(json!) as { correlations: CorrelationJson[] }).correlations,
    );
    assert.deepEqual(streamed, received(ws).slice(0, 2));
    const refused = await fetch(`${url}/sse?stream=correlations&filter=nothing:1`, { headers });
    assert.equal(((await refused.json()) as { error: { code: string } }).error.code, 'bad-filter');
    assert.deepEqual(received(other), []);
    assert.doesNotMatch(text + JSON.stringify(ws.messages), /other|a-rule|theirs/);
    for (const client of [ws, other]) client.ws.terminate();
    await tier.stop();
  });

  test('while members are slow to read, documents wait in order, and cursors with them', async () => {
    const tier = await rig.start({ ringItems: 2, readBack: 1 });
    const first = await new Tenant(tier, 'service:mine').started();
    const start = first.cursor;
    const read = rig.log.read.bind(rig.log);
    const held = Promise.withResolvers<void>();
    let reads = 0;
    let failures = 3;
    rig.log.read = async (topic, ...rest) => {
      if (topic === topics.events) {
        reads++;
        await held.promise;
        if (failures-- > 0) throw new Error('not now');
      }
      return read(topic, ...rest);
    };
    try {
      const documents: Correlation[] = [];
      for (let i = 0; i < 30; i++)
        documents.push(await request(`slow-${i}`, ['mine', 'other', 'mine'], i % LiveRig.partitions));
      await rig.appendCorrelations(documents);
      await eventually('reading', () => reads > 0);
      assert.deepEqual(first.documents, []);
      const { visible } = tier.tier.contextFor({});
      assert.equal(visible.behind, 30);
      // Who comes now, with whatever filter, begins before them all.
      const second = await new Tenant(tier, 'service:mine').started();
      const third = await new Tenant(tier, 'service:other').started();
      for (const tenant of [second, third]) assert.equal(tenant.cursor, start);
      held.resolve();
      for (const tenant of [first, second, third]) {
        const got = await tenant.after(30);
        const count = tenant === third ? 1 : 2;
        assert.deepEqual(
          ids(got).sort(),
          documents.map(({ correlationId }) => `${correlationId}:${count}`).sort(),
        );
        for (let p = 0; p < LiveRig.partitions; p++)
          assert.deepEqual(
            ofPartition(got, p).map(({ correlationId }) => correlationId),
            documents.filter(({ partition }) => partition === p).map(({ correlationId }) => correlationId),
          );
      }
      // Each cursor says exactly what came before it.
      first.viewer.take();
      for (const { cursor } of first.viewer.received) {
        if (cursor === undefined) continue;
        const at = first.viewer.received.findIndex((message) => message.cursor === cursor);
        const before = new Set(
          first.viewer.received
            .slice(0, at + 1)
            .flatMap(({ correlations = [] }) => correlations.map(({ id }) => id)),
        );
        const resumed = new Tenant(tier, 'service:mine', '', { type: 'cursor', cursor });
        const rest = await resumed.after(30 - before.size);
        assert.equal(rest.length, 30 - before.size);
        assert.ok(rest.every(({ id }) => !before.has(id)));
        resumed.session.close();
      }
      for (const tenant of [first, second, third]) tenant.session.close();
    } finally {
      held.resolve();
      rig.log.read = read;
      await tier.stop();
    }
  });

  test('the last ones, those of the last hour, and a pause: each document once', async () => {
    const tier = await rig.start({ ringItems: 12, readBack: 4 });
    const documents: Correlation[] = [];
    for (let i = 0; i < 40; i++)
      documents.push(await request(`tail-${i}`, ['other', i % 2 === 0 ? 'tail' : 'x']));
    await rig.appendCorrelations(documents);
    const names = (got: readonly CorrelationJson[]): string[] =>
      got.map(({ correlationId }) => correlationId);
    const wanted = documents.filter((_, i) => i % 2 === 0).map(({ correlationId }) => correlationId);
    await untilRead(tier);
    const tail = new Tenant(tier, 'service:tail', '', { type: 'tail', count: 3 });
    const last = new Tenant(tier, 'service:tail', '', { type: 'last', ms: 3_600_000 });
    assert.deepEqual(names(await tail.after(3)), wanted.slice(-3));
    assert.deepEqual(names(await last.after(20)), wanted);
    tail.session.pause('a');
    await rig.appendCorrelations([await request('paused', ['tail'])]);
    assert.deepEqual(names(await last.after(21)), [...wanted, 'paused']);
    assert.equal(tail.documents.length, 3);
    tail.session.resume('a');
    assert.deepEqual(names(await tail.after(4)), [...wanted.slice(-3), 'paused']);
    // From memory this time, and one who has nothing of it.
    const again = new Tenant(tier, 'service:tail', '', { type: 'tail', count: 1 });
    assert.deepEqual(names(await again.after(1)), ['paused']);
    const nothing = await new Tenant(tier, 'service:nobody', '', { type: 'tail', count: 5 }).started();
    assert.deepEqual(await nothing.after(0), []);
    for (const tenant of [tail, last, again, nothing]) tenant.session.close();
    await tier.stop();
  });

  test('a slow viewer steps down and is told how many visible documents it missed', async () => {
    const tier = await rig.start({}, { LIVE_BUFFER_BYTES: 40_000, LIVE_FLUSH_MS: 1 });
    const quick = await new Tenant(tier, 'service:mine').started();
    const slow = await new Tenant(tier, 'service:mine').started();
    const count = 600;
    for (let i = 0; i < count; i += 20) {
      const documents: Correlation[] = [];
      for (let n = i; n < i + 20; n++) documents.push(await request(`many-${n}`, ['mine', 'other']));
      await rig.appendCorrelations([...documents, await request(`hidden-${i}`, ['other'])]);
      const { visible } = tier.tier.contextFor({});
      await eventually('the quick one has them', () => quick.documents.length === i + 20);
      await eventually('all looked at', () => visible.behind === 0);
    }
    assert.ok(slow.viewer.steps.includes('sampled'));
    // It takes what waits, again and again, and steps up.
    await eventually('back at full', () => {
      slow.viewer.take();
      return slow.viewer.steps.at(-1) === 'full';
    });
    const missed = slow.viewer.received.reduce((sum, message) => sum + (message.missed ?? 0), 0);
    assert.ok(missed > 0);
    assert.equal(slow.documents.length + missed, count);
    for (const tenant of [quick, slow]) tenant.session.close();
    await tier.stop();
  });

  test('members that are nowhere any more are left out; a lost piece of the documents is a gap', async () => {
    const archive = openEmbeddedArchive(join(rig.folder, 'stores'));
    const epoch = await rig.log.epochOf(topics.events);
    const tier = await rig.start({ ringItems: 2, readBack: 1 });
    const tenant = await new Tenant(tier, 'service:mine').started();
    const start = tenant.cursor;
    const document = await request('half', ['mine', 'mine', 'other', 'mine']);
    const kept = rig.event({ service: 'mine', correlationId: 'half' });
    await archive.put([placeEvent({ ...kept }, epoch, 0, document.firstOffset + 1)]);
    const gone = await request('gone', ['mine']);
    await request('padding', ['other', 'other', 'other']);
    await untilRead(tier);
    await rig.log.trim(topics.events, Date.now() + 60_000);
    await rig.appendCorrelations([document, gone]);
    const [half] = await tenant.after(1);
    assert.deepEqual(half!.members, [document.firstOffset + 1]);
    assert.equal(tenant.documents.length, 1);
    await rig.log.trim(topics.correlations, Date.now() + 60_000);
    await rig.appendCorrelations([await request('behind', ['mine'])]);
    const late = new Tenant(tier, 'service:mine', '', { type: 'cursor', cursor: start });
    assert.deepEqual(ids(await late.after(1)), ['behind:1']);
    const gaps = late.viewer.received.filter(({ type }) => type === 'gap');
    assert.deepEqual(
      gaps.map(({ from, missed, reason }) => [from, missed, reason]),
      // The log keeps its last record.
      [[start, 1, 'retention']],
    );
    for (const each of [tenant, late]) each.session.close();
    await archive.close();
    await tier.stop();
  });

  test('what the log lost before its members were read is a gap to every viewer, and the rest follows', async () => {
    const tier = await rig.start({ ringItems: 2, readBack: 1 });
    const tenant = await new Tenant(tier, 'service:mine').started();
    const start = tenant.cursor;
    const read = rig.log.read.bind(rig.log);
    const held = Promise.withResolvers<void>();
    let reads = 0;
    rig.log.read = async (topic, ...rest) => {
      if (topic === topics.events) {
        reads++;
        await held.promise;
      }
      return read(topic, ...rest);
    };
    try {
      await rig.appendCorrelations([await request('stuck', ['mine', 'other', 'mine', 'other'])]);
      await eventually('reading', () => reads > 0);
      for (let i = 0; i < 6; i++) await rig.appendCorrelations([await request(`after-${i}`, ['mine', 'x'])]);
      await untilRead(tier);
      await rig.log.trim(topics.correlations, Date.now() + 60_000);
      held.resolve();
      const got = await tenant.after(2);
      // The log keeps its last record.
      assert.deepEqual(ids(got), ['stuck:2', 'after-5:1']);
      const gaps = tenant.viewer.received.filter(({ type }) => type === 'gap');
      assert.deepEqual(
        gaps.map(({ missed, reason }) => [missed, reason]),
        [[5, 'retention']],
      );
      assert.notEqual(gaps[0]!.from, start);
      await rig.appendCorrelations([await request('live', ['mine'])]);
      assert.deepEqual(ids(await tenant.after(3)).at(-1), 'live:1');
    } finally {
      held.resolve();
      rig.log.read = read;
      tenant.session.close();
      await tier.stop();
    }
  });

  test('a document of thousands of members is made of the visible ones, in memory and from the log', async () => {
    for (const options of [{}, { ringItems: 4, readBack: 1 }]) {
      const tier = await rig.start(options);
      const tenant = await new Tenant(tier, 'service:mine').started();
      const events = Array.from({ length: 5_000 }, (_, i) =>
        rig.event({ service: i % 3 === 0 ? 'mine' : 'other', correlationId: 'large' }),
      );
      const offsets = await writer.events(1, events);
      const members = events.map((event, i) => ({ offset: offsets[i]!, event }));
      await rig.appendCorrelations([writer.document(1, 'large', members)]);
      const [large] = await tenant.after(1);
      assert.deepEqual(
        large!.members,
        offsets.filter((_, i) => i % 3 === 0),
      );
      assert.deepEqual(large!.levels, { info: large!.members.length });
      tenant.session.close();
      await tier.stop();
    }
  });

  test('who catches up while members cannot be read is told, and continues from its cursor later', async () => {
    const tier = await rig.start({ ringItems: 2, readBack: 1 });
    const { streams } = tier.tier.contextFor({});
    const { cursor } = streams.correlations;
    for (let i = 0; i < 5; i++)
      await rig.appendCorrelations([await request(`unread-${i}`, ['mine', 'other'])]);
    await untilRead(tier);
    const read = rig.log.read.bind(rig.log);
    rig.log.read = async (topic, ...rest) => {
      if (topic === topics.events) throw new Error('not now');
      return read(topic, ...rest);
    };
    const codes: string[] = [];
    const context = tier.tier.contextFor({ subject: 'x', filter: parsed('service:mine') });
    const session = new ViewerSubscriptions(new SlowViewer(), context, ({ code }) => codes.push(code));
    try {
      await session.subscribe({
        id: 'a',
        filter: '',
        stream: 'correlations',
        from: { type: 'cursor', cursor },
        priority: 'normal',
      });
      assert.deepEqual(codes, ['log-unavailable']);
    } finally {
      rig.log.read = read;
    }
    const later = new Tenant(tier, 'service:mine', '', { type: 'cursor', cursor });
    assert.deepEqual(
      ids(await later.after(5)),
      Array.from({ length: 5 }, (_, i) => `unread-${i}:1`),
    );
    session.close();
    later.session.close();
    await tier.stop();
  });

  test('without imposed filters nothing follows the documents', async () => {
    const tier = await rig.start();
    const { streams, visible } = tier.tier.contextFor({});
    const all = await LiveClient.open(tier.port);
    await all.subscribe({ stream: 'correlations' });
    await rig.appendCorrelations([await request('plain', ['mine'])]);
    await eventually('a document', () => all.messages.some(({ correlations }) => correlations !== undefined));
    assert.equal(streams.correlations.onAdvance, undefined);
    assert.equal(visible.counts.tests, 0);
    const tenant = await new Tenant(tier, 'service:mine').started();
    assert.notEqual(streams.correlations.onAdvance, undefined);
    tenant.session.close();
    visible.close();
    assert.equal(streams.correlations.onAdvance, undefined);
    await sleep(0);
    all.ws.terminate();
    await tier.stop();
  });
});
