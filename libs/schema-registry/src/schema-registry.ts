/**
 * Keeps the schemas that records were written with. A record's value is framed in Confluent's wire format: one zero byte, the
 * schema's id as 4 bytes big-endian, the Avro body.
 */
export interface SchemaRegistry {
  /**
   * Registers a schema under a subject and gives its id; the same schema gives the same id again.
   * Throws SchemaRegistryError `incompatible-schema` when old records could not be read with it.
   */
  register(subject: string, schema: string): Promise<number>;
  /** The text of a schema. Throws SchemaRegistryError `unknown-schema-id`. */
  schemaById(id: number): Promise<string>;
  /** Whether readers with `schema` can read everything written under the subject so far. True for a new subject. */
  compatible(subject: string, schema: string): Promise<boolean>;
  close(): Promise<void>;
}

export type SchemaRegistryErrorCode =
  'incompatible-schema' | 'unknown-schema-id' | 'bad-framing' | 'registry-unavailable';

export class SchemaRegistryError extends Error {
  readonly code: SchemaRegistryErrorCode;
  /** Whether the same call may succeed later. */
  readonly retriable: boolean;
  constructor(code: SchemaRegistryErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SchemaRegistryError';
    this.code = code;
    this.retriable = code === 'registry-unavailable';
  }
}
