import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Heartbeats } from './heartbeats.ts';

class Member {
  beats = 0;

  heartbeat(): void {
    this.beats++;
  }
}

test('everyone beats once a round, also who comes meanwhile, and not who has left', async () => {
  const heartbeats = new Heartbeats<Member>(32);
  const add = (): Member => {
    const member = new Member();
    heartbeats.add(member);
    return member;
  };
  const first = Array.from({ length: 50 }, add);
  const left = first.pop()!;
  try {
    await eventually('a first round', () => {
      const beats = first.map((member) => member.beats);
      assert.ok(Math.max(...beats) - Math.min(...beats) <= 1, 'nobody twice before all once');
      return left.beats > 0;
    });
    heartbeats.delete(left);
    const beatsOfLeft = left.beats;
    const late = Array.from({ length: 50 }, add);
    await eventually('two more rounds', () => late.every((member) => member.beats >= 2));
    assert.equal(left.beats, beatsOfLeft);
    for (const member of late) assert.ok(member.beats < first[0]!.beats + 1);
  } finally {
    heartbeats.stop();
  }
});
