import { declareSettings, numberSetting } from '@logloom/settings';

export const columnStoreSettings = declareSettings(
  { owner: 'libs/column-store' },
  {
    STORE_MEMORY_BYTES: numberSetting({
      unit: 'bytes',
      min: 67_108_864,
      default: 134_217_728,
      description:
        'how much memory queries and writes of the embedded stores may take in each thread that has them open: the indexer, the API, and the live tier where it reads the archive; what needs more uses the disk (docs/limits.md)',
    }),
  },
);
