import fc from 'fast-check';

/** An Avro schema as JSON, as far as the contracts go. */
export type AvroSchema = string | AvroSchema[] | AvroObject;

export interface AvroObject {
  type: AvroSchema;
  name?: string;
  doc?: string;
  fields?: AvroField[];
  symbols?: string[];
  items?: AvroSchema;
  values?: AvroSchema;
}

export interface AvroField {
  name: string;
  type: AvroSchema;
  doc?: string;
  default?: unknown;
}

const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
// What avsc stores exactly: below -2^52 it writes another number, above this it refuses.
const long = fc.oneof(int, fc.integer({ min: -(2 ** 52), max: 9_007_199_254_740_990 }));

const primitives: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  null: fc.constant(null),
  boolean: fc.boolean(),
  int,
  long,
  double: fc.double({ noNaN: true }),
  string: fc.string({ unit: 'grapheme' }),
  bytes: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
};

/** Values that a schema can hold, in the form that avsc takes. For tests. */
export function avroArbitrary(schema: AvroSchema): fc.Arbitrary<unknown> {
  if (typeof schema === 'string') {
    const found = primitives[schema];
    if (found === undefined) throw new Error(`no arbitrary for ${schema}`);
    return found;
  }
  if (Array.isArray(schema)) return fc.oneof(...schema.map(avroArbitrary));
  switch (schema.type) {
    case 'record':
      return fc.record(
        Object.fromEntries(schema.fields!.map((field) => [field.name, avroArbitrary(field.type)])),
        { noNullPrototype: true },
      );
    case 'enum':
      return fc.constantFrom(...schema.symbols!);
    case 'array':
      return fc.array(avroArbitrary(schema.items!), { maxLength: 8 });
    case 'map':
      return fc.dictionary(fc.string({ unit: 'grapheme' }), avroArbitrary(schema.values!), {
        maxKeys: 5,
        noNullPrototype: true,
      });
    default:
      return avroArbitrary(schema.type);
  }
}
