export { schemaRegistryErrors } from './errors.ts';
export { createEmbeddedSchemaRegistry, subjectOf } from './embedded.ts';
export { openSchemaRegistry } from './open.ts';
export { SchemaRegistryError, type SchemaRegistry, type SchemaRegistryErrorCode } from './schema-registry.ts';
export { createSerde, type Decoded, type Serde } from './serde.ts';
