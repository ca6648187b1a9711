import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nginxFormat } from './nginx-format.ts';
import { ProxyFile } from './proxy-file.ts';
import { traefikFormat } from './traefik-format.ts';

const example = (path: string): string =>
  readFileSync(join(import.meta.dirname, '../../proxy', path), 'utf8');
const of = (viewers: number[], api: number[], ingest: number[]) => {
  const urls = (ports: number[]): string[] => ports.map((port) => `http://127.0.0.1:${port}`);
  return { viewers: urls(viewers), api: urls(api), ingest: urls(ingest) };
};
const shipped = of([4380], [4380], [4318]);
const moved = of([4480, 4481], [9203], [4418]);

for (const [name, format, text] of [
  ['nginx', nginxFormat, example('nginx/nginx.conf')],
  ['Traefik', traefikFormat, example('traefik/logloom.yaml')],
] as const)
  test(`${name}: the servers of the example are read and replaced, and nothing else changes`, () => {
    assert.deepEqual(format.read(text), shipped);
    const changed = format.write(text, moved);
    assert.deepEqual(format.read(changed), moved);
    const back = format.write(changed, shipped);
    assert.deepEqual(format.read(back), shipped);
    const comments = (of: string): string[] => of.match(/#.*/g) ?? [];
    assert.deepEqual(comments(changed), comments(text));
    assert.equal(format.write(back, shipped), back);
    assert.throws(
      () =>
        format.read(
          text.replace(/upstream api|^ {4}api:(?=\n {6}loadBalancer)/m, (found) =>
            found.replace('api', 'elsewhere'),
          ),
        ),
      /there is no .*api/,
    );
  });

test('the example of nginx is the same text after a change and back', () => {
  const text = example('nginx/nginx.conf');
  const sorted = (of: string): string[] => of.split('\n').sort();
  assert.deepEqual(sorted(nginxFormat.write(nginxFormat.write(text, moved), shipped)), sorted(text));
});

test('a proxy that refuses keeps the file that it had', async () => {
  using folder = temporaryFolder('proxy-file');
  const file = join(folder.path, 'nginx.conf');
  const text = example('nginx/nginx.conf');
  writeFileSync(file, text);
  const proxy = (reload: string): ProxyFile =>
    new ProxyFile({ proxy: { nginx: { file, reload } }, settleSeconds: 0.01 });
  await assert.rejects(
    proxy('echo "unknown directive" >&2; exit 7').switchTo(moved),
    /exit code 7\nunknown directive/,
  );
  assert.equal(readFileSync(file, 'utf8'), text);
  await proxy(`grep -q 9203 '${file}'`).switchTo(moved);
  assert.deepEqual(proxy('true').routes, moved);
  assert.deepEqual(readdirSync(folder.path), ['nginx.conf']);
  assert.throws(
    () => new ProxyFile({ proxy: { traefik: { file } }, settleSeconds: 1 }).routes,
    /nginx\.conf: there is no/,
  );
});
