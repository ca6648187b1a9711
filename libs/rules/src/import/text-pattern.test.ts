import { compilePredicate, FilterSubject, parseFilter } from '@logloom/filter';
import { placedEvent } from '@logloom/testing';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { BlockList, isIPv4 } from 'node:net';
import { test } from 'node:test';
import { formatExpression, or } from './expression.ts';
import { Findings, Untranslatable } from './imported-rule.ts';
import { patternsOfRegex } from './literal-regex.ts';
import { patternsOfNetwork, type NetworkPatterns } from './sigma/networks.ts';
import { matchText, type TextPattern } from './text-pattern.ts';

/** Whether an event with this value passes the filter for the patterns, and whether a difference was announced. */
function passes(
  field: string,
  patterns: readonly TextPattern[],
  value: string,
  isCased: boolean,
): [boolean, boolean] {
  const findings = new Findings();
  const text = formatExpression(
    or(patterns.map((pattern) => matchText(field, pattern, { isCased }, findings))),
  );
  const parsed = parseFilter(text);
  assert.ok(parsed.ok, text);
  const fields =
    field === 'message' ? { message: value } : { attributes: JSON.stringify({ [field]: value }) };
  const subject = new FilterSubject(placedEvent(0, fields));
  return [compilePredicate(parsed.filter)(subject), findings.differences.length > 0];
}

/** The same by JavaScript's regular expressions. */
function matchesWhole(pattern: TextPattern, value: string, isCased: boolean): boolean {
  const source = pattern.map((part) =>
    part === 'any' ? '.*' : part === 'one' ? '.' : part.text.replaceAll(/[^A-Za-z0-9]/g, '\\$&'),
  );
  return new RegExp(`^(?:${source.join('')})$`, isCased ? 's' : 'is').test(value);
}

const letters = fc.constantFrom('a', 'b', 'B', '7', '_', ' ', '-', '*', '\\', '"', '/', '.');
const text = fc.array(letters, { maxLength: 8 }).map((each) => each.join(''));
const part = fc.oneof(
  fc.constantFrom('any' as const, 'one' as const),
  fc.array(letters, { minLength: 1, maxLength: 3 }).map((each) => ({ text: each.join('') })),
);
const pattern = fc.array(part, { minLength: 1, maxLength: 4 });

test('a clause of an attribute matches what the pattern does, or says that it does not', () => {
  fc.assert(
    fc.property(pattern, text, fc.boolean(), (given, value, isCased) => {
      // It stands for every value, and whether there is one is asked by itself.
      fc.pre(given.some((each) => each !== 'any'));
      const [passed, differs] = passes('a', [given], value, isCased);
      if (passed !== matchesWhole(given, value, isCased)) assert.ok(differs);
    }),
    { numRuns: 2000 },
  );
});

test('a clause of the message misses nothing, and matches exactly what the pattern does unless it says so', () => {
  fc.assert(
    fc.property(pattern, text, fc.boolean(), (given, value, isCased) => {
      let result: [boolean, boolean];
      try {
        result = passes('message', [given], value, isCased);
      } catch (error) {
        assert.ok(error instanceof Untranslatable);
        return;
      }
      const [passed, differs] = result;
      const expected = matchesWhole(given, value, isCased);
      if (expected) assert.ok(passed);
      if (passed !== expected) assert.ok(differs);
    }),
    { numRuns: 4000 },
  );
});

const atom = fc.constantFrom(
  'a',
  'b',
  '\\.',
  '.',
  '.*',
  '.+',
  '.?',
  '(a|b)',
  '(?:ab|)',
  '[ab]',
  'a?',
  '[0-3]',
  '\\-',
  '7',
  '\\d',
  '\\w+',
  '\\s*',
  '[^a]',
  '[a-f]+',
  'a{2}',
  'b{1,3}',
  '(ab)+',
  '.{2}',
  '.{1,}',
  '\\bab',
  '[\\w.]',
);
const regex = fc
  .tuple(fc.boolean(), fc.array(atom, { maxLength: 4 }), fc.array(atom, { maxLength: 2 }), fc.boolean())
  .map(([begins, one, other, ends]) => {
    const alternatives = other.length === 0 ? one.join('') : `(${one.join('')}|${other.join('')})`;
    return `${begins ? '^' : ''}${alternatives}${ends ? '$' : ''}`;
  });

test('a regular expression that is translated misses no text, and matches the same ones unless it says so', () => {
  let translated = 0;
  fc.assert(
    fc.property(regex, fc.boolean(), text, (source, isWhole, value) => {
      let patterns: readonly TextPattern[];
      let isExact: boolean;
      try {
        ({ patterns, isExact } = patternsOfRegex(source, isWhole));
      } catch (error) {
        assert.ok(error instanceof Untranslatable);
        return;
      }
      translated++;
      const expected = new RegExp(isWhole ? `^(?:${source})$` : source, 's').test(value);
      const found = patterns.some((each) => matchesWhole(each, value, true));
      if (expected) assert.ok(found);
      if (isExact) assert.equal(found, expected);
    }),
    { numRuns: 4000 },
  );
  assert.ok(translated > 2000);
});

test('a network that is translated has the same addresses', () => {
  const octet = fc.integer({ min: 0, max: 255 });
  const v4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'));
  // Near each other, so that many addresses are on either side of a border.
  const near = fc.tuple(
    v4,
    fc.integer({ min: 1, max: 32 }),
    fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    fc.integer({ min: 0, max: 32 }),
  );
  fc.assert(
    fc.property(near, ([base, bits, noise, keep]) => {
      const number = base.split('.').reduce((sum, each) => sum * 256 + Number(each), 0);
      const mask = keep === 32 ? 0 : 2 ** (32 - keep) - 1;
      const other = Number((BigInt(number) & ~BigInt(mask)) | (BigInt(noise) & BigInt(mask)));
      const address = [24, 16, 8, 0].map((shift) => Math.floor(other / 2 ** shift) % 256).join('.');
      check(base, bits, address);
    }),
    { numRuns: 1000 },
  );
  const v6 = [
    'fe80::1',
    'febf::1',
    'fec0::1',
    'fc00::1',
    'fdff::1',
    'fe00::1',
    '2001:db8::1',
    '2001:db9::1',
    '::1',
    '::2',
    'fe8::1',
    'fc::1',
    'fc1::1',
    'fc:1::1',
    '2::1',
    '200::1',
    '3fff::1',
    '4000::1',
  ];
  for (const [base, bits] of [
    ['fe80::', 10],
    ['fc00::', 7],
    ['2001:db8::', 32],
    ['::1', 128],
    ['2000::', 3],
  ] as const)
    for (const address of v6) check(base, bits, address);
});

function check(base: string, bits: number, address: string): void {
  let network: NetworkPatterns;
  try {
    network = patternsOfNetwork(`${base}/${bits}`);
  } catch (error) {
    assert.ok(error instanceof Untranslatable);
    return;
  }
  const list = new BlockList();
  const family = isIPv4(base) ? 'ipv4' : 'ipv6';
  list.addSubnet(base, bits, family);
  const some = (patterns: readonly TextPattern[]): boolean =>
    patterns.some((each) => matchesWhole(each, address, true));
  const found = some(network.patterns) && !some(network.except);
  assert.equal(found, list.check(address, family), `${base}/${bits} ${address}`);
}
