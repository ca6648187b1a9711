import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { findingsOf, injectedBy, kindOf } from './findings.ts';
import { patchedServer } from './patched-server.ts';
import { runOn, slowReaders, steadyViewers } from './proof-scenarios.ts';

/** The event that the command of an example prints. */
async function lookedUp(command: string): Promise<{ id: string; partition: number; offset: number }> {
  const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');
  const { stdout } = await promisify(execFile)('sh', [
    '-c',
    command.replace(/^logloom/, `"${process.execPath}" "${main}"`),
  ]);
  return JSON.parse(stdout) as { id: string; partition: number; offset: number };
}

test('one event of 10,000 left out, one sent twice and two swapped are each found, every time, and as what they are', async () => {
  await using server = await patchedServer(['drop', 'double', 'swap']);
  const result = await runOn(server, steadyViewers);
  const injections = server.injections();
  assert.deepEqual(findingsOf(result), injectedBy(injections));
  assert.equal(result.verdict.overall, 'not-ready');
  for (const bug of ['drop', 'double', 'swap'] as const) {
    assert.ok(
      injections.some((each) => each.bug === bug),
      `${bug} was injected`,
    );
    const example = result.delivery[kindOf[bug]].example!;
    const place = { bug, partition: example.partition, offset: example.offset };
    assert.ok(
      injections.some((each) => JSON.stringify(each) === JSON.stringify(place)),
      `${JSON.stringify(example)} is one of ${JSON.stringify(injections)}`,
    );
    assert.match(example.cursor!, /^v1\.e\./);
    const event = await lookedUp(example.lookUp!);
    assert.deepEqual(
      [event.id, event.partition, event.offset],
      [example.id, example.partition, example.offset],
    );
  }
});

const isFull = process.env.LOGLOOM_FULL === '1';
// The fast suite has the same from a proxy: loadtest-run.int.test.ts.
const skip = isFull ? false : 'a viewer must be some ten MB behind: LOGLOOM_FULL=1';

test(
  'gaps that announce one event too few are found as that, with where the first begins',
  { skip },
  async () => {
    await using server = await patchedServer(['announce-fewer']);
    const result = await runOn(server, slowReaders);
    const injections = server.injections();
    assert.ok(injections.length > 0, 'there were gaps');
    assert.deepEqual(findingsOf(result), injectedBy(injections));
    const outcomes = new Map(result.verdict.objectives.map(({ metric, outcome }) => [metric, outcome]));
    assert.deepEqual([outcomes.get('under-announced'), outcomes.get('lost')], ['missed', 'missed']);
    const { cursor } = result.delivery.underAnnounced.example!;
    assert.ok(injections.some(({ from }) => from === cursor));
  },
);
