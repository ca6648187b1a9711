import type { Line } from './assert-exact.ts';

/** Filters, each with what it means for a line. */
export function countedFilters(lines: readonly Line[]): [filter: string, matches: (line: Line) => boolean][] {
  const middle = lines[lines.length >> 1]!;
  return [
    ['', () => true],
    ['level:error', (l) => l.level === 'error'],
    ['level:>=warn', (l) => ['warn', 'error', 'fatal'].includes(l.level)],
    ['NOT level:info', (l) => l.level !== 'info'],
    [
      `level:(info OR error) AND NOT service:${middle.service}`,
      (l) => ['info', 'error'].includes(l.level) && l.service !== middle.service,
    ],
    ['service:ts-*-service', (l) => /^ts-.*-service$/.test(l.service)],
    ['service:*order*', (l) => l.service.includes('order')],
    ['message:order', (l) => wordsOf(l.message).includes('order')],
    ['message:"get all"', (l) => hasPhrase(l.message, ['get', 'all'])],
    ['message:fail*', (l) => wordsOf(l.message).some((word) => word.startsWith('fail'))],
    ['message:*rder*', (l) => wordsOf(l.message).some((word) => word.includes('rder'))],
    [`traceId:${middle.traceId}`, (l) => l.traceId === middle.traceId],
    [
      `correlationId:${middle.traceId} AND level:info`,
      (l) => l.traceId === middle.traceId && l.level === 'info',
    ],
    [
      `timestamp:<"${middle.timestamp.slice(0, 23)}Z"`,
      (l) => l.timestamp.slice(0, 23) < middle.timestamp.slice(0, 23),
    ],
  ];
}

function wordsOf(message: string): string[] {
  return message.toLowerCase().split(/[^\p{L}\p{N}_]+/u);
}

function hasPhrase(message: string, wanted: readonly string[]): boolean {
  const all = wordsOf(message);
  return all.some((_, i) => wanted.every((word, j) => all[i + j] === word));
}
