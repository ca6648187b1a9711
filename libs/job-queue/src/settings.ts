import { declareSettings, urlSetting } from '@logloom/settings';

export const jobQueueSettings = declareSettings(
  { owner: 'libs/job-queue' },
  { REDIS_URL: urlSetting(['redis:', 'rediss:'], 'Redis for jobs; unset: the embedded queue') },
);
