/**
 * What a line of plain text costs to read, by layout: in a file of that layout, by itself, and beside the way it is often done, a list of
 * regular expressions that are tried one after the other. And what a line of NDJSON costs `send` before it is sent, beside finding its end.
 * CPU time, the least of several rounds. Usage: node bench/text-layouts.ts [rounds]
 */
import { knownLayouts } from '../services/ingest/src/text/layouts/all-layouts.ts';
import type { Layout } from '../services/ingest/src/text/layouts/layout.ts';
import { explainText } from '../services/ingest/src/text/read-text.ts';
import { TextReader } from '../services/ingest/src/text/text-reader.ts';
import { timeZone } from '../services/ingest/src/text/time/time-zone.ts';
import { printConditions } from './conditions.ts';

const rounds = Number(process.argv[2] ?? 5);
const linesPerRound = 3000;
const context = { receivedAtMs: Date.parse('2025-12-01T12:00:00Z'), zone: timeZone('UTC')! };

/** The least microseconds of CPU time for one of `count` units of work. */
function cost(count: number, work: () => void): number {
  let least = Infinity;
  for (let round = 0; round < rounds + 1; round++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    // The first round is for the compiler.
    if (round > 0) least = Math.min(least, (user + system) / count);
  }
  return least;
}

const fieldText: Readonly<Record<string, string>> = {
  TIME: String.raw`([\w:.,/+-]+(?:[ T][\w:.,/+-]+){0,4}?)`,
  LEVEL: '([A-Za-z]+)',
  INT: String.raw`([+-]?\d+)`,
  NUMBER: String.raw`([+-]?\d+(?:\.\d+)?)`,
  DIGITS: String.raw`(\d+)`,
  NOTSPACE: String.raw`(\S+)`,
  WORD: String.raw`(\w+)`,
  QUOTED: '"([^"]*)"',
  SPACE: ' *',
  GREEDYDATA: '(.*)',
};

/** The pattern as somebody would write it as a regular expression. */
function naive(pattern: string): RegExp {
  const parts = pattern.split(/(%\{[^}]*\}|\\.|\)\?|[()|]| )/).filter((part) => part !== '');
  let depth = 0;
  const text = parts.map((part) => {
    const type = /^%\{([A-Z0-9_]+)/.exec(part)?.[1];
    if (type !== undefined) return fieldText[type] ?? '(.+?)';
    if (part === ' ') return ' +';
    if (part === '(') {
      depth++;
      return '(?:';
    }
    if (part === ')' || part === ')?') {
      depth--;
      return part;
    }
    if (part === '|') return depth > 0 ? '|' : String.raw`\|`;
    return part.startsWith('\\') ? part : part.replace(/[.*+?^${}[\]\\]/g, String.raw`\$&`);
  });
  return new RegExp(`^${text.join('')}`, 's');
}

const list = knownLayouts.map((layout) => ({ layout, patterns: [layout.pattern].flat().map(naive) }));

/** The first expression that a line has, its captures by name and its time read by Date. */
function byList(text: string): { layout: Layout; event: Record<string, unknown> } | undefined {
  for (const { layout, patterns } of list)
    for (const pattern of patterns) {
      const match = pattern.exec(text);
      if (match === null) continue;
      const time =
        match
          .slice(1)
          .map(Date.parse)
          .find((millis) => !Number.isNaN(millis)) ?? Date.now();
      const event: Record<string, unknown> = { timestamp: new Date(time).toISOString() };
      for (let i = 1; i < match.length; i++) if (match[i] !== undefined) event[`field${i}`] = match[i];
      return { layout, event };
    }
  return undefined;
}

const rows = knownLayouts.map((layout: Layout) => {
  const lines = layout.examples.map(([text]) => text);
  const each = (work: (text: string) => void) => (): void => {
    for (let i = 0; i < linesPerRound; i++) work(lines[i % lines.length]!);
  };
  const inFile = cost(
    linesPerRound,
    each((text) => explainText(text, { ...context, preferred: [layout] })),
  );
  const alone = cost(
    linesPerRound,
    each((text) => explainText(text, context)),
  );
  const listed = cost(linesPerRound, each(byList));
  return {
    name: layout.name,
    inFile,
    alone,
    listed,
    isRight: lines.every((text) => byList(text)?.layout === layout),
  };
});

printConditions(`${knownLayouts.length} layouts, ${linesPerRound} lines a round, least of ${rounds} rounds`);
console.log('layout                in its file   alone   list of expressions   (µs of CPU a line)');
for (const { name, inFile, alone, listed, isRight } of rows)
  console.log(
    `${name.padEnd(22)}${inFile.toFixed(2).padStart(10)}${alone.toFixed(2).padStart(8)}${listed.toFixed(2).padStart(14)}${isRight ? '' : '   another layout'}`,
  );
const mean = (pick: (row: (typeof rows)[number]) => number): string =>
  (rows.reduce((sum, row) => sum + pick(row), 0) / rows.length).toFixed(2);
console.log(
  `mean: ${mean((row) => row.inFile)} in its file, ${mean((row) => row.alone)} alone, ${mean((row) => row.listed)} by the list, which finds ${rows.filter(({ isRight }) => isRight).length} of ${rows.length} layouts`,
);

const json = Array.from({ length: 20_000 }, (_, i) =>
  JSON.stringify({
    timestamp: '2025-03-14T09:26:53.589Z',
    level: 'info',
    service: 'shop',
    message: `order ${i} paid`,
    traceId: '0af7651916cd43dd8448eb211c80319c',
    amount: i,
  }),
);
const reading = cost(json.length, () => {
  const reader = new TextReader({});
  let [end, count] = [0, 0];
  for (const line of json) count += reader.push(line, (end += line.length + 1)).length;
  if (count !== json.length) throw new Error(`${count} events`);
});
const parsing = cost(json.length, () => {
  for (const line of json) JSON.parse(line);
});
console.log(
  `NDJSON: ${reading.toFixed(2)} µs a line in send before it is sent; JSON.parse of it takes ${parsing.toFixed(2)}`,
);
