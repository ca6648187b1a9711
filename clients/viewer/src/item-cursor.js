// @ts-check
/**
 * A place between two items of one batch. The server's cursors stand between batches and are opaque; an application that stops in the
 * middle of a batch needs a finer one. It is the cursor before the batch and, for each partition, the last item taken after it:
 * `<server's cursor>@<partition>.<position>.<how many at this position>~...`, numbers in base 36. `@` is in no server's cursor.
 * Items of a partition come in the order of their positions, so what was taken is known again however the batches are cut next time.
 *
 * @typedef {{ partition: number, offset?: number, closeOffset?: number }} Placed an event, or a correlation: several of them may
 *   close at one offset
 * @typedef {Map<number, { position: number, count: number }>} Taken
 */

/**
 * Cuts what a cursor says into the server's part and what was taken after it.
 * @param {string} cursor
 * @returns {{ server: string, taken: Taken }}
 */
export function parseItemCursor(cursor) {
  /** @type {Taken} */
  const taken = new Map();
  const at = cursor.lastIndexOf('@');
  if (at === -1) return { server: cursor, taken };
  for (const mark of cursor.slice(at + 1).split('~')) {
    const [partition, position, count] = mark.split('.').map((part) => Number.parseInt(part, 36));
    if (partition === undefined || position === undefined || count === undefined) continue;
    taken.set(partition, { position, count });
  }
  return { server: cursor.slice(0, at), taken };
}

/** @param {string} server @param {Taken} taken @returns {string} */
export function formatItemCursor(server, taken) {
  if (taken.size === 0) return server;
  const marks = [...taken].map(([partition, { position, count }]) =>
    [partition, position, count].map((number) => number.toString(36)).join('.'),
  );
  return `${server}@${marks.join('~')}`;
}

/** Notes an item as taken. @param {Taken} taken @param {Placed} item */
export function take(taken, item) {
  const position = positionOf(item);
  const before = taken.get(item.partition);
  const count = before?.position === position ? before.count + 1 : 1;
  taken.set(item.partition, { position, count });
}

/**
 * The items that were not taken yet, and what stays taken after them: of several at one position those that did not come again.
 * @template {Placed} Item
 * @param {Item[]} items
 * @param {Taken} taken
 * @returns {{ fresh: Item[], left: Taken }}
 */
export function withoutTaken(items, taken) {
  if (taken.size === 0) return { fresh: items, left: taken };
  const left = new Map(taken);
  const fresh = items.filter((item) => {
    const mark = left.get(item.partition);
    const position = positionOf(item);
    if (mark === undefined || position > mark.position) return true;
    if (position < mark.position) return false;
    if (mark.count === 0) return true;
    left.set(item.partition, { position, count: mark.count - 1 });
    return false;
  });
  return { fresh, left };
}

/** @param {Placed} item */
function positionOf(item) {
  return item.offset ?? item.closeOffset ?? 0;
}
