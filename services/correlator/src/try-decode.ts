import { SchemaRegistryError, type Decoded, type Serde } from '@logloom/schema-registry';

/** Decodes a loaded record; undefined if it cannot be decoded, because one bad record must never stop a partition. */
export function tryDecode(serde: Serde, value: Buffer): Decoded | undefined {
  try {
    return serde.decode(value);
  } catch (error) {
    if (error instanceof SchemaRegistryError) return undefined;
    throw error;
  }
}
