import { SchemaRegistryError, type Decoded, type Serde } from '@logloom/schema-registry';

/** A loaded record, decoded; undefined where it cannot be: one such record never stops a partition. */
export function tryDecode(serde: Serde, value: Buffer): Decoded | undefined {
  try {
    return serde.decode(value);
  } catch (error) {
    if (error instanceof SchemaRegistryError) return undefined;
    throw error;
  }
}
