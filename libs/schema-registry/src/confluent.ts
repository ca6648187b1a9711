import { COMPATIBILITY, SchemaRegistry as Client, SchemaType } from '@kafkajs/confluent-schema-registry';
import { SchemaRegistryError, type SchemaRegistry } from './schema-registry.ts';

/** Old records stay readable, and older services can read what newer ones write, across all versions: the log keeps them all. */
const compatibility = COMPATIBILITY.FULL_TRANSITIVE;

/** The requests that the client makes itself but does not offer with the plain text that the port gives. */
interface Requests {
  Schema: { find: (params: { id: number }) => Promise<Answer<{ schema: string }>> };
  Subject: {
    compatible: (params: {
      subject: string;
      body: { schema: string };
    }) => Promise<Answer<{ is_compatible: boolean }>>;
  };
}

interface Answer<T> {
  data: () => T;
}

/**
 * A registry with Confluent's API at `url` (a path belongs to it, as in Apicurio's /apis/ccompat/v7; user and password may be in it).
 * The subjects that it makes are kept FULL_TRANSITIVE. Every call may throw SchemaRegistryError `registry-unavailable`.
 */
export function connectSchemaRegistry(url: string): SchemaRegistry {
  const { host, auth } = parseUrl(url);
  const client = new Client({ host, clientId: 'logloom', ...(auth === undefined ? {} : { auth }) });
  const { api } = client as unknown as { api: Requests };
  /** A schema never changes under its id. */
  const texts = new Map<number, string>();

  return {
    register: async (subject, schema) => {
      try {
        const text = normalise(schema);
        const { id } = await client.register(
          { type: SchemaType.AVRO, schema: text },
          { subject, compatibility },
        );
        return id;
      } catch (error) {
        if (statusOf(error) !== 409) throw unavailable(error);
        throw new SchemaRegistryError('incompatible-schema', `${subject}: ${(error as Error).message}`, {
          cause: error,
        });
      }
    },

    schemaById: async (id) => {
      const known = texts.get(id);
      if (known !== undefined) return known;
      try {
        const { schema } = (await api.Schema.find({ id })).data();
        texts.set(id, schema);
        return schema;
      } catch (error) {
        if (statusOf(error) !== 404) throw unavailable(error);
        throw new SchemaRegistryError('unknown-schema-id', `no schema has the id ${id}`, { cause: error });
      }
    },

    compatible: async (subject, schema) => {
      try {
        const answer = await api.Subject.compatible({ subject, body: { schema: normalise(schema) } });
        return answer.data().is_compatible;
      } catch (error) {
        if (statusOf(error) !== 404) throw unavailable(error);
        return true;
      }
    },

    close: async () => {},
  };
}

function parseUrl(url: string): { host: string; auth: { username: string; password: string } | undefined } {
  const parsed = new URL(url);
  const [username, password] = [parsed.username, parsed.password].map(decodeURIComponent) as [string, string];
  parsed.username = parsed.password = '';
  return {
    host: parsed.href.replace(/\/$/, ''),
    auth: username === '' ? undefined : { username, password },
  };
}

/** The HTTP status of the client's error; undefined when there was no answer, for which the client says 400. */
function statusOf(error: unknown): number | undefined {
  const { status } = error as { status?: number };
  return status === 400 ? undefined : status;
}

/** An answer that names a fault of the request comes through as it is. */
function unavailable(error: unknown): unknown {
  const status = statusOf(error);
  if (status !== undefined && status < 500 && status !== 408 && status !== 429) return error;
  return new SchemaRegistryError(
    'registry-unavailable',
    `the schema registry gives no answer: ${(error as Error).message}`,
    { cause: error },
  );
}

/**
 * The same schema in one layout. Apicurio 3.0 answers 422 to any schema that has the text "{}", a default of ours; the same string
 * escaped is the same JSON.
 */
function normalise(schema: string): string {
  return JSON.stringify(JSON.parse(schema)).replaceAll('"{}"', String.raw`"\u007b\u007d"`);
}
