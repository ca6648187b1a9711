import { declareSettings, numberSetting } from '@logloom/settings';

/** The limits on the filters of viewers and searches. */
export const filterSettings = declareSettings(
  { owner: 'libs/filter' },
  {
    LIVE_FILTER_TERMS: numberSetting({
      unit: 'conditions',
      max: 64,
      default: 64,
      description: "conditions in a viewer's filter",
    }),
    LIVE_FILTER_DEPTH: numberSetting({
      unit: 'levels',
      max: 32,
      default: 32,
      description: "nesting of a viewer's filter",
    }),
    LIVE_FILTER_WILDCARDS: numberSetting({
      unit: 'wildcards',
      min: 0,
      max: 4096,
      default: 64,
      description: "wildcards in a viewer's filter",
    }),
  },
);
