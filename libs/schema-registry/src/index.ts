export { schemaRegistryErrors } from './errors.ts';
export { createEmbeddedSchemaRegistry, subjectOf } from './embedded.ts';
export { openSchemaRegistry, type OpenSchemaRegistryOptions } from './open.ts';
export { schemaRegistryOf } from './settings.ts';
export type { SchemaRegistryAccess } from './access.ts';
export { SchemaRegistryError, type SchemaRegistry, type SchemaRegistryErrorCode } from './schema-registry.ts';
export { createSerde, type Decoded, type Serde } from './serde.ts';
