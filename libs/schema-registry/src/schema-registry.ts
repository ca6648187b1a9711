import { CodedError, type CodeOf } from '@logloom/errors';
import { schemaRegistryErrors } from './errors.ts';

/**
 * Keeps the schemas that records were written with. A record's value is framed in Confluent's wire format: one zero byte, the
 * schema's id as 4 bytes big-endian, the Avro body.
 */
export interface SchemaRegistry {
  /**
   * Registers a schema under a subject and returns its id; the same schema always has the same id. Throws SchemaRegistryError
   * `incompatible-schema` if earlier records could not be read with it.
   */
  register(subject: string, schema: string): Promise<number>;
  /** The text of a schema. Throws SchemaRegistryError `unknown-schema-id`. */
  schemaById(id: number): Promise<string>;
  /** Whether readers with `schema` can read everything written under the subject so far. True for a new subject. */
  compatible(subject: string, schema: string): Promise<boolean>;
  /** Why the registry refuses what it was asked last, with the setting to look at; undefined: it does not. */
  problem?(): string | undefined;
  close(): Promise<void>;
}

export type SchemaRegistryErrorCode = CodeOf<typeof schemaRegistryErrors>;

export class SchemaRegistryError extends CodedError<SchemaRegistryErrorCode> {
  constructor(code: SchemaRegistryErrorCode, message?: string, options?: ErrorOptions) {
    super(schemaRegistryErrors, code, message, options);
  }
}
