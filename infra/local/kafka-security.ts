import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { tokenKeys } from './access-tokens.ts';
import type { StackSecurity } from './stack-security.ts';

/** The listeners of a secured broker. */
export interface SecuredListeners {
  /** SASL_SSL: PLAIN, SCRAM and OAUTHBEARER. */
  sasl: number;
  /** TLS with a client certificate. */
  mtls: number;
  /** Plain text, for the brokers among themselves. */
  internal: number;
}

const modules = 'org.apache.kafka.common.security';

/** The settings of a secured broker's listeners; clients have no permission without an ACL, except the stack's user. */
export function securedProperties(
  security: StackSecurity,
  listeners: SecuredListeners,
  controllerPort: number,
  stores: { key: string; trust: string },
): Record<string, string | number> {
  const { user, password } = security;
  const client = `SASL_SSL://127.0.0.1:${listeners.sasl},MTLS://127.0.0.1:${listeners.mtls},INTERNAL://127.0.0.1:${listeners.internal}`;
  const sasl = 'listener.name.sasl_ssl';
  return {
    listeners: `${client},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': client,
    'listener.security.protocol.map': 'SASL_SSL:SASL_SSL,MTLS:SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'INTERNAL',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': stores.key,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': stores.trust,
    'listener.name.mtls.ssl.client.auth': 'required',
    'ssl.principal.mapping.rules': 'RULE:^CN=([^,]+).*$/$1/',
    [`${sasl}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    [`${sasl}.plain.sasl.jaas.config`]: `${modules}.plain.PlainLoginModule required user_${user}="${password}";`,
    [`${sasl}.scram-sha-256.sasl.jaas.config`]: `${modules}.scram.ScramLoginModule required;`,
    [`${sasl}.scram-sha-512.sasl.jaas.config`]: `${modules}.scram.ScramLoginModule required;`,
    [`${sasl}.oauthbearer.sasl.jaas.config`]: `${modules}.oauthbearer.OAuthBearerLoginModule required;`,
    [`${sasl}.oauthbearer.sasl.server.callback.handler.class`]: `${modules}.oauthbearer.OAuthBearerValidatorCallbackHandler`,
    'sasl.oauthbearer.jwks.endpoint.url': jwksUrl(security),
    'sasl.oauthbearer.expected.audience': 'kafka',
    // A session ends with its token, or after an hour: a client has to log in again before.
    'connections.max.reauth.ms': 3_600_000,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': `User:ANONYMOUS;User:${user}`,
  };
}

/** A server's key and certificate in one file, as Kafka reads them. */
export async function writeKeystore(security: StackSecurity): Promise<{ key: string; trust: string }> {
  const { key, cert } = security.server;
  const file = join(security.dir, 'server-keystore.pem');
  await writeFile(file, `${await readFile(key, 'utf8')}${await readFile(cert, 'utf8')}`, { mode: 0o600 });
  return { key: file, trust: security.ca };
}

/** Where the broker finds the keys of the tokens for OAUTHBEARER; the JVM must be told that it may. */
export function jwksUrl({ dir }: StackSecurity): string {
  return pathToFileURL(tokenKeys(dir)).href;
}

/** What `kafka-storage format` needs so that the user is there from the first start. */
export function scramArguments({ user, password }: StackSecurity): string[] {
  return ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
    '--add-scram',
    `${mechanism}=[name=${user},password=${password}]`,
  ]);
}
