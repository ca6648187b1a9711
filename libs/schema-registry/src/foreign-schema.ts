import avro from 'avsc';

/** Integers that a number cannot hold exactly become their digits, as text. */
const long = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => asNumber(bytes.readBigInt64LE()),
  toBuffer: () => unwritten(),
  fromJSON: (value: unknown) => value,
  toJSON: (value: unknown) => value,
  isValid: () => true,
  compare: () => 0,
});

function asNumber(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function unwritten(): never {
  throw new Error('foreign schemas are only read');
}

const maxDepth = 100;

/** Reads records of a schema that is not one of Logloom's contracts. Throws avsc's error if the text is not a schema. */
export function createForeignReader(text: string): (body: Buffer) => Record<string, unknown> | undefined {
  const type = avro.Type.forSchema(JSON.parse(text) as avro.Schema, {
    registry: { long },
    wrapUnions: false,
  });
  if (type.typeName !== 'record') return () => undefined;
  return (body) => plain(type.fromBuffer(body), 0) as Record<string, unknown>;
}

/** avsc's decoded values have special prototypes; an event is plain data. Bytes become base64. */
function plain(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > maxDepth) return null;
  if (Buffer.isBuffer(value)) return value.toString('base64');
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1));
  const object: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value))
    Object.defineProperty(object, name, {
      value: plain(member, depth + 1),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  return object;
}
