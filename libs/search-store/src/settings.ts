import { choiceSetting, declareSettings, urlSetting } from '@logloom/settings';

export const searchStoreSettings = declareSettings(
  { owner: 'libs/search-store' },
  {
    ELASTICSEARCH_URL: urlSetting(['http:', 'https:'], 'Elasticsearch; unset: the embedded search store'),
    ELASTICSEARCH_INDEX_MODE: choiceSetting(
      ['standard', 'logsdb'],
      'standard',
      'how new indices are stored; logsdb needs half the disk space, and twice the time to write',
    ),
  },
);
