import { CodedError } from '@logloom/errors';
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { errorSections, reasonSections } from '../../tools/docs/error-sections.ts';

const root = join(import.meta.dirname, '../..');

/** The sources of the product, without tests and contract suites. */
function sources(...patterns: string[]): { file: string; text: string }[] {
  const files = globSync(patterns, { cwd: root }).filter(
    (file) => !/\.test\.ts$|contract|\/testing\//.test(file) && !file.includes('node_modules'),
  );
  assert.notEqual(files.length, 0, patterns.join());
  return files.sort().map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
}

const product = sources('{libs,services,apps}/*/src/**/*.ts');
const declaring = new Set([...errorSections, ...reasonSections].map((section) => section.declaredIn));
const declarations = errorSections.flatMap((section) => Object.entries(section.declarations));

function literals(text: string): string[] {
  return [...text.matchAll(/'([a-z][a-z0-9-]*)'/g)].map((match) => match[1]!);
}

function codesOf(title: string): string[] {
  return Object.keys(reasonSections.find((section) => section.title === title)!.declarations);
}

test('each code is declared once', () => {
  const codes = declarations.map(([code]) => code);
  assert.ok(codes.length > 90, `${codes.length} codes`);
  assert.deepEqual(
    codes.filter((code, i) => codes.indexOf(code) !== i),
    [],
  );
});

test('each declaration stands in the docs, under the file that it is in', () => {
  const files = product.filter(({ text }) => /= declare(?:Errors|Reasons)\(/.test(text));
  assert.deepEqual(files.map(({ file }) => file).sort(), [...declaring].sort());
  for (const { declaredIn, declarations } of [...errorSections, ...reasonSections]) {
    const text = readFileSync(join(root, declaredIn), 'utf8');
    for (const code of Object.keys(declarations))
      assert.match(text, new RegExp(`^  '?${code}'?: \\{$`, 'm'), `${code} of ${declaredIn}`);
  }
});

test('each code that the code uses is declared', () => {
  const declared = new Set(declarations.map(([code]) => code));
  const used = product.flatMap(({ file, text }) => [
    ...[...text.matchAll(/type \w*ErrorCode\s*=([^;]*);/g)]
      .flatMap(([, union]) => [...union!.matchAll(/\| '([a-z0-9-]+)'/g)].map(([, code]) => code!))
      .map((code) => ({ file, code })),
    ...[...text.matchAll(/\bcode(?::| =) '([a-z][a-z0-9-]*)'/g)].map(([, code]) => ({ file, code: code! })),
  ]);
  assert.ok(used.length > 0);
  assert.deepEqual(
    used.filter(({ code }) => !declared.has(code)),
    [],
  );
});

test('each declared code is used somewhere', () => {
  const used = new Set(
    product.filter(({ file }) => !declaring.has(file)).flatMap(({ text }) => literals(text)),
  );
  // A file that declares codes may use them, too.
  for (const { text } of product.filter(({ file }) => declaring.has(file)))
    for (const [, code] of text.matchAll(/[(,] ?'([a-z][a-z0-9-]*)'/g)) used.add(code!);
  assert.deepEqual(
    declarations.map(([code]) => code).filter((code) => !used.has(code)),
    [],
  );
});

test('an error that others see has the base class that requires a code', () => {
  // These end inside their file or its neighbours: each is turned into one with a code, or into a result.
  const internal = new Set([
    'CodedError',
    'AddressRefusedError',
    'AnswerTooLarge',
    'DeliveryError',
    'HandlerFailure',
    'InvalidValue',
    'ReadInterrupted',
    'RetryLaterError',
    'SlicesChanged',
    'StoreUnavailable',
    'UnrecoverableJobError',
    'Untranslatable',
    'UnusableValue',
  ]);
  const without = product.flatMap(({ file, text }) =>
    [...text.matchAll(/class (\w+) extends Error\b/g)]
      .filter(([, name]) => !internal.has(name!))
      .map(([, name]) => `${name} of ${file}`),
  );
  assert.deepEqual(without, []);
});

test('an error has the message, status and retriability that its code declares', () => {
  const catalogue = Object.fromEntries(declarations);
  for (const [code, { status, retriable, message }] of declarations) {
    if (typeof message === 'function') continue;
    const error = new CodedError(catalogue, code);
    assert.deepEqual([error.status, error.retriable, error.message], [status ?? 500, retriable, message]);
  }
  const details = { parameter: 'sort', known: ['q', 'limit'] };
  const unknown = new CodedError(catalogue, 'bad-parameter', undefined, { details });
  assert.equal(unknown.message, 'there is no parameter "sort"; known are q, limit');
  assert.equal(new CodedError(catalogue, 'not-found', 'there is no event 7').message, 'there is no event 7');
  assert.throws(() => new CodedError(catalogue, 'never-declared'), TypeError);
});

test('gap and goodbye reasons are those that the live tier gives', () => {
  const texts = sources('services/fanout/src/**/*.ts').map(({ text }) => text);
  const reasons = texts.flatMap((text) => literals(/type GapReason = ([^;]*);/.exec(text)?.[1] ?? ''));
  assert.deepEqual(codesOf('Gap reasons').sort(), reasons.sort());
  const goodbyes = texts.flatMap((text) => [
    ...[...text.matchAll(/\.goodbye\('([a-z-]+)'/g)].map((match) => match[1]!),
    // A drain tells its viewers why.
    ...[...text.matchAll(/type DrainReason = ([^;]*);/g)].flatMap((match) => literals(match[1]!)),
  ]);
  // A reason of both is declared among the gaps.
  const declared = reasonSections.flatMap(({ declarations }) =>
    Object.entries(declarations).filter(([, { where }]) => where.includes('goodbye')),
  );
  assert.deepEqual(declared.map(([reason]) => reason).sort(), [...new Set(goodbyes)].sort());
});

test('close codes are those of the live tier and of the WebSocket library on a bad client', () => {
  const codes = new Set<string>();
  for (const { text } of sources('services/fanout/src/**/*.ts')) {
    for (const match of text.matchAll(/\.close\((\d{4})/g)) codes.add(match[1]!);
    if (text.includes('.terminate()')) codes.add('1006');
  }
  const receiver = readFileSync(join(root, 'node_modules/ws/lib/receiver.js'), 'utf8');
  for (const match of receiver.matchAll(/^\s+(1\d{3}),$/gm)) codes.add(match[1]!);
  assert.deepEqual(codesOf('WebSocket close codes').sort(), [...codes].sort());
});

test('exit codes are those of the command line and of the services', () => {
  const codes = new Set(['0']);
  for (const { text } of sources(
    'apps/logloom/src/**/*.ts',
    'libs/runtime/src/**/*.ts',
    'services/*/src/main.ts',
  ))
    for (const [statement] of text.matchAll(/(?:process\.exit\(|exitCode\b)[^;{}\n]*/g))
      for (const match of statement.matchAll(/[(,=:?]\s*(\d{1,3})\b/g)) codes.add(match[1]!);
  assert.deepEqual(codesOf('Exit codes').sort(), [...codes].sort());
});
