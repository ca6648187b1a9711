import { createEmbeddedSchemaRegistry } from './embedded.ts';
import type { SchemaRegistry } from './schema-registry.ts';

/** The Confluent-compatible registry at `url`; without one, the built-in schemas. */
export async function openSchemaRegistry(url: string | undefined): Promise<SchemaRegistry> {
  if (url === undefined) return createEmbeddedSchemaRegistry();
  // The client is loaded only here: embedded mode should not spend the time and memory.
  const { connectSchemaRegistry } = await import('./confluent.ts');
  return connectSchemaRegistry(url);
}
