import { RejectedError, type Rejection } from '../../errors.ts';
import { maxDepth } from '../../event/json-text.ts';

/** An AnyValue as JSON knows it: an integer beyond 2^53 is its digits as text, bytes are base64, NaN and Infinity their names. */
export type AnyValue = string | number | boolean | null | AnyValue[] | { [name: string]: AnyValue };
export type Attributes = Record<string, AnyValue>;

/** A LogRecord of OTLP, from either encoding; what it does not hold has protobuf's default. */
export interface OtlpRecord {
  /** Nanoseconds since 1970; 0 for unknown. */
  time: bigint;
  observedTime: bigint;
  severityNumber: number;
  severityText: string;
  body: AnyValue | undefined;
  attributes: Attributes;
  droppedAttributesCount: number;
  flags: number;
  /** Hexadecimal, in lower case. */
  traceId: string;
  spanId: string;
  eventName: string;
}

/** What a resource and a scope have alike. */
export interface OtlpShared {
  attributes: Attributes;
  droppedAttributesCount: number;
  /** Why no record that shares it can be an event. */
  refused?: Rejection;
}

/** What stands once for many records; its attributes are those of the resource. */
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

/** What `read` gives. What is nested too deep refuses the records that share it, and no others of the request. */
export function readShared(read: () => OtlpShared): OtlpShared {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RejectedError) || error.rejection.code !== 'too-deep') throw error;
    return { attributes: noAttributes(), droppedAttributesCount: 0, refused: error.rejection };
  }
}

/** How deep the values of an attribute may be nested: they stand in the event's attributes. */
export const maxValueDepth = maxDepth - 1;

/** A list of pairs as an object. The specification forbids a name to stand twice; where one does, all its values are kept. */
export function addAttribute(attributes: Attributes, name: string, value: AnyValue): void {
  if (!(name in attributes)) attributes[name] = value;
  else {
    const earlier = attributes[name]!;
    // Not copied: a name may stand there a hundred thousand times.
    if (Array.isArray(earlier)) earlier.push(value);
    else attributes[name] = [earlier, value];
  }
}

/** An object without a prototype, so that any text can be a name in it. */
export function noAttributes(): Attributes {
  return Object.create(null) as Attributes;
}

/** An int64 as a JSON number, or as its digits where a number would round it. */
export function integer(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

/** A double as JSON knows it. */
export function double(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
