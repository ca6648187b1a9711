import { choiceSetting, customSetting, declareSettings, InvalidValue, type Values } from '@logloom/settings';
import { fileSetting, givenTls, tlsProblems, tlsSettings, tlsValues } from '@logloom/settings/connection';
import type { ElasticsearchAccess } from './elasticsearch/access.ts';

const protocols = ['http:', 'https:'];

export const searchStoreSettings = declareSettings(
  { owner: 'libs/search-store' },
  {
    ELASTICSEARCH_URL: customSetting({
      bounds: `URL with ${protocols.join(' or ')}, several comma-separated`,
      secrecy: 'may-hold-one',
      read: (text) => {
        const urls = text.split(',').map((url) => url.trim());
        if (!urls.every((url) => URL.canParse(url) && protocols.includes(new URL(url).protocol)))
          throw new InvalidValue(`is not a URL with ${protocols.join(' or ')}`);
        return text;
      },
      description: 'nodes of Elasticsearch; unset: the embedded search store (docs/engines.md)',
    }),
    ELASTICSEARCH_API_KEY: fileSetting('ELASTICSEARCH_API_KEY', {
      description: 'API key for Elasticsearch, instead of a user and password in ELASTICSEARCH_URL',
    }),
    ...tlsSettings('ELASTICSEARCH_TLS', 'Elasticsearch'),
    ELASTICSEARCH_INDEX_MODE: choiceSetting(
      ['standard', 'logsdb'],
      'standard',
      'how new indices are stored; logsdb needs half the disk space, and twice the time to write',
    ),
  },
  (values) => {
    const tls = tlsValues('ELASTICSEARCH_TLS', values);
    const given = givenTls(tls);
    const isPlain =
      values.ELASTICSEARCH_URL?.split(',').some((url) => url.trim().startsWith('http:')) === true;
    return [
      ...tlsProblems('ELASTICSEARCH_TLS', tls),
      ...(given !== undefined && isPlain ? [`${given} is for TLS: write https: in ELASTICSEARCH_URL`] : []),
    ];
  },
);

/** Elasticsearch as the settings have it, for openSearchStore(). */
export function elasticsearchOf(values: Values<typeof searchStoreSettings.settings>): {
  elasticsearchUrl: string | undefined;
  elasticsearch: ElasticsearchAccess;
} {
  return {
    elasticsearchUrl: values.ELASTICSEARCH_URL,
    elasticsearch: {
      apiKey: values.ELASTICSEARCH_API_KEY,
      tls: tlsValues('ELASTICSEARCH_TLS', values),
    },
  };
}
