import { COMPATIBILITY, SchemaRegistry as Client } from '@kafkajs/confluent-schema-registry';
import { AccessFaults, EngineAccessError } from '@logloom/settings/connection';
import { setTimeout as sleep } from 'node:timers/promises';
import { SchemaRegistryCredentials, type SchemaRegistryAccess } from './access.ts';
import { SchemaRegistryError, type SchemaRegistry } from './schema-registry.ts';

/** Old records stay readable, and older services can read what newer ones write, across all versions: the log keeps them all. */
const compatibility: string = COMPATIBILITY.FULL_TRANSITIVE;

/** A frozen registry keeps its connections, and the client itself waits forever. In ms. */
const answerLimitMs = 5_000;

const name = 'the schema registry (SCHEMA_REGISTRY_URL)';
const loginSettings = 'SCHEMA_REGISTRY_USERNAME, SCHEMA_REGISTRY_PASSWORD, SCHEMA_REGISTRY_TOKEN';

/** 409 can also mean that another process creates the subject or its rule at this moment: services start side by side. A retry succeeds. */
const conflictAttempts = 4;
const conflictMs = 100;

type Middleware = NonNullable<ConstructorParameters<typeof Client>[0]['middlewares']>[number];

/** Requests that the client makes internally, but does not offer for schemas as plain text. */
interface Requests {
  Schema: { find: (params: { id: number }) => Promise<Answer<{ schema: string }>> };
  Subject: {
    register: (params: { subject: string; body: { schema: string } }) => Promise<Answer<{ id: number }>>;
    config: (params: { subject: string }) => Promise<Answer<{ compatibilityLevel: string }>>;
    updateConfig: (params: { subject: string; body: { compatibility: string } }) => Promise<unknown>;
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
 * Subjects that it creates get the compatibility FULL_TRANSITIVE. Every call may throw SchemaRegistryError `registry-unavailable`;
 * register(), which is called at the start, throws EngineAccessError when the registry refuses this client.
 */
export function connectSchemaRegistry(
  url: string,
  access?: SchemaRegistryAccess,
  onTrouble?: (message: string) => void,
): SchemaRegistry {
  const credentials = new SchemaRegistryCredentials(url, access, onTrouble);
  const { host, agent } = credentials;
  const client = new Client({ host, clientId: 'logloom', agent, middlewares: [authorize(credentials)] });
  const api = inTime((client as unknown as { api: Requests }).api);
  const faults = new AccessFaults();
  /** A schema never changes under its id. */
  const texts = new Map<number, string>();

  return {
    register: async (subject, schema) => {
      const body = { schema: normalize(schema) };
      for (let attempt = 1; ; attempt++) {
        try {
          const { id } = (await api.Subject.register({ subject, body })).data();
          await keepCompatible(api, subject);
          return id;
        } catch (error) {
          if (statusOf(error) !== 409) {
            const fault = refusal(error) ?? (hasNoAnswer(error) && (await credentials.connectionFault()));
            if (fault) throw new EngineAccessError(`${name}: ${fault}`, { cause: error });
            throw unavailable(error);
          }
          if (attempt === conflictAttempts) throw incompatible(subject, error as Error);
          await sleep(conflictMs);
        }
      }
    },

    schemaById: async (id) => {
      const known = texts.get(id);
      if (known !== undefined) return known;
      try {
        const { schema } = (await api.Schema.find({ id })).data();
        texts.set(id, schema);
        faults.taken();
        return schema;
      } catch (error) {
        const fault = refusal(error);
        if (fault !== undefined) faults.refused(fault);
        if (statusOf(error) !== 404) throw unavailable(error);
        throw new SchemaRegistryError('unknown-schema-id', `no schema has the id ${id}`, { cause: error });
      }
    },

    compatible: async (subject, schema) => {
      try {
        const answer = await api.Subject.compatible({ subject, body: { schema: normalize(schema) } });
        return answer.data().is_compatible;
      } catch (error) {
        if (statusOf(error) !== 404) throw unavailable(error);
        return true;
      }
    },

    problem: () => (faults.current === undefined ? undefined : `${name}: ${faults.current}`),
    close: async () => credentials[Symbol.dispose](),
  };
}

/** Puts the newest credentials on every request. */
function authorize(credentials: SchemaRegistryCredentials): Middleware {
  return () => ({
    prepareRequest: async (next) => {
      const request = await next();
      const { authorization } = credentials;
      return authorization === undefined ? request : request.enhance({ headers: { authorization } });
    },
  });
}

/**
 * Sets the subject's level where there is none yet, also when the process that made the subject was killed before it could. An operator's
 * setting is not overridden.
 */
async function keepCompatible({ Subject }: Requests, subject: string): Promise<void> {
  const level = await Subject.config({ subject }).then(
    (answer) => answer.data().compatibilityLevel.toUpperCase(),
    (error: unknown) => {
      if (statusOf(error) === 404) return 'NONE';
      throw error;
    },
  );
  // Apicurio returns its own default, NONE, for a subject without a level.
  if (level === 'NONE') await Subject.updateConfig({ subject, body: { compatibility } });
  else if (level !== compatibility)
    throw incompatible(subject, new Error(`its compatibility is ${level}, not ${compatibility}`));
}

/** The same requests, which reject when they have no answer in time. */
function inTime({ Schema, Subject }: Requests): Requests {
  /** A pending request is shared: each would hold a connection. */
  const finding = new Map<number, Promise<Answer<{ schema: string }>>>();
  const find: Requests['Schema']['find'] = ({ id }) => {
    let found = finding.get(id);
    if (found === undefined) {
      found = Schema.find({ id }).finally(() => finding.delete(id));
      found.catch(() => {});
      finding.set(id, found);
    }
    return found;
  };
  return {
    Schema: { find: limited(find) },
    Subject: {
      register: limited(Subject.register),
      config: limited(Subject.config),
      updateConfig: limited(Subject.updateConfig),
      compatible: limited(Subject.compatible),
    },
  };
}

function limited<P, T>(request: (params: P) => Promise<T>): (params: P) => Promise<T> {
  return async (params) => {
    const timer = new AbortController();
    const late = sleep(answerLimitMs, undefined, { signal: timer.signal }).then(() => {
      throw new SchemaRegistryError('registry-unavailable', `${name} does not answer`);
    });
    late.catch(() => {});
    try {
      return await Promise.race([request(params), late]);
    } finally {
      timer.abort();
    }
  };
}

function incompatible(subject: string, cause: Error): SchemaRegistryError {
  return new SchemaRegistryError('incompatible-schema', `${subject}: ${cause.message}`, { cause });
}

/** The HTTP status of the client's error; undefined if there was no answer, which the client reports as 400. */
function statusOf(error: unknown): number | undefined {
  const { status } = error as { status?: number };
  return status === 400 ? undefined : status;
}

/** Whether the client had no answer at all. */
function hasNoAnswer(error: unknown): boolean {
  return !(error instanceof SchemaRegistryError) && (error as { status?: number }).status === 400;
}

/** Why the registry does not take this client, with the setting; undefined where something else is wrong. */
function refusal(error: unknown): string | undefined {
  const status = statusOf(error);
  if (status === 401)
    return `it refuses the credentials (401): ${loginSettings}, or those in SCHEMA_REGISTRY_URL`;
  if (status === 403)
    return `its user lacks a permission (403): SCHEMA_REGISTRY_USERNAME, SCHEMA_REGISTRY_TOKEN (${(error as Error).message})`;
  return undefined;
}

/** An answer about a fault of the request is returned unchanged. */
function unavailable(error: unknown): unknown {
  if (error instanceof SchemaRegistryError) return error;
  const status = statusOf(error);
  const fault = refusal(error);
  if (fault === undefined && status !== undefined && status < 500 && status !== 408 && status !== 429)
    return error;
  return new SchemaRegistryError(
    'registry-unavailable',
    `${name}${fault === undefined ? ` does not answer: ${(error as Error).message}` : `: ${fault}`}`,
    { cause: error },
  );
}

/**
 * The same schema in one layout. Apicurio 3.0 answers 422 to any schema that contains the text "{}", which is one of our defaults; the
 * escaped string is the same JSON.
 */
function normalize(schema: string): string {
  return JSON.stringify(JSON.parse(schema)).replaceAll('"{}"', String.raw`"\u007b\u007d"`);
}
