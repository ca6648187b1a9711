import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LiveClient } from '../testing/live-client.ts';
import { LiveRig, rigLevels } from '../testing/live-rig.ts';

const services = ['web', 'pay', 'cart', 'mail'];
const viewerCount = 200;
const eventCount = 5000;

/** The next pseudo-random number below `n`; the same run each time, as far as the network allows. */
function random(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >>> 8) % n;
  };
}

/** A viewer that comes back at its last cursor whenever it is cut off. */
class StubbornViewer {
  readonly texts: string[] = [];
  readonly gaps: unknown[] = [];
  connections = 0;
  readonly #port: number;
  readonly #filter: string;
  #cursor: string | undefined;
  #client: LiveClient | undefined;

  constructor(port: number, filter: string) {
    this.#port = port;
    this.#filter = filter;
  }

  async connect(): Promise<void> {
    this.connections++;
    const client = new LiveClient(this.#port);
    this.#client = client;
    client.ws.on('message', (data) => {
      const message = JSON.parse((data as Buffer).toString()) as (typeof client.messages)[number];
      if (message.type === 'gap') this.gaps.push(message);
      if (message.cursor !== undefined) this.#cursor = message.cursor;
      for (const event of message.events ?? [])
        this.texts.push(`${event['service'] as string} ${event.message}`);
    });
    client.ws.on('close', () => {
      if (this.#client === client) void this.connect();
    });
    client.ws.on('open', () => {
      const from = this.#cursor === undefined ? 'now' : { cursor: this.#cursor };
      client.send({ type: 'subscribe', id: 'a', filter: this.#filter, from });
    });
    await eventually('subscribed', () => this.#cursor !== undefined || client.closeCode !== undefined);
  }

  cut(): void {
    this.#client?.ws.terminate();
  }

  leave(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.ws.terminate();
  }
}

for (const [name, ringItems] of [
  ['memory', 50_000],
  ['the log', 64],
] as const) {
  test(`200 viewers who are cut off at random resume from ${name}: each gets its events, once`, async () => {
    const rig = await LiveRig.open();
    const viewers: StubbornViewer[] = [];
    try {
      const pick = random(42);
      const tier = await rig.start({ ringItems });
      // Some keep to one partition, some span all.
      const filters = [
        ...services.flatMap((service) => rigLevels.map((level) => ({ service, level }))),
        ...rigLevels.map((level) => ({ service: undefined, level })),
      ];
      viewers.push(
        ...Array.from({ length: viewerCount }, (_, i) => {
          const { service = '*', level } = filters[i % filters.length]!;
          return new StubbornViewer(tier.port, `service:${service} AND level:${level}`);
        }),
      );
      await Promise.all(viewers.map((viewer) => viewer.connect()));

      const expected = filters.map((): string[] => []);
      for (let appended = 0; appended < eventCount;) {
        const size = Math.min(1 + pick(120), eventCount - appended);
        const events = Array.from({ length: size }, () => {
          const service = services[pick(services.length)]!;
          const level = rigLevels[pick(rigLevels.length)]!;
          const event = rig.event({ service, level });
          filters.forEach((filter, f) => {
            const isWanted = filter.level === level && (filter.service ?? service) === service;
            if (isWanted) expected[f]!.push(`${service} ${event.message}`);
          });
          return event;
        });
        // One producer, so one partition holds a service's events in order.
        await rig.append(events, (event) => services.indexOf(event.service) % LiveRig.partitions);
        appended += size;
        for (let i = 0; i < 4; i++) viewers[pick(viewerCount)]!.cut();
        for (const socket of [...tier.sockets].slice(0, pick(4))) socket.destroy();
        await sleep(pick(12));
      }
      const isDone = (viewer: StubbornViewer, i: number): boolean =>
        viewer.texts.length >= expected[i % filters.length]!.length;
      await eventually('everything arrived', () => viewers.every(isDone));
      // Order holds within a partition, and a service is in one.
      const inOrder = (texts: readonly string[]): string[][] =>
        services.map((service) => texts.filter((text) => text.startsWith(service)));
      viewers.forEach((viewer, i) =>
        assert.deepEqual(inOrder(viewer.texts), inOrder(expected[i % filters.length]!)),
      );
      assert.ok(viewers.every((viewer) => viewer.gaps.length === 0));
      assert.ok(viewers.reduce((sum, viewer) => sum + viewer.connections, 0) > 2 * viewerCount);
    } finally {
      for (const viewer of viewers) viewer.leave();
      await rig.close();
    }
  });
}
