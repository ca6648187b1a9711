import type { Client } from '@elastic/elasticsearch';
import { anyRebuiltIndex, isNameOf, servedName, type IndexNames } from './indices.ts';

/** An index of the store. */
export interface StoreIndex {
  index: string;
  /** The name that it serves under: its own, or an alias that a rebuild gave it. */
  name: string;
  /** False for what a rebuild is making, or has left behind. */
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
 * Refuses writes to everything that serves, whoever sends them; what is under way has ended when this resolves. Gives the indices that
 * it is so for: one that is made later takes writes.
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

/** Removes what unfinished rebuilds left, and takes writes again that one has refused. */
export async function removeUnfinished(client: Client, names: IndexNames): Promise<void> {
  const unfinished = (await storeIndices(client, names)).filter(({ isServing }) => !isServing);
  if (unfinished.length === 0) return;
  // First, for it is by their indices that an unfinished rebuild is known.
  await client.indices.putSettings({
    index: Object.values(names),
    ignore_unavailable: true,
    settings: { 'index.blocks.write': null },
  });
  for (const { index } of unfinished) await client.indices.delete({ index, ignore_unavailable: true });
}
