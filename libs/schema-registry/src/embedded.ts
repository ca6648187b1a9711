import { contractNames, parseSchema, versionPath } from '@logloom/schemas';
import { existsSync, readFileSync } from 'node:fs';
import { SchemaRegistryError, type SchemaRegistry } from './schema-registry.ts';

interface Entry {
  id: number;
  subject: string;
  schema: string;
}

/** Ids leave room for this many versions of one contract; ids are part of every stored record, so it never changes. */
const versionsPerContract = 1000;

/**
 * The registry of the one-process mode: the checked-in .avsc files. Ids are fixed by contract and version, so that records of an older
 * release stay readable. Other registered schemas live only as long as the process.
 */
export function createEmbeddedSchemaRegistry(): SchemaRegistry {
  const entries: Entry[] = [];
  contractNames.forEach((name, i) => {
    for (let version = 1; existsSync(versionPath(name, version)); version++) {
      const schema = readFileSync(versionPath(name, version), 'utf8');
      entries.push({
        id: i * versionsPerContract + version,
        subject: subjectOf(name),
        schema: normalize(schema),
      });
    }
  });
  let nextId = 1_000_000;

  const compatible = (subject: string, schema: string): boolean => {
    const reader = parseSchema(schema);
    return entries
      .filter((e) => e.subject === subject)
      .every((e) => {
        try {
          reader.createResolver(parseSchema(e.schema));
          return true;
        } catch {
          return false;
        }
      });
  };

  return {
    register: async (subject, schema) => {
      const text = normalize(schema);
      const known = entries.find((e) => e.subject === subject && e.schema === text);
      if (known !== undefined) return known.id;
      if (!compatible(subject, schema)) {
        throw new SchemaRegistryError(
          'incompatible-schema',
          `${subject}: earlier records could not be read with this schema`,
        );
      }
      entries.push({ id: nextId, subject, schema: text });
      return nextId++;
    },
    schemaById: async (id) => {
      const entry = entries.find((e) => e.id === id);
      if (entry === undefined)
        throw new SchemaRegistryError('unknown-schema-id', `no schema has the id ${id}`);
      return entry.schema;
    },
    compatible: async (subject, schema) => compatible(subject, schema),
    close: async () => {},
  };
}

/** The subject of a contract: its full Avro name, so that one topic may hold several record types. */
export function subjectOf(contract: string): string {
  return `io.logloom.${contract}`;
}

function normalize(schema: string): string {
  return JSON.stringify(JSON.parse(schema));
}
