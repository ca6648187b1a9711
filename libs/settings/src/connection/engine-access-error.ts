import { CodedError, declareErrors, type CodeOf } from '@logloom/errors';

/** Why an engine refuses this client. */
export const engineAccessErrors = declareErrors({
  'engine-access-denied': {
    retriable: false,
    message: 'an engine refuses this client',
    where: 'start, log, `problems` of `/health/ready`',
    cause:
      'Kafka, the schema registry, Elasticsearch, MongoDB or Redis refused the credentials or the certificate, granted too few permissions, has a certificate that is not trusted or is for another name, or one side speaks TLS and the other does not. At the start it ends the process with exit code 2; a running service retries, and `/health/ready` returns 503 until it is let in again.',
    action:
      'Fix the setting that the message names; docs/engines.md has the settings and the permissions of each engine. A changed file of a running service is read again by itself.',
  },
});

/** The message names the engine and the setting, and never the secret. */
export class EngineAccessError extends CodedError<CodeOf<typeof engineAccessErrors>> {
  constructor(message: string, options?: ErrorOptions) {
    super(engineAccessErrors, 'engine-access-denied', message, options);
  }
}
