import type { Client } from '@elastic/elasticsearch';
import { anyRebuiltIndex, isNameOf, servedName, type IndexNames } from './indices.ts';

/** An index of the store. */
export interface StoreIndex {
  index: string;
  /** The name under which it serves: its own, or an alias that a rebuild set. */
  name: string;
  /** False for indices that a rebuild is filling or has left behind. */
  isServing: boolean;
}

/** Every index of the store. */
export async function storeIndices(client: Client, names: IndexNames): Promise<StoreIndex[]> {
  const found = await client.indices.getAlias({
    index: [`${names.events}-*`, names.correlations, anyRebuiltIndex],
    ignore_unavailable: true,
  });
  return Object.entries(found)
    .map(([index, { aliases }]) => {
      const name = servedName(index);
      return { index, name, isServing: index === name || name in aliases };
    })
    .filter(({ name }) => isNameOf(names, name));
}

/**
 * Blocks writes to all serving indices, from every client; pending writes have ended when this resolves. Returns the blocked indices: one
 * that is created later accepts writes.
 */
export async function sealServing(client: Client, names: IndexNames): Promise<string[]> {
  const sealed = await client.indices.addBlock({
    index: Object.values(names),
    block: 'write',
    ignore_unavailable: true,
    // Without any index there is nothing to seal.
    allow_no_indices: true,
  });
  return sealed.indices.map(({ name }) => name);
}

/** Removes the indices that unfinished rebuilds left, and unblocks writes. */
export async function removeUnfinished(client: Client, names: IndexNames): Promise<void> {
  const unfinished = (await storeIndices(client, names)).filter(({ isServing }) => !isServing);
  if (unfinished.length === 0) return;
  // Done first, because an unfinished rebuild is recognized by its indices.
  await client.indices.putSettings({
    index: Object.values(names),
    ignore_unavailable: true,
    settings: { 'index.blocks.write': null },
  });
  for (const { index } of unfinished) await client.indices.delete({ index, ignore_unavailable: true });
}
