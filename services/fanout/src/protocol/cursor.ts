import type { DegradedLevel } from './degradation-level.ts';

/**
 * A place in a stream: "everything before these offsets has been sent". As text `v1.<stream letter>.<epoch>.<offsets>`, the next offset of
 * each partition in base 36, joined by dashes; every character is safe in a URL. Opaque to clients.
 *
 * With `.s<offsets>` or `.c<offsets>` at its end: of what lies between the two places, everything was announced as missed except
 * what a viewer at that degradation level gets, and that was not sent yet.
 */
export interface Cursor {
  letter: string;
  epoch: string;
  offsets: number[];
  announced?: Announced;
}

/** The events that a gap has announced beyond a cursor's offsets: all up to `to` except those that `level` keeps. */
export interface Announced {
  level: DegradedLevel;
  to: number[];
}

const letterOfLevel: Readonly<Record<DegradedLevel, string>> = { sampled: 's', counts: 'c' };
const offsetsShape = '(?:0|[1-9a-z][0-9a-z]{0,10})(?:-(?:0|[1-9a-z][0-9a-z]{0,10}))*';

const shape = new RegExp(
  `^v1\\.([a-z])\\.([A-Za-z0-9_%~-]+)\\.(${offsetsShape})(?:\\.([sc])(${offsetsShape}))?$`,
);

export function formatCursor(letter: string, epoch: string, offsets: readonly number[]): string {
  let text = `v1.${letter}.${escapeEpoch(epoch)}.`;
  for (let p = 0; p < offsets.length; p++) text += (p === 0 ? '' : '-') + offsets[p]!.toString(36);
  return text;
}

/** Reads the result of formatCursor(); undefined for anything else. */
export function parseCursor(text: string): Cursor | undefined {
  const match = text.length <= 16_384 ? shape.exec(text) : null;
  if (match === null) return undefined;
  const offsets = parseOffsets(match[3]!);
  const announcedTo = match[5] === undefined ? undefined : parseOffsets(match[5]);
  if (![...offsets, ...(announcedTo ?? [])].every(Number.isSafeInteger)) return undefined;
  if (announcedTo !== undefined && announcedTo.length !== offsets.length) return undefined;
  try {
    return {
      letter: match[1]!,
      epoch: decodeURIComponent(match[2]!),
      offsets,
      ...(announcedTo === undefined
        ? {}
        : { announced: { level: match[4] === 's' ? 'sampled' : 'counts', to: announcedTo } }),
    };
  } catch {
    return undefined;
  }
}

/** Records between two cursors of one stream, of all partitions; null where one is of something else. */
export function recordsBetween(from: string, to: string): number | null {
  const [first, last] = [parseCursor(from), parseCursor(to)];
  if (first === undefined || last === undefined || first.epoch !== last.epoch || first.letter !== last.letter)
    return null;
  return last.offsets.reduce((sum, offset, p) => sum + Math.max(0, offset - (first.offsets[p] ?? 0)), 0);
}

/** The cursor of a gap that is followed by what `level` keeps of the batch between the two cursors. */
export function announcedCursor(from: string, level: DegradedLevel, to: string): string {
  return `${from}.${letterOfLevel[level]}${to.slice(to.lastIndexOf('.') + 1)}`;
}

function parseOffsets(text: string): number[] {
  return text.split('-').map((offset) => Number.parseInt(offset, 36));
}

function escapeEpoch(epoch: string): string {
  return encodeURIComponent(epoch).replaceAll(
    /[.!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
