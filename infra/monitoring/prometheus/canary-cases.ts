import type { AlertCase } from './alert-case.ts';

const labels = 'receiver="json",path="searchable"';

/** Every age within its objective but that on one path. */
function ages(path: string, le: string, within: string): Record<string, string> {
  return {
    [`logloom_canary_age_seconds_bucket{receiver="json",path="${path}",le="${le}"}`]: within,
    [`logloom_canary_age_seconds_count{receiver="json",path="${path}"}`]: '0+12x100',
  };
}

const budgets: AlertCase[] = (['page', 'ticket'] as const).flatMap((severity) => [
  {
    alert: 'LogloomCanaryLossBudget',
    severity,
    fires: [
      '40m',
      {
        [`logloom_canary_expected_events_total{${labels}}`]: '0+12x100',
        [`logloom_canary_lost_events_total{${labels}}`]: '0+2x100',
        // The other paths are well.
        'logloom_canary_expected_events_total{receiver="json",path="sent"}': '0+12x100',
        'logloom_canary_lost_events_total{receiver="json",path="sent"}': '0x100',
      },
    ],
    doesNotFire: [
      '40m',
      {
        [`logloom_canary_expected_events_total{${labels}}`]: '0+12x100',
        // Lost while the canary started, and none since.
        [`logloom_canary_lost_events_total{${labels}}`]: '2x100',
      },
    ],
  },
  {
    alert: 'LogloomCanaryAgeBudget',
    severity,
    fires: ['40m', { ...ages('searchable', '5', '0+12x100'), ...ages('sent', '2.5', '0+6x100') }],
    doesNotFire: [
      '40m',
      {
        ...ages('searchable', '5', '0+12x100'),
        ...ages('sent', '2.5', '0+12x100'),
        ...ages('correlated', '15', '0+12x100'),
        // Its session is open for five seconds, so nothing is in a document sooner.
        'logloom_canary_age_seconds_bucket{receiver="json",path="correlated",le="2.5"}': '0x100',
      },
    ],
  },
]);

/** The alerts of the canary: rules/canary.yaml. */
export const canaryCases: readonly AlertCase[] = [
  ...budgets,
  {
    alert: 'LogloomCanarySilent',
    severity: 'page',
    // Evaluation begins at 1970: the last success stays at 60 s.
    fires: ['20m', { [`logloom_canary_last_success_timestamp_seconds{${labels}}`]: '60x30' }],
    doesNotFire: ['20m', { [`logloom_canary_last_success_timestamp_seconds{${labels}}`]: '0+60x30' }],
  },
  {
    alert: 'LogloomCanaryRefused',
    severity: 'page',
    fires: [
      '30m',
      {
        'logloom_canary_sent_events_total{receiver="json"}': '0+12x40',
        'logloom_canary_refused_events_total{receiver="json",reason="503"}': '0+4x40',
      },
    ],
    doesNotFire: [
      '30m',
      {
        'logloom_canary_sent_events_total{receiver="json"}': '0+12x40',
        'logloom_canary_refused_events_total{receiver="json",reason="503"}': '0 4x40',
      },
    ],
  },
  {
    alert: 'LogloomCanaryDuplicates',
    severity: 'ticket',
    fires: ['10m', { [`logloom_canary_duplicated_events_total{${labels}}`]: '0x5 1x20' }],
    doesNotFire: ['30m', { [`logloom_canary_duplicated_events_total{${labels}}`]: '0x5 1x40' }],
  },
  {
    alert: 'LogloomCanaryDisorder',
    severity: 'ticket',
    fires: ['10m', { [`logloom_canary_disordered_events_total{${labels}}`]: '0x5 1x20' }],
    doesNotFire: ['30m', { [`logloom_canary_disordered_events_total{${labels}}`]: '0x5 1x40' }],
  },
];
