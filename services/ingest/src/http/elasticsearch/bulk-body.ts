import { IngestError } from '../../errors.ts';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { sliceEvents } from '../../pipeline/in-slices.ts';
import type { RequestCost } from '../../admission/request-cost.ts';
import { allLines, type Piece } from '../split-body.ts';

export type BulkAction = 'index' | 'create' | 'update' | 'delete';
const actions: ReadonlySet<string> = new Set<BulkAction>(['index', 'create', 'update', 'delete']);

/** An action line of a bulk request, without what only controls Elasticsearch (version, pipeline, …). */
export interface BulkMeta {
  action: BulkAction;
  index?: string;
  id?: string;
  routing?: string;
}

export interface BulkItem {
  meta: BulkMeta;
  /** The document; for a delete, which has none, the action line. */
  piece: Piece;
}

/** The items of a bulk request with their number. */
export interface Bulk {
  count: number;
  items: Iterable<BulkItem>;
}

/** The size of an item's response beside its names, and how often the response is in memory until it is sent. */
const responseBytes = 200;
const responseCopies = 3;

/**
 * Returns the items of a bulk request, read one at a time; the documents are not parsed. Throws IngestError `empty-body`,
 * `too-many-events`, and `bad-json` or `wrong-shape` when a line is not the action line that it should be: then nobody can tell which
 * lines are documents, and nothing of the request is accepted.
 */
export async function readBulk(body: Buffer, index: string | undefined, cost: RequestCost): Promise<Bulk> {
  let count = 0;
  for (const { meta } of bulkItems(body, index)) {
    cost.events(1);
    const names = (meta.index?.length ?? 0) + (meta.id?.length ?? 0);
    cost.add(responseCopies * (responseBytes + names));
    if (++count % sliceEvents === 0) await nextTurn();
  }
  if (count === 0) throw new IngestError('empty-body');
  return { count, items: bulkItems(body, index) };
}

function* bulkItems(body: Buffer, index: string | undefined): Generator<BulkItem> {
  const readMeta = createMetaReader(body, index);
  let meta: BulkMeta | undefined;
  let line = 0;
  for (const piece of allLines(body)) {
    line = piece.line;
    if (meta === undefined) {
      // A blank line between items is skipped; in the place of a document it is a bad document.
      if (piece.start === piece.end) continue;
      meta = readMeta(piece);
      if (meta.action !== 'delete') continue;
    }
    yield { meta, piece };
    meta = undefined;
  }
  if (meta !== undefined)
    throw new IngestError('wrong-shape', `line ${line} is an action without a document`);
}

/** Parses equal action lines once: shippers write the same one before each document. */
function createMetaReader(body: Buffer, index: string | undefined): (piece: Piece) => BulkMeta {
  let last: Piece | undefined;
  let lastMeta: BulkMeta | undefined;
  return (piece) => {
    const isSame =
      last !== undefined && body.compare(body, last.start, last.end, piece.start, piece.end) === 0;
    if (!isSame || lastMeta === undefined) lastMeta = parseMeta(body, piece, index);
    last = piece;
    return lastMeta;
  };
}

function parseMeta(body: Buffer, { line, start, end }: Piece, index: string | undefined): BulkMeta {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8', start, end));
  } catch {
    throw new IngestError('bad-json', `Malformed action/metadata line [${line}]: it is not JSON`);
  }
  // winston-elasticsearch writes a member of its own beside the action.
  const entries = Object.entries(typeof parsed === 'object' && parsed !== null ? parsed : {}).filter(
    ([name]) => actions.has(name),
  );
  const [action, members] = entries[0] ?? [];
  if (entries.length !== 1 || action === undefined || !isObject(members))
    throw new IngestError(
      'wrong-shape',
      `Malformed action/metadata line [${line}], expected field [create], [delete], [index] or [update]`,
    );
  const text = (...names: string[]): string | undefined => {
    for (const name of names) if (typeof members[name] === 'string') return members[name].toWellFormed();
    return undefined;
  };
  const meta: BulkMeta = { action: action as BulkAction };
  const given = { index: text('_index') ?? index, id: text('_id'), routing: text('routing', '_routing') };
  for (const name of ['index', 'id', 'routing'] as const)
    if (given[name] !== undefined) meta[name] = given[name];
  return meta;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
