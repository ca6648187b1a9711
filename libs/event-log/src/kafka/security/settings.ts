import {
  choiceSetting,
  customSetting,
  flagSetting,
  InvalidValue,
  textSetting,
  urlSetting,
} from '@logloom/settings';
import {
  fileSetting,
  givenTls,
  tlsProblems,
  tlsSettings,
  tlsValues,
  type FileValue,
} from '@logloom/settings/connection';
import { saslMechanisms, type KafkaSecurityOptions, type SaslMechanism } from './options.ts';

const oauth = 'KAFKA_SASL_OAUTHBEARER';

/** How Logloom connects to Kafka, and who it is there. */
export const kafkaSecuritySettings = {
  KAFKA_SSL: flagSetting(false, 'whether the brokers are spoken to in TLS (docs/engines.md)'),
  ...tlsSettings('KAFKA_SSL', 'Kafka'),
  KAFKA_SASL_MECHANISM: choiceSetting(['none', ...saslMechanisms], 'none', 'how Logloom logs in to Kafka'),
  KAFKA_SASL_USERNAME: fileSetting('KAFKA_SASL_USERNAME', { description: 'user for plain and SCRAM' }),
  KAFKA_SASL_PASSWORD: fileSetting('KAFKA_SASL_PASSWORD', { description: 'password for plain and SCRAM' }),
  KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL: urlSetting(
    ['http:', 'https:'],
    'where oauthbearer gets its tokens, by the client-credentials flow',
  ),
  KAFKA_SASL_OAUTHBEARER_CLIENT_ID: fileSetting(`${oauth}_CLIENT_ID`, {
    description: 'client id for oauthbearer',
  }),
  KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET: fileSetting(`${oauth}_CLIENT_SECRET`, {
    description: 'client secret for oauthbearer',
  }),
  KAFKA_SASL_OAUTHBEARER_SCOPE: textSetting({ description: 'scope of the tokens for oauthbearer' }),
  KAFKA_SASL_OAUTHBEARER_EXTENSIONS: customSetting({
    bounds: 'name=value, comma-separated',
    read: readExtensions,
    description: 'what the broker gets beside the token, such as logicalCluster=lkc-1,identityPoolId=pool-1',
  }),
};

type Values = {
  KAFKA_SSL: boolean;
  KAFKA_SSL_CA: FileValue | undefined;
  KAFKA_SSL_CERT: FileValue | undefined;
  KAFKA_SSL_KEY: FileValue | undefined;
  KAFKA_SSL_KEY_PASSPHRASE: FileValue | undefined;
  KAFKA_SASL_MECHANISM: SaslMechanism | 'none';
  KAFKA_SASL_USERNAME: FileValue | undefined;
  KAFKA_SASL_PASSWORD: FileValue | undefined;
  KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL: string | undefined;
  KAFKA_SASL_OAUTHBEARER_CLIENT_ID: FileValue | undefined;
  KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET: FileValue | undefined;
  KAFKA_SASL_OAUTHBEARER_SCOPE: string | undefined;
  KAFKA_SASL_OAUTHBEARER_EXTENSIONS: Readonly<Record<string, string>> | undefined;
};

/** What is wrong with the settings taken together. */
export function kafkaSecurityProblems(values: Values): string[] {
  const tls = tlsValues('KAFKA_SSL', values);
  const problems = tlsProblems('KAFKA_SSL', tls);
  const given = givenTls(tls);
  if (given !== undefined && !values.KAFKA_SSL)
    problems.push(`${given} is for TLS: set KAFKA_SSL=true, or leave it out`);
  const { KAFKA_SASL_MECHANISM: mechanism } = values;
  for (const name of wanted[mechanism])
    if (values[name] === undefined) problems.push(`${name}: KAFKA_SASL_MECHANISM=${mechanism} needs it`);
  if (mechanism === 'none' && (values.KAFKA_SASL_USERNAME ?? values.KAFKA_SASL_PASSWORD) !== undefined)
    problems.push(`KAFKA_SASL_MECHANISM: there is a user or a password, and no mechanism`);
  return problems;
}

const login = ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'] as const;
const wanted: Readonly<Record<SaslMechanism | 'none', readonly (keyof Values)[]>> = {
  none: [],
  plain: login,
  'scram-sha-256': login,
  'scram-sha-512': login,
  oauthbearer: [`${oauth}_TOKEN_ENDPOINT_URL`, `${oauth}_CLIENT_ID`, `${oauth}_CLIENT_SECRET`],
};

/** The options of the settings, which kafkaSecurityProblems() has found to be right. */
export function kafkaSecurityOf(values: Values): KafkaSecurityOptions {
  const { KAFKA_SASL_MECHANISM: mechanism } = values;
  return {
    ...(values.KAFKA_SSL && { tls: tlsValues('KAFKA_SSL', values) }),
    ...(mechanism !== 'none' && {
      sasl: {
        mechanism,
        username: values.KAFKA_SASL_USERNAME,
        password: values.KAFKA_SASL_PASSWORD,
        ...(mechanism === 'oauthbearer' && {
          oauth: {
            tokenEndpointUrl: values.KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL!,
            clientId: values.KAFKA_SASL_OAUTHBEARER_CLIENT_ID!,
            clientSecret: values.KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET!,
            scope: values.KAFKA_SASL_OAUTHBEARER_SCOPE,
            extensions: values.KAFKA_SASL_OAUTHBEARER_EXTENSIONS,
          },
        }),
      },
    }),
  };
}

function readExtensions(text: string): Record<string, string> {
  const pairs = text.split(',').map((pair) => pair.trim().split('='));
  // RFC 7628, section 3.1: the names are letters, and "auth" is the token's own.
  if (!pairs.every(([name = '', value]) => /^[A-Za-z]+$/.test(name) && name !== 'auth' && value))
    throw new InvalidValue('must be name=value, comma-separated');
  return Object.fromEntries(pairs.map(([name, ...value]) => [name!, value.join('=')]));
}
