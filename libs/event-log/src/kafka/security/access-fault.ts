import { EventLogError } from '../../event-log.ts';
import { chain, EngineAccessError, tlsFault } from '@logloom/settings/connection';
import { tokenRefused } from './oauth-tokens.ts';

/** The code of the error for bytes of TLS where plain text was expected. */
export const speaksTls = 'ERR_KAFKA_SPEAKS_TLS';

/** The code of the error for plain text where TLS was expected. */
export const speaksNoTls = 'ERR_KAFKA_SPEAKS_NO_TLS';

const login = 'KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD';
const byType: Readonly<Record<string, string>> = {
  SASL_AUTHENTICATION_FAILED: `it refuses the credentials: ${login}`,
  UNSUPPORTED_SASL_MECHANISM: 'it does not take this SASL mechanism: KAFKA_SASL_MECHANISM',
  SASL_WANTED: 'it wants a login by SASL on this port: KAFKA_SASL_MECHANISM',
  ILLEGAL_SASL_STATE: 'it wants no SASL on this port, but KAFKA_SASL_MECHANISM is set',
  TOPIC_AUTHORIZATION_FAILED: 'the user lacks a permission on the topic: KAFKA_SASL_USERNAME',
  GROUP_AUTHORIZATION_FAILED: 'the user lacks a permission on the consumer group: KAFKA_SASL_USERNAME',
  CLUSTER_AUTHORIZATION_FAILED: 'the user lacks a permission on the cluster: KAFKA_SASL_USERNAME',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    'the user lacks a permission on the transaction: KAFKA_SASL_USERNAME',
};

/** Why a broker does not take this client, with the setting; undefined where something else is wrong. Reads on after "Kafka: ". */
export function accessFault(error: unknown): string | undefined {
  const tls = tlsFault(error, { prefix: 'KAFKA_SSL', address: 'KAFKA_BROKERS', on: 'KAFKA_SSL=true' });
  if (tls !== undefined) return tls;
  for (const at of chain(error)) {
    const { name, message, code, type, topic } = at as {
      name: string;
      message: string;
      code?: unknown;
      type?: unknown;
      topic?: unknown;
    };
    if (code === speaksTls) return 'it speaks TLS on this port: KAFKA_SSL=true';
    if (code === speaksNoTls) return 'it speaks no TLS on this port, but KAFKA_SSL=true';
    if (code === tokenRefused) return message;
    const known = typeof type === 'string' ? byType[type] : undefined;
    if (known !== undefined)
      return typeof topic === 'string' ? known.replace('the topic', `the topic ${topic}`) : known;
    if (name === 'KafkaJSSASLAuthenticationError') return saslFault(message);
  }
  return undefined;
}

/** Whether the brokers have let this client in, and refuse an operation. */
export function isPermission(error: unknown): boolean {
  return [...chain(error)].some((at) =>
    /_AUTHORIZATION_FAILED$/.test(String((at as { type?: unknown }).type)),
  );
}

/** An error of the start as EngineAccessError where a broker does not take this client; any other one as it is. */
export function asAccessError(error: unknown): unknown {
  const fault = error instanceof EventLogError ? undefined : accessFault(error);
  return fault === undefined ? error : new EngineAccessError(`Kafka: ${fault}`, { cause: error });
}

function saslFault(message: string): string {
  if (message.includes('mechanism is not supported')) return byType['UNSUPPORTED_SASL_MECHANISM']!;
  return message.startsWith('SASL OAUTHBEARER')
    ? 'it refuses the token: KAFKA_SASL_OAUTHBEARER_CLIENT_ID, KAFKA_SASL_OAUTHBEARER_SCOPE'
    : byType['SASL_AUTHENTICATION_FAILED']!;
}
