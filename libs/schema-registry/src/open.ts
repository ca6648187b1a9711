import type { SchemaRegistryAccess } from './access.ts';
import { createEmbeddedSchemaRegistry } from './embedded.ts';
import type { SchemaRegistry } from './schema-registry.ts';

export interface OpenSchemaRegistryOptions {
  /** A Confluent-compatible registry; undefined: the built-in schemas. */
  url?: string | undefined;
  /** Who asks it, and by which certificates. */
  access?: SchemaRegistryAccess | undefined;
  /** Gets why a changed file with a credential cannot be used. */
  onTrouble?: ((message: string) => void) | undefined;
}

/** The registry that the settings name. It need not be reachable yet. */
export async function openSchemaRegistry({
  url,
  access,
  onTrouble,
}: OpenSchemaRegistryOptions): Promise<SchemaRegistry> {
  if (url === undefined) return createEmbeddedSchemaRegistry();
  // The client is loaded only here: embedded mode should not spend the time and memory.
  const { connectSchemaRegistry } = await import('./confluent.ts');
  return connectSchemaRegistry(url, access, onTrouble);
}
