import avro from 'avsc';
import { SchemaRegistryError } from './schema-registry.ts';

/** Throws SchemaRegistryError `bad-framing` when the bytes from `at` on are not a whole value of the schema. */
export type BodyCheck = (bytes: Buffer, at: number) => void;

/**
 * avsc reads a block of an array or a map without checking that its items can exist: five wrong bytes can announce two billion items, and a
 * negative block size makes it loop forever. So values with such blocks are walked first. Other values need no walk: avsc reads past the
 * end of a scalar only once and reports it. Returns undefined for those.
 */
export function createBodyCheck(writer: avro.Type): BodyCheck | undefined {
  if (!holdsBlocks(writer)) return undefined;
  const walk = createWalk(writer);
  return (bytes, at) => {
    const cursor = new Cursor(bytes, at);
    walk(cursor);
    if (cursor.at !== bytes.length) throw badBody();
  };
}

/** The error for a body that is not what its schema says. */
export function badBody(cause?: unknown): SchemaRegistryError {
  const message = 'the Avro body is damaged, or does not end where the record ends';
  return new SchemaRegistryError('bad-framing', message, { cause });
}

type Walk = (cursor: Cursor) => void;

class Cursor {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  /** Avro's zig-zag varint of at most ten bytes; exact up to 53 bits, which is more than any length in a buffer. */
  long(): number {
    let raw = 0;
    let scale = 1;
    for (let i = 0; i < 10 && this.at < this.bytes.length; i++) {
      const byte = this.bytes[this.at++]!;
      raw += (byte & 0x7f) * scale;
      if (byte < 0x80) return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
      scale *= 128;
    }
    throw badBody();
  }

  skip(length: number): void {
    if (length < 0 || length > this.left) throw badBody();
    this.at += length;
  }
}

function createWalk(type: avro.Type): Walk {
  if (type instanceof avro.types.RecordType) {
    const fields = type.fields.map((field) => createWalk(field.type));
    return (cursor) => {
      for (const walk of fields) walk(cursor);
    };
  }
  if (type instanceof avro.types.ArrayType) return blocks(createWalk(type.itemsType));
  if (type instanceof avro.types.MapType) {
    const value = createWalk(type.valuesType as avro.Type);
    return blocks((cursor) => {
      cursor.skip(cursor.long());
      value(cursor);
    });
  }
  if (type instanceof avro.types.UnwrappedUnionType || type instanceof avro.types.WrappedUnionType) {
    const branches = type.types.map(createWalk);
    return (cursor) => {
      const branch = branches[cursor.long()];
      if (branch === undefined) throw badBody();
      branch(cursor);
    };
  }
  if (type instanceof avro.types.FixedType) return (cursor) => cursor.skip(type.size);
  return scalarWalk(type.typeName);
}

function scalarWalk(typeName: string): Walk {
  switch (typeName) {
    case 'null':
      return () => {};
    case 'boolean':
      return (cursor) => cursor.skip(1);
    case 'float':
      return (cursor) => cursor.skip(4);
    case 'double':
      return (cursor) => cursor.skip(8);
    case 'string':
    case 'bytes':
      return (cursor) => cursor.skip(cursor.long());
    default:
      return (cursor) => void cursor.long();
  }
}

/**
 * The blocks of an array or a map: each has a count and that many items; a count of 0 ends them. A negative count is followed by the
 * block's size.
 */
function blocks(item: Walk): Walk {
  return (cursor) => {
    for (let count = cursor.long(); count !== 0; count = cursor.long()) {
      const size = count < 0 ? cursor.long() : undefined;
      const start = cursor.at;
      // An item takes at least one byte: no contract has empty items.
      if (Math.abs(count) > cursor.left) throw badBody();
      for (let i = Math.abs(count); i > 0; i--) item(cursor);
      if (size !== undefined && cursor.at - start !== size) throw badBody();
    }
  };
}

function holdsBlocks(type: avro.Type): boolean {
  if (type instanceof avro.types.ArrayType || type instanceof avro.types.MapType) return true;
  if (type instanceof avro.types.RecordType) return type.fields.some((field) => holdsBlocks(field.type));
  if (type instanceof avro.types.UnwrappedUnionType || type instanceof avro.types.WrappedUnionType)
    return type.types.some(holdsBlocks);
  return false;
}
