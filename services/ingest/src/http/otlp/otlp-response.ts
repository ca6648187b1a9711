import protobuf from 'protobufjs/minimal.js';
import type { EventGroupsReceipt } from '../accept-event-groups.ts';
import type { IngestError } from '../../errors.ts';
import { tagOf } from '../protobuf-reader.ts';

export const protobufType = 'application/x-protobuf';
export const jsonType = 'application/json';
export type OtlpType = typeof protobufType | typeof jsonType;

// google.rpc.Code
const invalidArgument = 3;
const resourceExhausted = 8;
const internal = 13;
const permissionDenied = 7;
const unavailable = 14;
const unauthenticated = 16;

/** The signals that are taken; their responses differ in the name of the count in JSON only. */
export type Signal = 'logs' | 'traces';

/** Returns an ExportLogsServiceResponse or ExportTraceServiceResponse. It has a `partialSuccess` only when records were rejected, as the specification requires. */
export function writeOtlpResponse(
  { rejected, reason }: EventGroupsReceipt,
  type: OtlpType,
  signal: Signal,
): Buffer {
  if (type === jsonType) {
    const count = signal === 'logs' ? 'rejectedLogRecords' : 'rejectedSpans';
    const partialSuccess = { [count]: String(rejected), errorMessage: reason };
    return Buffer.from(rejected === 0 ? '{}' : JSON.stringify({ partialSuccess }));
  }
  if (rejected === 0) return Buffer.alloc(0);
  const writer = protobuf.Writer.create();
  writer.uint32(tagOf(1)).fork().uint32(8).int64(rejected).uint32(tagOf(2)).string(reason).ldelim();
  return Buffer.from(writer.finish());
}

/** Returns a google.rpc.Status whose message begins with our error code. */
export function writeOtlpError({ code, status, message }: IngestError, type: OtlpType): Buffer {
  const status_ = { code: rpcCode(status), message: `${code}: ${message}` };
  if (type === jsonType) return Buffer.from(JSON.stringify(status_));
  const writer = protobuf.Writer.create();
  writer.uint32(8).int32(status_.code).uint32(tagOf(2)).string(status_.message);
  return Buffer.from(writer.finish());
}

/** Returns the google.rpc.Code of a status of HTTP. */
export function rpcCode(status: number): number {
  if (status === 401) return unauthenticated;
  if (status === 403) return permissionDenied;
  if (status === 429) return resourceExhausted;
  if (status === 503) return unavailable;
  return status < 500 ? invalidArgument : internal;
}
