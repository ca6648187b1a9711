import { contractNames, contractText, parseSchema, type ContractName } from '@logloom/schemas';
import type {
  Acknowledgement,
  Alert,
  Correlation,
  DeadLetter,
  Forward,
  Link,
  LogEvent,
  Rules,
  Silence,
  Source,
  Tick,
  WindowCut,
  WindowSnapshot,
} from '@logloom/schemas';
import type avro from 'avsc';
import { badBody, createBodyCheck, type BodyCheck } from './body-check.ts';
import { subjectOf } from './embedded.ts';
import { createForeignReader } from './foreign-schema.ts';
import { SchemaRegistryError, type SchemaRegistry } from './schema-registry.ts';
import { parseFastSchema } from './text-type.ts';

interface Contracts {
  LogEvent: LogEvent;
  Correlation: Correlation;
  DeadLetter: DeadLetter;
  Tick: Tick;
  Rules: Rules;
  Alert: Alert;
  Link: Link;
  Forward: Forward;
  Silence: Silence;
  Acknowledgement: Acknowledgement;
  WindowCut: WindowCut;
  WindowSnapshot: WindowSnapshot;
}

/** A decoded record: the name of its contract, and its value. */
export type Decoded = { [N in ContractName]: { name: N; value: Contracts[N] } }[ContractName];

const headerBytes = 5;

interface Writer {
  id: number;
  type: avro.Type;
}

interface Reader {
  name: ContractName;
  type: avro.Type;
  resolver: avro.types.RecordType | undefined;
  check: BodyCheck | undefined;
}

/** Turns values into framed Avro and back. Made by createSerde, which registers the schemas. */
export class Serde {
  readonly #registry: SchemaRegistry;
  readonly #writers: ReadonlyMap<ContractName, Writer>;
  readonly #readerTypes: ReadonlyMap<ContractName, avro.Type>;
  readonly #readers = new Map<number, Reader>();
  readonly #sourceReaders = new Map<number, Reader | undefined>();
  readonly #foreign = new Map<number, ReturnType<typeof createForeignReader>>();
  // Values are encoded into a slab and cut from it: one allocation for many records.
  #slab = Buffer.allocUnsafeSlow(1 << 20);
  #used = 0;

  constructor(
    registry: SchemaRegistry,
    writers: ReadonlyMap<ContractName, Writer>,
    readerTypes: ReadonlyMap<ContractName, avro.Type>,
  ) {
    this.#registry = registry;
    this.#writers = writers;
    this.#readerTypes = readerTypes;
  }

  /** The framed value. Throws avsc's error naming the field when the value does not fit the schema. */
  encode<N extends ContractName>(name: N, value: Contracts[N]): Buffer {
    const { id, type } = this.#writers.get(name)!;
    let start = this.#used;
    let end = type.encode(value, this.#slab, start + headerBytes);
    if (end < 0) {
      // It did not fit; the negative result is the number of missing bytes.
      const needed = headerBytes + this.#slab.length - start - end;
      this.#slab = Buffer.allocUnsafeSlow(Math.max(1 << 20, needed));
      start = 0;
      end = type.encode(value, this.#slab, headerBytes);
    }
    this.#slab[start] = 0;
    this.#slab.writeUInt32BE(id, start + 1);
    this.#used = end;
    return this.#slab.subarray(start, end);
  }

  /**
   * Fetches the schemas that these values were written with, so that decode() can work without waiting. A value that can never be decoded
   * is skipped: one bad record must not affect the others, and decode() reports what is wrong with it. Rejects only when the registry is
   * unreachable.
   */
  async load(values: Iterable<Buffer>): Promise<void> {
    const unreadable = new Set<number>();
    for (const value of values) {
      if (!isFramed(value)) continue;
      const id = value.readUInt32BE(1);
      if (this.#readers.has(id) || unreadable.has(id)) continue;
      const reader = await this.#makeReader(id, this.#readerTypes);
      if (reader === undefined) unreadable.add(id);
      else this.#readers.set(id, reader);
    }
  }

  /** The contract of a framed value, without decoding it; undefined if load() found none. */
  nameOf(value: Buffer): ContractName | undefined {
    return isFramed(value) ? this.#readers.get(value.readUInt32BE(1))?.name : undefined;
  }

  /** Decodes one framed value. Throws SchemaRegistryError: `bad-framing`, or `unknown-schema-id` when load() did not find its schema. */
  decode(value: Buffer): Decoded {
    if (!isFramed(value)) throw new SchemaRegistryError('bad-framing', notFramed);
    const id = value.readUInt32BE(1);
    const reader = this.#readers.get(id);
    if (reader === undefined)
      throw new SchemaRegistryError(
        'unknown-schema-id',
        `the schema ${id} is unknown, or not one of Logloom's`,
      );
    return { name: reader.name, value: decodeWith(reader, value) } as Decoded;
  }

  /**
   * The sources of those values that decode() knows as log events, without decoding the rest of them; undefined for all others. Rejects
   * when the registry is unreachable.
   */
  async sources(values: readonly Buffer[]): Promise<(Source | undefined)[]> {
    for (const value of values) {
      if (!isFramed(value)) continue;
      const id = value.readUInt32BE(1);
      if (!this.#sourceReaders.has(id))
        this.#sourceReaders.set(id, await this.#makeReader(id, sourceReaderTypes));
    }
    return values.map((value) => {
      const reader = isFramed(value) ? this.#sourceReaders.get(value.readUInt32BE(1)) : undefined;
      if (reader === undefined) return undefined;
      try {
        return (decodeWith(reader, value) as Pick<LogEvent, 'source'>).source;
      } catch {
        return undefined;
      }
    });
  }

  /**
   * The value as plain data if its schema is a record of somebody else; undefined if it is one of Logloom's, or cannot be fetched. Throws
   * SchemaRegistryError `bad-framing`, and `registry-unavailable`.
   */
  async decodeForeign(value: Buffer): Promise<Record<string, unknown> | undefined> {
    if (!isFramed(value)) throw new SchemaRegistryError('bad-framing', notFramed);
    const id = value.readUInt32BE(1);
    if (this.#readers.has(id)) return undefined;
    let read = this.#foreign.get(id);
    if (read === undefined) {
      read = await this.#foreignReader(id);
      if (read === undefined) return undefined;
      this.#foreign.set(id, read);
    }
    try {
      return read(value.subarray(headerBytes));
    } catch (cause) {
      throw badBody(cause);
    }
  }

  async #foreignReader(id: number): Promise<ReturnType<typeof createForeignReader> | undefined> {
    let text: string;
    try {
      text = await this.#registry.schemaById(id);
    } catch (error) {
      if (error instanceof SchemaRegistryError && !error.retriable) return undefined;
      throw error;
    }
    try {
      return createForeignReader(text);
    } catch {
      return undefined;
    }
  }

  /** Undefined if the schema does not exist, or can never be read by one of these types. */
  async #makeReader(id: number, types: ReadonlyMap<ContractName, avro.Type>): Promise<Reader | undefined> {
    let text: string;
    try {
      text = await this.#registry.schemaById(id);
    } catch (error) {
      if (error instanceof SchemaRegistryError && !error.retriable) return undefined;
      throw error;
    }
    try {
      const writer = parseSchema(text);
      const name = contractNames.find((n) => subjectOf(n) === writer.name);
      const type = name === undefined ? undefined : types.get(name);
      if (name === undefined || type === undefined) return undefined;
      const resolver = type.equals(writer)
        ? undefined
        : (type.createResolver(writer) as avro.types.RecordType);
      return { name, type, check: createBodyCheck(writer), resolver };
    } catch {
      // It is not an Avro schema, or one that readers of the contract cannot read.
      return undefined;
    }
  }
}

/** Reads only the source of a log event. */
const sourceReaderTypes: ReadonlyMap<ContractName, avro.Type> = new Map([['LogEvent', sourceOnly()]]);

function sourceOnly(): avro.Type {
  const schema = JSON.parse(contractText('LogEvent')) as { fields: { name: string }[] };
  return parseFastSchema(
    JSON.stringify({ ...schema, fields: schema.fields.filter(({ name }) => name === 'source') }),
  );
}

function decodeWith({ type, resolver, check }: Reader, value: Buffer): unknown {
  check?.(value, headerBytes);
  let decoded: { value: unknown; offset: number };
  try {
    decoded = type.decode(value, headerBytes, resolver);
  } catch (cause) {
    throw badBody(cause);
  }
  if (decoded.offset !== value.length) throw badBody();
  return decoded.value;
}

const notFramed = 'the record is not in the wire format (0, 4-byte schema id, Avro)';

function isFramed(value: Buffer): boolean {
  return value.length >= headerBytes && value[0] === 0;
}

/**
 * Registers the contracts and returns the serde for them. `projections` replaces a contract's reader schema by a smaller one: the
 * fields that it leaves out are skipped, not decoded.
 */
export async function createSerde(
  registry: SchemaRegistry,
  projections: Partial<Record<ContractName, string>> = {},
): Promise<Serde> {
  const writers = new Map<ContractName, Writer>();
  const readers = new Map<ContractName, avro.Type>();
  for (const name of contractNames) {
    const text = contractText(name);
    writers.set(name, { id: await registry.register(subjectOf(name), text), type: parseFastSchema(text) });
    readers.set(name, parseFastSchema(projections[name] ?? text));
  }
  return new Serde(registry, writers, readers);
}
