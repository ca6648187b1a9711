import { sqlLiteral } from '@logloom/filter';
import type { Slice } from './slice.ts';

/** A document in a slice of which there is a later revision elsewhere. */
export interface Superseded {
  slice: number;
  id: string;
}

/** SQL: whether a document of these slices, in a relation with `filename`, is none of the superseded ones. */
export function isNotSuperseded(superseded: readonly Superseded[], slices: readonly Slice[]): string {
  const fileOf = new Map(slices.map(({ seq, file }) => [seq, file]));
  const places = superseded.flatMap(({ slice, id }) => {
    const file = fileOf.get(slice);
    return file === undefined ? [] : [`(${sqlLiteral(id)}, ${sqlLiteral(file)})`];
  });
  return places.length === 0 ? 'TRUE' : `(id, parse_filename(filename)) NOT IN (${places.join(', ')})`;
}
