import { declareSettings, urlSetting, type Values } from '@logloom/settings';
import { fileSetting, givenTls, tlsProblems, tlsSettings, tlsValues } from '@logloom/settings/connection';
import type { SchemaRegistryAccess } from './access.ts';

const declared = {
  SCHEMA_REGISTRY_URL: urlSetting(
    ['http:', 'https:'],
    'Confluent-compatible schema registry; unset: the built-in schemas (docs/engines.md)',
  ),
  SCHEMA_REGISTRY_USERNAME: fileSetting('SCHEMA_REGISTRY_USERNAME', {
    description: 'user of the schema registry, instead of the one in SCHEMA_REGISTRY_URL',
  }),
  SCHEMA_REGISTRY_PASSWORD: fileSetting('SCHEMA_REGISTRY_PASSWORD', {
    description: 'password for the schema registry, instead of the one in SCHEMA_REGISTRY_URL',
  }),
  SCHEMA_REGISTRY_TOKEN: fileSetting('SCHEMA_REGISTRY_TOKEN', {
    description: 'bearer token for the schema registry, instead of a user and password',
  }),
  ...tlsSettings('SCHEMA_REGISTRY_TLS', 'the schema registry'),
};

export const schemaRegistrySettings = declareSettings(
  { owner: 'libs/schema-registry' },
  declared,
  (values) => {
    const tls = tlsValues('SCHEMA_REGISTRY_TLS', values);
    const problems = tlsProblems('SCHEMA_REGISTRY_TLS', tls);
    const given = givenTls(tls);
    if (given !== undefined && values.SCHEMA_REGISTRY_URL?.startsWith('http:') === true)
      problems.push(`${given} is for TLS: write https: in SCHEMA_REGISTRY_URL`);
    const login = values.SCHEMA_REGISTRY_USERNAME ?? values.SCHEMA_REGISTRY_PASSWORD;
    if (login !== undefined && values.SCHEMA_REGISTRY_TOKEN !== undefined)
      problems.push(`SCHEMA_REGISTRY_TOKEN and ${login.setting}: give one of them`);
    return problems;
  },
);

/** The registry as the settings have it, for openSchemaRegistry(). */
export function schemaRegistryOf(values: Values<typeof declared>): {
  url: string | undefined;
  access: SchemaRegistryAccess;
} {
  return {
    url: values.SCHEMA_REGISTRY_URL,
    access: {
      username: values.SCHEMA_REGISTRY_USERNAME,
      password: values.SCHEMA_REGISTRY_PASSWORD,
      token: values.SCHEMA_REGISTRY_TOKEN,
      tls: tlsValues('SCHEMA_REGISTRY_TLS', values),
    },
  };
}
