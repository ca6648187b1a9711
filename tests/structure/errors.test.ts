import { ArchiveError } from '@logloom/archive';
import { EventLogError, type EventLogErrorCode } from '@logloom/event-log';
import { SearchStoreError, type SearchStoreErrorCode } from '@logloom/search-store';
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');

interface Row {
  section: string;
  code: string;
  where: string;
  retriable: string;
}

interface Entry {
  status: number;
  retriable: boolean;
}

/** docs/errors.md: the rows of all tables whose first column is a code. */
const rows = readRows();
const numberedSections = ['WebSocket close codes', 'Exit codes'];
const protocolSections = ['Gap reasons', 'Goodbye reasons', ...numberedSections];

function readRows(): Row[] {
  const found: Row[] = [];
  let section = '';
  for (const line of readFileSync(join(root, 'docs/errors.md'), 'utf8').split('\n')) {
    if (line.startsWith('## ')) section = line.slice(3).trim();
    const cells = line.split('|').map((cell) => cell.trim());
    const code = /^`([a-z0-9-]+)`$/.exec(cells[1] ?? '')?.[1];
    if (code === undefined) continue;
    assert.equal(cells.length, 7, `the row of ${code} has five cells`);
    for (const [i, cell] of cells.slice(1, 6).entries())
      assert.notEqual(cell, '', `cell ${i + 1} of ${code} is empty`);
    found.push({ section, code, where: cells[2]!, retriable: cells[5]! });
  }
  return found;
}

function codesOf(section: string): string[] {
  return rows.filter((row) => row.section === section).map((row) => row.code);
}

/** The sources of the product, without tests and contract suites. */
function sources(...patterns: string[]): { file: string; text: string }[] {
  const files = globSync(patterns, { cwd: root }).filter(
    (file) => !/\.test\.ts$|contract/.test(file) && !file.includes('node_modules'),
  );
  assert.notEqual(files.length, 0, patterns.join());
  return files.sort().map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
}

function literals(text: string): string[] {
  return [...text.matchAll(/'([a-z][a-z0-9-]*)'/g)].map((match) => match[1]!);
}

/** Every catalogue of a service: an object of `errors.ts` whose values say whether they are retriable. */
async function catalogues(): Promise<{ file: string; code: string; entry: Entry }[]> {
  const found: { file: string; code: string; entry: Entry }[] = [];
  for (const file of globSync('{services,apps}/*/src/errors.ts', { cwd: root })) {
    const exported = (await import(join(root, file))) as Record<string, unknown>;
    const before = found.length;
    for (const value of Object.values(exported)) {
      if (typeof value !== 'object' || value === null) continue;
      for (const [code, entry] of Object.entries(value as Record<string, Entry>))
        if (typeof entry.retriable === 'boolean') found.push({ file, code, entry });
    }
    assert.ok(found.length > before, `${file} has a catalogue`);
  }
  return found;
}

/** The codes that only types and literals name: `type …ErrorCode = 'a' | 'b'`, `code = 'a'`, `code: 'a'`. */
function codesInSources(): Map<string, string> {
  const found = new Map<string, string>();
  for (const { file, text } of sources('{libs,services,apps}/*/src/**/*.ts')) {
    const unions = [...text.matchAll(/type \w*ErrorCode\s*=([^;]*);/g)].map((match) => match[1]!);
    for (const code of unions.flatMap(literals)) found.set(code, file);
    for (const match of text.matchAll(/\bcode(?::| =) '([a-z][a-z0-9-]*)'/g)) found.set(match[1]!, file);
  }
  return found;
}

test('each code stands in one row', () => {
  const codes = rows.map((row) => row.code);
  assert.deepEqual(
    codes.filter((code, i) => codes.indexOf(code) !== i),
    [],
  );
  for (const { code, retriable } of rows) assert.match(retriable, /^(yes|no)$/, code);
});

test('each code of the code has a row, and each row a code in the code', async () => {
  const inCode = codesInSources();
  for (const { file, code } of await catalogues()) inCode.set(code, file);
  const documented = new Set(
    rows.filter((row) => !protocolSections.includes(row.section)).map((row) => row.code),
  );
  const missing = [...inCode].filter(([code]) => !documented.has(code));
  assert.deepEqual(
    missing.map(([code, file]) => `${code} of ${file} has no row`),
    [],
  );
  assert.deepEqual(
    [...documented].filter((code) => !inCode.has(code)),
    [],
    'rows without a code',
  );
});

test('statuses and retriability are those of the catalogues', async () => {
  const all = await catalogues();
  for (const { code, where, retriable } of rows) {
    const entries = all.filter((each) => each.code === code).map((each) => each.entry);
    for (const entry of entries) assert.equal(retriable === 'yes', entry.retriable, code);
    const statuses = new Set(entries.map((entry) => entry.status));
    for (const [, status] of where.matchAll(/HTTP (\d{3})/g))
      assert.ok(statuses.has(Number(status)), `${code}: HTTP ${status}`);
  }
});

test('retriability is that of the errors of the libs', () => {
  const inUnion = (file: string): string[] =>
    literals(/ErrorCode\s*=([^;]*);/.exec(readFileSync(join(root, file), 'utf8'))![1]!);
  const errors = [
    ...inUnion('libs/event-log/src/event-log.ts').map(
      (code) => new EventLogError(code as EventLogErrorCode, ''),
    ),
    ...inUnion('libs/search-store/src/search-store.ts').map(
      (code) => new SearchStoreError(code as SearchStoreErrorCode, ''),
    ),
    new ArchiveError(''),
  ];
  assert.ok(errors.length > 10);
  for (const { code, retriable } of errors)
    assert.equal(rows.find((row) => row.code === code)?.retriable, retriable ? 'yes' : 'no', code);
});

test('gap and goodbye reasons are those that the live tier gives', () => {
  const texts = sources('services/fanout/src/*.ts').map(({ text }) => text);
  const reasons = texts.flatMap((text) => literals(/type GapReason = ([^;]*);/.exec(text)?.[1] ?? ''));
  assert.deepEqual(codesOf('Gap reasons').sort(), reasons.sort());
  const goodbyes = texts.flatMap((text) => [
    ...[...text.matchAll(/\.goodbye\('([a-z-]+)'/g)].map((match) => match[1]!),
    // A drain has its viewers told why.
    ...[...text.matchAll(/#drain\(reason: ([^)]*)\)/g)].flatMap((match) => literals(match[1]!)),
  ]);
  // A code stands in one row: what is a reason of both stands among the gaps.
  const documented = rows.filter(({ where }) => where.includes('goodbye')).map(({ code }) => code);
  assert.deepEqual(documented.sort(), [...new Set(goodbyes)].sort());
});

test('close codes are those of the live tier and of the WebSocket library on a bad client', () => {
  const codes = new Set<string>();
  for (const { text } of sources('services/fanout/src/*.ts')) {
    for (const match of text.matchAll(/\.close\((\d{4})/g)) codes.add(match[1]!);
    if (text.includes('.terminate()')) codes.add('1006');
  }
  const receiver = readFileSync(join(root, 'node_modules/ws/lib/receiver.js'), 'utf8');
  for (const match of receiver.matchAll(/^\s+(1\d{3}),$/gm)) codes.add(match[1]!);
  assert.deepEqual(codesOf('WebSocket close codes').sort(), [...codes].sort());
});

test('exit codes are those of the command line and of the services', () => {
  const codes = new Set(['0']);
  for (const { text } of sources('apps/logloom/src/*.ts', 'libs/runtime/src/*.ts', 'services/*/src/main.ts'))
    for (const [statement] of text.matchAll(/(?:process\.exit\(|exitCode\b|new CommandError\()[^;{}\n]*/g))
      for (const match of statement.matchAll(/[(,=:?]\s*(\d{1,3})\b/g)) codes.add(match[1]!);
  assert.deepEqual(codesOf('Exit codes').sort(), [...codes].sort());
});
