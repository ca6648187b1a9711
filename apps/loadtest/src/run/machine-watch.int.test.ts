import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { isHere, MachineWatch } from './machine-watch.ts';

test('CPU that another program takes is told apart from that of the load test and of its target', async (t) => {
  const burner = spawn(process.execPath, ['-e', 'for (;;);']);
  t.after(() => burner.kill('SIGKILL'));
  const share = 1 / availableParallelism();
  const watches = {
    others: new MachineWatch([process.pid], false),
    own: new MachineWatch([process.pid, burner.pid!], false),
    target: new MachineWatch([process.pid], true),
  };
  const look = () => ({
    others: watches.others.look(null),
    own: watches.own.look(null),
    target: watches.target.look(share),
  });
  look();
  await eventually('the program runs', () => {
    const { others, own, target } = look();
    // Other programs of this machine take what they like.
    return (
      others !== undefined &&
      others.busy >= others.others &&
      others.others >= own!.others + 0.2 * share &&
      others.others >= target!.others + 0.2 * share
    );
  });
  assert.equal(watches.target.look(null), undefined, 'of a target that does not tell nothing is known');
  assert.equal(
    new MachineWatch([process.pid], false).look(null),
    undefined,
    'the first look has none before it',
  );
});

test('addresses of this machine are known', async () => {
  assert.equal(await isHere(['http://127.0.0.1:4380', 'http://192.0.2.1']), true);
  assert.equal(await isHere(['http://[::1]:4380']), true);
  assert.equal(await isHere(['http://192.0.2.1:4380', 'http://nowhere.invalid']), false);
});
