import { declareErrors } from '@logloom/errors';

/** Why an event is rejected. */
export const eventErrors = declareErrors({
  'not-an-object': {
    status: 400,
    retriable: false,
    message: 'an event is a JSON object',
    where: 'rejected line, dead letter',
    cause: 'The JSON value is a text, a number, an array or null.',
    action: 'Send an object.',
  },
  'empty-event': {
    status: 400,
    retriable: false,
    message: 'the object is empty',
    where: 'rejected line, dead letter',
    cause: 'The object has no field.',
    action: 'Leave such lines out.',
  },
  'timestamp-out-of-range': {
    status: 400,
    retriable: false,
    message: 'the time is before 1970',
    where: 'rejected line, dead letter',
    cause:
      'The time of a record in Avro with the schema LogEvent is before 1970. Other formats get the time of receipt.',
    action: "Correct the sender's clock, or check the unit of the number.",
  },
  'bad-field': {
    status: 400,
    retriable: false,
    message: 'a field has the wrong type or is too long',
    where: 'rejected line, dead letter',
    cause:
      'A field of a record in Avro with the schema LogEvent is too long; the message says which. Other formats keep it as an attribute.',
    action: 'Fix the field, or rename it: a field with an unknown name becomes an attribute.',
  },
  'too-deep': {
    status: 400,
    retriable: false,
    message: 'the event is nested deeper than 64 levels',
    where: 'rejected line, dead letter',
    cause: 'The event is nested deeper than 64 levels.',
    action: 'Flatten the event, or serialize the deep part as text.',
  },
  'event-too-large': {
    status: 413,
    retriable: false,
    message: 'the event is larger than INGEST_MAX_EVENT_BYTES',
    where: 'rejected line, dead letter',
    cause: 'The event is larger than `INGEST_MAX_EVENT_BYTES`.',
    action:
      'Send smaller events, or raise the setting together with `max.message.bytes` of the Kafka topics.',
  },
  'invalid-utf8': {
    status: 400,
    retriable: false,
    message: 'the text is not UTF-8',
    where: 'rejected line, dead letter',
    cause: 'The bytes are not UTF-8.',
    action: 'Convert them at the sender.',
  },
  'incomplete-message': {
    status: 400,
    retriable: false,
    message: 'the connection ended in the middle of the message',
    where: 'dead letter',
    cause: 'A syslog connection ended in the middle of a message.',
    action:
      'Nothing, if the sender repeats it on its next connection; otherwise check the sender and the network.',
  },
  'too-many-rejected': {
    status: 400,
    retriable: false,
    message: 'too many events before it in the request were rejected: it was not read',
    where: 'rejected line, dead letter',
    cause: '10,000 earlier events of the request were rejected, so this one was not read.',
    action: 'Fix the sender, and send smaller batches. A redrive reads this event.',
  },
  'many-rejected': {
    status: 400,
    retriable: false,
    message: 'many events of one request were rejected; they share a dead letter',
    where: 'dead letter',
    cause:
      'Too many events of a request were rejected for each to get its own dead letter (together they may have about the size of the request). The rest share this one, whose reason counts the codes. The payload is a sequence of JSON texts (RFC 7464), or a request of OTLP or Loki.',
    action: 'Fix the sender. A redrive reads each event of it.',
  },
  'bad-protobuf': {
    status: 400,
    retriable: false,
    message: 'the bytes are not the expected protobuf message',
    where: "dead letter; HTTP when the request's frame is broken",
    cause: 'A record of OTLP or an entry of Loki is not a valid protobuf message of its type.',
    action: 'Send what the official client libraries write.',
  },
  'bad-msgpack': {
    status: 400,
    retriable: false,
    message: 'the bytes are not MessagePack',
    where: 'dead letter',
    cause:
      'A message or an entry of Fluent Forward is not MessagePack. Nothing behind it on its connection can be read, so the connection is closed.',
    action: 'Check that the sender speaks Fluent Forward, without TLS, and sends to the right port.',
  },
  'wrong-shape': {
    status: 400,
    retriable: false,
    message: 'the JSON does not have the shape that the path expects',
    where: 'dead letter; HTTP when the request as a whole has it',
    cause:
      'The JSON of OTLP, Loki or an action line of `_bulk` lacks a member, or a member has the wrong type; the message says which.',
    action: "Fix the sender; the protocol's own documents say what a request looks like.",
  },
  'unsupported-action': {
    status: 400,
    retriable: false,
    message: 'events are only added: no update, no delete',
    where: 'item of `_bulk`, dead letter; HTTP for a single document',
    cause: 'An `update` or `delete` in `_bulk`.',
    action: 'Use `create` or `index`: events can only be added.',
  },
  'bad-avro': {
    status: 400,
    retriable: false,
    message: 'the record is not a LogEvent in Avro',
    where: 'dead letter',
    cause:
      'A record of `logs.raw` begins with a zero byte but is not Avro framed for a schema registry, or its schema cannot be fetched.',
    action:
      "Check that the producer's registry is `SCHEMA_REGISTRY_URL`, and frame records as Confluent's serializers do.",
  },
  'service-not-allowed': {
    status: 403,
    retriable: false,
    message: 'the key may not send events of this service',
    where: 'rejected line, item of `_bulk`, dead letter',
    cause: 'The key of the request is not allowed to send events of this service.',
    action: "Send with the service's own key, or change the key's `service` in the file `INGEST_KEYS`.",
  },
  'key-unknown': {
    status: 403,
    retriable: false,
    message: 'the key that the event was sent with is no longer known',
    where: 'dead letter',
    cause:
      'A redriven event was sent with a key that is no longer in the file `INGEST_KEYS`, so nothing allows it.',
    action: 'Restore the key under its name, or send the event with another key.',
  },
});
