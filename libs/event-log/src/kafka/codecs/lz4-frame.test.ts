import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decompressLz4 } from './lz4-frame.ts';

const head = '04224d18604073';

test('literal bytes, a match that overlaps with itself, and a block that is not packed', () => {
  // A token: 3 literals and a match of 4 + 5 bytes, 3 back. The last sequence has literals alone.
  const packed = '3561626303003078797a';
  const frame = `${head}0a000000${packed}03000080646566` + '00000000';
  assert.equal(decompressLz4(Buffer.from(frame, 'hex'), 1000).toString(), 'abcabcabcabcxyzdef');
});

test('lengths of 15 and more continue in further bytes', () => {
  const literals = Buffer.alloc(15 + 255 + 2, 'a');
  const block = Buffer.concat([Buffer.from([0xf0, 255, 2]), literals]);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(block.length);
  const frame = Buffer.concat([Buffer.from(head, 'hex'), size, block, Buffer.alloc(4)]);
  assert.deepEqual(decompressLz4(Buffer.concat([frame, frame]), 1000), Buffer.alloc(544, 'a'));
});

test('what is no frame, or reaches beyond one, is refused', () => {
  const broken = {
    'no magic': '00000000604073',
    'cut off': `${head}0a0000003561`,
    'a match before the start': `${head}06000000106109000000` + '00000000',
    'a distance of 0': `${head}06000000106100000000` + '00000000',
    'no end': `${head}`,
  };
  for (const [what, bytes] of Object.entries(broken))
    assert.throws(() => decompressLz4(Buffer.from(bytes, 'hex'), 1000), RangeError, what);
  const large = `${head}04000080616161610400008061616161` + '00000000';
  assert.throws(() => decompressLz4(Buffer.from(large, 'hex'), 7), /more than 7 bytes/);
});
