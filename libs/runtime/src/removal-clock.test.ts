import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RemovalClock, type RemovalClockState } from './removal-clock.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const start = Date.UTC(2026, 10, 27);

/** A machine whose clock can be set; start() is a process that begins on it. */
function machine() {
  let kept: RemovalClockState | undefined;
  const it = {
    wall: start,
    monotonic: 0,
    warned: 0,
    pass(ms: number) {
      it.wall += ms;
      it.monotonic += ms;
    },
    start(reached?: number) {
      const clock = new RemovalClock({
        load: async () => kept,
        save: async (state) => void (kept = state),
        reached: async () => reached,
        onAhead: () => it.warned++,
        nowMs: () => it.wall,
        passed: () => it.monotonic,
      });
      assert.equal(clock.latest, -Infinity);
      return async (): Promise<number> => {
        const read = await clock.read();
        assert.equal(clock.latest, read);
        return read - start;
      };
    },
  };
  return it;
}

for (const jump of [hourMs, 400 * dayMs]) {
  test(`a clock that jumps ${jump / hourMs} h ahead and back removes nothing before its time, and is warned of`, async () => {
    const m = machine();
    const read = m.start();
    assert.equal(await read(), 0);
    m.pass(hourMs);
    assert.equal(await read(), hourMs);
    m.wall += jump;
    m.pass(hourMs);
    assert.equal(await read(), 2 * hourMs);
    assert.equal(m.warned, 1);
    // A process that starts meanwhile knows it as well.
    const restarted = m.start();
    assert.equal(await restarted(), 2 * hourMs);
    m.pass(hourMs);
    assert.equal(await restarted(), 3 * hourMs);
    m.wall -= jump;
    m.pass(hourMs);
    assert.equal(await restarted(), 4 * hourMs);
    assert.equal(m.warned, 3);
  });
}

test('a jump that has stood for a day of running time counts; one that comes on top of it has to stand as well', async () => {
  const m = machine();
  const read = m.start();
  await read();
  m.wall += 10 * dayMs;
  for (let hour = 1; hour <= 24; hour++) {
    m.pass(hourMs);
    assert.equal(await read(), hour * hourMs);
  }
  m.wall += 400 * dayMs;
  for (let hour = 25; hour <= 48; hour++) {
    m.pass(hourMs);
    assert.equal(await read(), hour * hourMs);
  }
  m.pass(hourMs);
  assert.equal(await read(), 410 * dayMs + 49 * hourMs);
  m.warned = 0;
  m.pass(hourMs);
  assert.equal(await read(), 410 * dayMs + 50 * hourMs);
  assert.equal(m.warned, 0);
});

test('a machine that runs eight hours a day catches up after a day of running', async () => {
  const m = machine();
  await m.start()();
  const behind: number[] = [];
  for (let day = 0; day < 8; day++) {
    m.wall += 16 * hourMs;
    const read = m.start();
    for (let hour = 0; hour < 8; hour++) {
      m.pass(hourMs);
      behind.push((m.wall - start - (await read())) / hourMs);
    }
  }
  assert.ok(behind.includes(0));
  assert.ok(Math.max(...behind) <= 3 * 24, behind.join());
});

test('where nothing was kept, the newest data says what time has been reached; a short stop is no doubt', async () => {
  const m = machine();
  m.wall += 400 * dayMs;
  assert.equal(await m.start(start)(), 0);
  const fresh = machine();
  fresh.wall += hourMs;
  assert.equal(await fresh.start(start)(), hourMs);
  fresh.wall += hourMs;
  assert.equal(await fresh.start()(), 2 * hourMs);
  assert.equal(fresh.warned, 0);
});
