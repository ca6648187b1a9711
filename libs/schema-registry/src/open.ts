import { createEmbeddedSchemaRegistry } from './embedded.ts';
import type { SchemaRegistry } from './schema-registry.ts';

/** The Confluent-compatible registry at `url`; without one, the built-in schemas. */
export async function openSchemaRegistry(url: string | undefined): Promise<SchemaRegistry> {
  if (url === undefined) return createEmbeddedSchemaRegistry();
  // Its client takes time and memory that whoever runs embedded need not spend.
  const { connectSchemaRegistry } = await import('./confluent.ts');
  return connectSchemaRegistry(url);
}
