import { RejectedError, type Rejection } from '../../errors.ts';
import { maxDepth } from '../../event/json-text.ts';

/** An AnyValue in JSON: an integer beyond 2^53 is a string of its digits, bytes are base64, NaN and Infinity their names. */
export type AnyValue = string | number | boolean | null | AnyValue[] | { [name: string]: AnyValue };
export type Attributes = Record<string, AnyValue>;

/** A LogRecord of OTLP, from either encoding. Missing fields have protobuf's defaults. */
export interface OtlpRecord {
  /** Since 1970; 0 for unknown. */
  timeNanos: bigint;
  observedTimeNanos: bigint;
  severityNumber: number;
  severityText: string;
  body: AnyValue | undefined;
  attributes: Attributes;
  droppedAttributesCount: number;
  flags: number;
  /** Hexadecimal; some write base64. */
  traceId: string;
  spanId: string;
  eventName: string;
}

/** What a resource and a scope have in common. */
export interface OtlpShared {
  attributes: Attributes;
  droppedAttributesCount: number;
  /** Set when no record that shares it can be an event. */
  refused?: Rejection;
}

/** The resource and scope that records share; the attributes are those of the resource. */
export interface OtlpSender extends OtlpShared {
  schemaUrl: string;
  scope: OtlpShared & { name: string; version: string; schemaUrl: string };
}

/** The records of one scope of one resource, still encoded: each is read on its own, so that a broken one costs only itself. */
export interface OtlpScopeLogs<Encoded> {
  sender: OtlpSender;
  records: Encoded[];
  /** See EventGroup. */
  part: (record: Encoded) => Buffer;
  deadLetter: (parts: Buffer) => Buffer;
}

/** Returns what `read` returns. Attributes nested too deep reject only the records that share them, not the rest of the request. */
export function readShared(read: () => OtlpShared): OtlpShared {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RejectedError) || error.code !== 'too-deep') throw error;
    return { attributes: noAttributes(), droppedAttributesCount: 0, refused: error.rejection };
  }
}

/** How deep the value of an attribute may be nested: it is a part of the event's attributes. */
export const maxValueDepth = maxDepth - 1;

/** Adds a pair to an object. The specification forbids a name to occur twice; where one does, all its values are kept. */
export function addAttribute(attributes: Attributes, name: string, value: AnyValue): void {
  if (!(name in attributes)) attributes[name] = value;
  else {
    const earlier = attributes[name]!;
    // Not copied: a name may occur a hundred thousand times.
    if (Array.isArray(earlier)) earlier.push(value);
    else attributes[name] = [earlier, value];
  }
}

/** Returns an object without a prototype, so that any string can be a name in it. */
export function noAttributes(): Attributes {
  return Object.create(null) as Attributes;
}

/** Returns a double as a JSON number, or by its name where JSON has none. */
export function double(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
