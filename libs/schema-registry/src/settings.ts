import { declareSettings, urlSetting } from '@logloom/settings';

export const schemaRegistrySettings = declareSettings(
  { owner: 'libs/schema-registry' },
  {
    SCHEMA_REGISTRY_URL: urlSetting(
      ['http:', 'https:'],
      'Confluent-compatible schema registry; unset: the built-in schemas',
    ),
  },
);
