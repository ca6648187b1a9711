import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distance } from './distance.ts';
import { declareSettings, numberSetting, SettingsSet, textSetting } from './index.ts';

const text = textSetting({ description: 'a text' });
const secret = textSetting({ secrecy: 'secret', description: 'a secret' });

test('a declaration whose name and secrecy contradict each other is refused', () => {
  assert.throws(() => declareSettings({ owner: 'a' }, { A_KEY: text }), /A_KEY/);
  assert.throws(() => declareSettings({ owner: 'a' }, { A_NAME: secret }), /A_NAME/);
  assert.throws(() => declareSettings({ owner: 'a' }, { a_name: text }), /a_name/);
});

test('a setting has one owner; a group may come twice', () => {
  const a = declareSettings({ owner: 'a' }, { A_NAME: text });
  const b = declareSettings({ owner: 'b' }, { A_NAME: text });
  const set = new SettingsSet([]).with(a);
  assert.equal(set.with(a), set);
  assert.throws(() => set.with(b), /A_NAME is declared twice/);
});

test('numbers keep to their bounds, and say them', () => {
  const setting = numberSetting({ unit: 'ms', min: 2, max: 9, default: 5, description: 'a number' });
  const set = new SettingsSet([]).with(declareSettings({ owner: 'a' }, { A_MS: setting }));
  assert.equal(set.parse({}).A_MS, 5);
  assert.equal(set.parse({ A_MS: '9' }).A_MS, 9);
  for (const wrong of ['1', '10', '2.5', 'x']) assert.throws(() => set.parse({ A_MS: wrong }), /A_MS=/);
  assert.equal(set.describe()[0]!.bounds, '2 to 9');
});

test('distance() counts the letters to change', () => {
  for (const [a, b, expected] of [
    ['LIVE_WORKER', 'LIVE_WORKERS', 1],
    ['kitten', 'sitting', 3],
    ['', 'ab', 2],
    ['same', 'same', 0],
  ] as const)
    assert.equal(distance(a, b), expected);
});
