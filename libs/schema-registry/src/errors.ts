import { declareErrors } from '@logloom/errors';

/** What can go wrong with schemas and framed records. */
export const schemaRegistryErrors = declareErrors({
  'incompatible-schema': {
    retriable: false,
    message: 'the new schema cannot read what the subject holds',
    where: 'start',
    cause: 'The registry holds a schema under this subject that the new one cannot read.',
    action: 'Deploy versions in order; never edit a released schema (CONTRIBUTING.md, "Change a message").',
  },
  'unknown-schema-id': {
    retriable: false,
    message: 'the registry does not have this schema',
    where: 'log, dead letter as `bad-avro` or `undecodable-record`',
    cause: "A record names a schema that the registry does not have, or that is not one of Logloom's.",
    action: 'Check that all services and producers use one registry, and that its storage was not lost.',
  },
  'bad-framing': {
    retriable: false,
    message: 'the record is not in the wire format of the registry',
    where: 'log, dead letter as `bad-avro` or `undecodable-record`',
    cause: 'A record is not in the wire format: 0, a 4-byte schema id, the Avro body.',
    action: 'Fix the producer.',
  },
  'registry-unavailable': {
    retriable: true,
    message: 'the schema registry cannot be reached',
    where: 'start, log',
    cause: 'The schema registry cannot be reached, or fails.',
    action: 'Retry. Operators: check `SCHEMA_REGISTRY_URL` and the registry.',
  },
});
