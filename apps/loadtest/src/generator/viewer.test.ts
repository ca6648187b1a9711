import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExpectedEvents } from '../oracle/expected.ts';
import { defaultTraffic } from '../scenario/scenario.ts';
import type { ViewerKind } from '../scenario/viewer-kind.ts';
import { FrameReader, type Frame } from '../target/frame-reader.ts';
import type { Target, ViewerEvents, Viewing } from '../target/target.ts';
import { openTraffic } from '../traffic/open-traffic.ts';
import { TickWheel } from './tick-wheel.ts';
import { Viewer } from './viewer.ts';

const heartbeatMs = 1_000;
const silent: Frame = {
  type: 'heartbeat',
  cursor: null,
  channel: -1,
  missed: 0,
  message: {},
  numbers: new Int32Array(),
  partitions: new Int32Array(),
  offsets: new Float64Array(),
  corrupted: [],
};

/** A viewer of a target whose connections the test speaks for, at a time that the test says. */
class Rig {
  now = 0;
  readonly connections: { from: string; events: ViewerEvents; isPaused: boolean; isCut: boolean }[] = [];
  readonly ends: [reason: string, wasWatching: boolean][] = [];
  readonly viewer: Viewer;
  readonly #wheel = new TickWheel(50, () => this.now);

  constructor(kind: Partial<ViewerKind> = {}) {
    const target: Target = {
      decode: () => assert.fail('the test says what comes'),
      connect: ({ from }: Viewing, _reader, events) => {
        const connection = { from, events, isPaused: false, isCut: false };
        this.connections.push(connection);
        return {
          cut: () => (connection.isCut = true),
          pause: () => (connection.isPaused = true),
          resume: () => (connection.isPaused = false),
        };
      },
    };
    const traffic = openTraffic('run', { traffic: defaultTraffic });
    const reader = new FrameReader((bytes) => target.decode(bytes), {
      run: 'run',
      check: () => undefined,
      senderOf: () => 0,
    });
    this.viewer = new Viewer(
      0,
      { weight: 1, watch: 'all', ...kind },
      new ExpectedEvents(traffic, { kind: 'all' }),
      {
        target,
        reader,
        viewing: { filter: '' },
        begin: 'now',
        wheel: this.#wheel,
        nowMs: () => this.now,
        dueNow: () => 0,
        certainFrom: () => 0,
        onConnected: () => {},
        onDelivery: () => {},
        onEnd: (reason, wasWatching) => this.ends.push([reason, wasWatching]),
        onSessionOver: () => {},
        onFault: () => {},
      },
    );
    this.viewer.open();
  }

  get latest(): Rig['connections'][number] {
    return this.connections.at(-1)!;
  }

  /** The target greets, and the stream begins. */
  begin(hello: Frame['message'] = { heartbeatMs }): void {
    this.latest.events.onFrame({ ...silent, type: 'hello', message: hello }, 0);
    this.latest.events.onSubscribed(0, true);
    this.latest.events.onFrame({ ...silent, type: 'subscribed', cursor: 'c1' }, 0);
  }

  pass(ms: number): void {
    for (const until = this.now + ms; this.now < until; this.now += 50) {
      this.#wheel.tick();
      this.viewer.endIfSilent();
    }
  }
}

test('a connection from which no heartbeat comes is given up, and the viewer goes on at its cursor', () => {
  const rig = new Rig();
  rig.begin();
  rig.pass(2_000);
  rig.latest.events.onFrame(silent, 0);
  rig.pass(2_400);
  assert.equal(rig.connections.length, 1);
  rig.pass(400);
  assert.deepEqual(rig.ends, [['no heartbeat', true]]);
  assert.deepEqual([rig.connections[0]!.isCut, rig.connections.length, rig.latest.from], [true, 2, 'c1']);
});

test('so is one on which nothing begins', () => {
  const rig = new Rig();
  rig.pass(29_000);
  assert.equal(rig.connections.length, 1);
  rig.pass(2_000);
  assert.deepEqual([rig.ends, rig.connections.length], [[['no heartbeat', false]], 2]);
});

test('a target that does not say how often heartbeats come may be silent', () => {
  const rig = new Rig();
  rig.begin({});
  rig.pass(120_000);
  assert.deepEqual([rig.ends, rig.connections.length], [[], 1]);
});

test('who stops reading does not take its own silence for that of the target', () => {
  const rig = new Rig({ stall: { everySeconds: 1, seconds: 10 } });
  rig.begin();
  rig.pass(1_100);
  assert.ok(rig.latest.isPaused);
  rig.pass(9_000);
  assert.ok(rig.latest.isPaused);
  rig.pass(1_500);
  assert.deepEqual([rig.ends, rig.connections.length], [[], 1]);
});
