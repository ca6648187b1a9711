import { filterProblem } from '../traffic/filter-matcher.ts';
import type { Problem } from './problem.ts';
import { secondsOf } from './seconds-of.ts';
import type { ViewerEncoding, ViewerFrom, ViewerKind, ViewerPriority } from './viewer-kind.ts';

/** A kind of viewers as a file says it; viewer.schema.json is its shape. */
export interface ViewerFile {
  weight?: number;
  watch?: 'all' | 'service' | 'errors';
  filter?: string;
  from?: 'now' | 'start' | { tail: number } | { last: string };
  priority?: ViewerPriority;
  compression?: boolean;
  encoding?: ViewerEncoding;
  readBytesPerSecond?: number;
  stall?: { every: string; for: string };
  sessions?: { watch: string; think: string | { weight?: number; for: string }[]; resume?: 'cursor' | 'now' };
}

export function readViewer({
  weight = 1,
  watch,
  filter,
  from,
  stall,
  sessions,
  ...as
}: ViewerFile): ViewerKind {
  return {
    ...as,
    weight,
    watch: filter === undefined ? (watch ?? 'all') : 'filter',
    ...(filter === undefined ? {} : { filter }),
    ...(from === undefined ? {} : { from: fromOf(from) }),
    ...(stall === undefined
      ? {}
      : { stall: { everySeconds: secondsOf(stall.every), seconds: secondsOf(stall.for) } }),
    ...(sessions === undefined
      ? {}
      : {
          sessions: {
            watchSeconds: secondsOf(sessions.watch),
            think: (typeof sessions.think === 'string' ? [{ for: sessions.think }] : sessions.think).map(
              ({ weight: thinkWeight = 1, for: duration }: { weight?: number; for: string }) => ({
                weight: thinkWeight,
                seconds: secondsOf(duration),
              }),
            ),
            resume: sessions.resume ?? 'cursor',
          },
        }),
  };
}

/** What the schema cannot say. */
export function viewerProblems(mix: readonly ViewerFile[]): Problem[] {
  return mix.flatMap(({ watch, filter, stall, readBytesPerSecond }, i) => {
    const at = ['viewers', 'mix', i];
    const problems: Problem[] = [];
    if ((watch === undefined) === (filter === undefined))
      problems.push({ at, text: 'needs either watch or filter' });
    const wrong = filter === undefined ? undefined : filterProblem(filter);
    if (wrong !== undefined) problems.push({ at: [...at, 'filter'], text: wrong });
    if (stall !== undefined && readBytesPerSecond !== undefined)
      problems.push({ at, text: 'has either stall or readBytesPerSecond' });
    return problems;
  });
}

function fromOf(from: NonNullable<ViewerFile['from']>): ViewerFrom {
  if (typeof from === 'string') return { kind: from };
  return 'tail' in from
    ? { kind: 'tail', tail: from.tail }
    : { kind: 'last', lastSeconds: secondsOf(from.last) };
}
