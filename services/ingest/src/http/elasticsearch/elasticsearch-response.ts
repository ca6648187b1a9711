import { statusOf } from '@logloom/errors';
import type { FastifyReply } from 'fastify';
import { errors, type ErrorCode, type IngestError, type Rejection } from '../../errors.ts';
import type { BulkMeta } from './bulk-body.ts';

/** Sends JSON in the media type that the client asks for: Elasticsearch's own with the version that it is compatible with, or JSON's. */
export function sendElasticsearch(reply: FastifyReply, json: string): FastifyReply {
  const version = /application\/vnd\.elasticsearch\+json; *compatible-with=(\d+)/.exec(
    reply.request.headers.accept ?? '',
  )?.[1];
  const type =
    version === undefined
      ? 'application/json'
      : `application/vnd.elasticsearch+json;compatible-with=${version}`;
  // fastify would add a charset to a string.
  return reply.header('content-type', type).send(Buffer.from(json));
}

/** Sends the error of a request that failed as a whole, worded as Elasticsearch words it. */
export function sendElasticsearchError(
  { code, status, message }: IngestError,
  reply: FastifyReply,
): FastifyReply {
  const error = { type: typeOf(status), reason: `${code}: ${message}` };
  return sendElasticsearch(reply, JSON.stringify({ error: { root_cause: [error], ...error }, status }));
}

function typeOf(status: number): string {
  switch (status) {
    case 401:
    case 403:
      return 'security_exception';
    case 404:
      return 'resource_not_found_exception';
    case 413:
      return 'content_too_long_exception';
    case 415:
      return 'media_type_header_exception';
    case 429:
      return 'es_rejected_execution_exception';
    case 503:
      return 'process_cluster_event_timeout_exception';
    default:
      return status < 500 ? 'illegal_argument_exception' : 'exception';
  }
}

/** Elasticsearch's names. Its clients send a document again for the last one. */
const errorTypes: Partial<Record<ErrorCode, string>> = {
  'unsupported-action': 'action_request_validation_exception',
  'quota-exceeded': 'es_rejected_execution_exception',
};

/** Returns the response to an item that is durable. A document without an id gets that of its event, as GET /api/events/{id} knows it. */
export function createdItem(meta: BulkMeta, eventId: string): string {
  return (
    `{"${meta.action}":{${placeOf(meta, eventId)},"_version":1,"result":"created",` +
    `"_shards":{"total":1,"successful":1,"failed":0},"_seq_no":0,"_primary_term":1,"status":201}}`
  );
}

/** Returns what Elasticsearch responds to an update that changes nothing. Only the request that stored the event knows its id. */
export function duplicateItem(meta: BulkMeta): string {
  return `{"${meta.action}":{${placeOf(meta)},"_version":1,"result":"noop","status":200}}`;
}

/** Returns the response to an item that was refused. */
export function refusedItem(meta: BulkMeta, { code, message }: Rejection): string {
  const status = statusOf(errors[code]);
  const type = errorTypes[code] ?? 'document_parsing_exception';
  const reason = JSON.stringify(`${code}: ${message}`);
  const error = `"error":{"type":"${type}","reason":${reason}}`;
  return `{"${meta.action}":{${placeOf(meta)},"status":${status},${error}}}`;
}

function placeOf({ index, id }: BulkMeta, eventId?: string): string {
  const known = id ?? eventId;
  return `"_index":${JSON.stringify(index ?? '')},"_id":${known === undefined ? 'null' : JSON.stringify(known)}`;
}
