import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { readFile, type ReadFileOptions } from './read-file.ts';

const { path: folder } = temporaryFolder('read-file');
const lines = Array.from({ length: 6000 }, (_, i) =>
  JSON.stringify({ message: `line ${i}`, random: Math.sin(i) }),
);
const text = `${lines.join('\n')}\n`;

async function bodies(
  name: string,
  content: string | Buffer,
  options: Partial<ReadFileOptions> = {},
): Promise<string[]> {
  const path = join(folder, name);
  writeFileSync(path, content);
  const found: string[] = [];
  for await (const { body } of readFile(path, { format: {}, ...options })) found.push(body.toString());
  return found;
}

test('packed files are told by their bytes, whatever their names', async () => {
  assert.deepEqual(await bodies('a.log', gzipSync(text)), lines);
  assert.deepEqual(await bodies('a.gz', text), lines);
  assert.deepEqual(await bodies('b', zstdCompressSync(text)), lines);
  assert.deepEqual(await bodies('many.gz', Buffer.concat([gzipSync(text), gzipSync(text)])), [
    ...lines,
    ...lines,
  ]);
  await assert.rejects(bodies('c.xz', Buffer.from('fd377a585a000004', 'hex')), /unpack it in a pipe.*xz -dc/);
});

test('a damaged archive gives what can be read, and says so', async () => {
  for (const [name, packed] of [
    ['cut.gz', gzipSync(text)],
    ['cut.zst', zstdCompressSync(text)],
  ] as const) {
    const damaged: string[] = [];
    const onDamage = (file: string, reason: string): void => void damaged.push(`${file}: ${reason}`);
    const half = await bodies(name, packed.subarray(0, packed.length * 0.7), { onDamage });
    assert.equal(damaged.length, 1, name);
    assert.match(damaged[0]!, /cut\.(?:gz|zst): \S/);
    assert.ok(half.length > 1500 && half.length < 6000, `${name}: ${half.length}`);
    assert.deepEqual(half.slice(0, -1), lines.slice(0, half.length - 1));
  }
  const broken = gzipSync(text);
  broken.fill(0xff, broken.length / 2, broken.length / 2 + 64);
  let damages = 0;
  const some = await bodies('broken.gz', broken, { onDamage: () => damages++ });
  assert.equal(damages, 1);
  assert.ok(some.length > 300 && some.length < 6000, String(some.length));
});

test('UTF-16 and the journal export format are read as what they are', async () => {
  const utf16 = Buffer.concat([
    Buffer.from([0xff, 0xfe]),
    Buffer.from('2025-03-14 09:26:53Z ERROR café\r\n', 'utf16le'),
  ]);
  for (const content of [utf16, gzipSync(utf16), utf16.subarray(2)])
    assert.partialDeepStrictEqual(JSON.parse((await bodies('u.log', content))[0]!), {
      timestamp: '2025-03-14T09:26:53.000000Z',
      level: 'ERROR',
      message: 'café',
    });
  const binary = Buffer.concat([
    Buffer.from('__CURSOR=s=1\n__REALTIME_TIMESTAMP=1741944413589793\nPRIORITY=3\nMESSAGE\n'),
    Buffer.from([3, 0, 0, 0, 0, 0, 0, 0]),
    Buffer.from('a\nb\n_HOSTNAME=web-1\n\n\n__REALTIME_TIMESTAMP=1741944413589794\nMESSAGE=two\nX=1\nX=2\n'),
  ]);
  assert.deepEqual(
    (await bodies('system.export', binary)).map((body) => JSON.parse(body) as unknown),
    [
      { __REALTIME_TIMESTAMP: '1741944413589793', PRIORITY: '3', MESSAGE: 'a\nb', _HOSTNAME: 'web-1' },
      { __REALTIME_TIMESTAMP: '1741944413589794', MESSAGE: 'two', X: ['1', '2'] },
    ],
  );
  await assert.rejects(
    bodies('bad.export', '__CURSOR=s=1\nnot a field at all but long\n'),
    /no journal export format/,
  );
});

test('what the user gives is added to what lacks it', async () => {
  const format = {
    service: 'shop',
    defaults: { service: 'shop', host: 'web-1', attributes: { 'log.file.path': '/a', team: 'x' } },
  };
  const content =
    '{"msg":"a"}\n{"msg":"b","service":"own","host":{"name":"h"}}\n2025-03-14 09:26:53Z ERROR [main] c.d.E - text\n{}\n';
  const found = (await bodies('d.log', content, { format })).map((body) => JSON.parse(body) as unknown);
  assert.deepEqual(found, [
    { 'log.file.path': '/a', team: 'x', service: 'shop', host: 'web-1', msg: 'a' },
    { 'log.file.path': '/a', team: 'x', msg: 'b', service: 'own', host: { name: 'h' } },
    {
      timestamp: '2025-03-14T09:26:53.000000Z',
      level: 'ERROR',
      message: 'text',
      thread: { name: 'main' },
      log: { logger: 'c.d.E', file: { path: '/a' } },
      service: 'shop',
      host: 'web-1',
      team: 'x',
    },
    { 'log.file.path': '/a', team: 'x', service: 'shop', host: 'web-1' },
  ]);
  const lines = ['{"msg":"a"}', '{"msg":"b","service":"own"}'];
  const docker = lines.map((log) => `${JSON.stringify({ log: `${log}\n`, stream: 'stdout' })}\n`);
  assert.deepEqual(
    (await bodies('e.log', docker.join(''), { format: { defaults: { service: 'shop' } } })).map(
      (body) => JSON.parse(body) as unknown,
    ),
    [
      { service: 'shop', log: lines[0], stream: 'stdout' },
      { log: lines[1], stream: 'stdout' },
    ],
    'in a line of Docker too',
  );
});

test('a file that is read on from a place keeps the columns that its first lines name', async () => {
  const content =
    '#Fields: date time cs-method cs-uri-stem sc-status\n2025-03-14 09:26:53 GET /a 200\n2025-03-14 09:26:54 GET /b 500\n';
  const path = join(folder, 'iis.log');
  writeFileSync(path, content);
  const places = [];
  for await (const { place } of readFile(path, { format: {} })) places.push(place);
  const found = [];
  for await (const { content: event } of readFile(path, { format: {}, from: places[0] })) found.push(event);
  assert.equal(found.length, 1);
  assert.partialDeepStrictEqual(found[0], {
    level: 'error',
    timestamp: '2025-03-14T09:26:54.000000Z',
    url: { path: '/b' },
  });
});
