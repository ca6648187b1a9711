import type { AlertCase } from './alert-case.ts';
import { canaryCases } from './canary-cases.ts';

export const alertCases: readonly AlertCase[] = [
  {
    alert: 'LogloomDown',
    severity: 'page',
    fires: ['5m', { 'up{job="logloom",instance="a:4380"}': '1 0x10' }],
    doesNotFire: [
      '5m',
      { 'up{job="logloom",instance="a:4380"}': '1x10', 'up{job="node",instance="b"}': '0x10' },
    ],
  },
  {
    alert: 'LogloomAbsent',
    severity: 'page',
    fires: ['10m', { 'up{job="logloom"}': '0x20' }],
    doesNotFire: ['10m', { 'logloom_build_info{service="logloom"}': '1x20' }],
  },
  {
    alert: 'LogloomNotReady',
    severity: 'page',
    fires: ['5m', { 'logloom_ready{service="logloom"}': '1 0x10' }],
    doesNotFire: ['10m', { 'logloom_ready{service="logloom"}': '1 0 1x10' }],
  },
  {
    alert: 'LogloomStoreUnavailable',
    severity: 'page',
    fires: ['10m', { 'logloom_indexer_retries_total{store="search"}': '0+10x20' }],
    doesNotFire: ['20m', { 'logloom_indexer_retries_total{store="search"}': '0 1 1x30' }],
  },
  {
    alert: 'LogloomIngestOverloaded',
    severity: 'ticket',
    fires: ['15m', { 'logloom_ingest_failed_requests_total{code="overloaded",instance="a"}': '0+5x30' }],
    doesNotFire: ['15m', { 'logloom_ingest_failed_requests_total{code="bad-json",instance="a"}': '0+5x30' }],
  },
  {
    alert: 'LogloomIngestQuotaExceeded',
    severity: 'ticket',
    fires: ['25m', { 'logloom_ingest_quota_refused_requests_total{key="shop"}': '0+5x40' }],
    doesNotFire: ['25m', { 'logloom_ingest_quota_refused_requests_total{key="shop"}': '7x40' }],
  },
  {
    alert: 'LogloomIngestRejectsEvents',
    severity: 'ticket',
    fires: [
      '20m',
      {
        'logloom_ingest_rejected_events_total{receiver="http",code="bad-json"}': '0+10x30',
        'logloom_ingest_events_total{receiver="http"}': '0+100x30',
      },
    ],
    doesNotFire: [
      '20m',
      {
        'logloom_ingest_rejected_events_total{receiver="http",code="bad-json"}': '0+1x30',
        'logloom_ingest_events_total{receiver="http"}': '0+1000x30',
      },
    ],
  },
  {
    alert: 'LogloomIngestConnectionsRefused',
    severity: 'ticket',
    fires: ['15m', { 'logloom_ingest_http_refused_connections_total{instance="a"}': '0+5x30' }],
    doesNotFire: ['15m', { 'logloom_ingest_http_refused_connections_total{instance="a"}': '5x30' }],
  },
  {
    alert: 'LogloomIngestConnectionsNearLimit',
    severity: 'ticket',
    fires: [
      '10m',
      {
        'logloom_ingest_http_connections{instance="a"}': '10x20',
        'logloom_ingest_http_max_connections{instance="a"}': '10000x20',
        'logloom_ingest_syslog_connections{instance="a"}': '950x20',
        'logloom_ingest_syslog_max_connections{instance="a"}': '1000x20',
      },
    ],
    doesNotFire: [
      '10m',
      {
        'logloom_ingest_http_connections{instance="a"}': '5000x20',
        'logloom_ingest_http_max_connections{instance="a"}': '10000x20',
        'logloom_ingest_syslog_connections{instance="a"}': '0x20',
        'logloom_ingest_syslog_max_connections{instance="a"}': '1000x20',
      },
    ],
  },
  {
    alert: 'LogloomSyslogDatagramsLost',
    severity: 'ticket',
    fires: ['15m', { 'logloom_ingest_syslog_dropped_datagrams_total{where="kernel"}': '0+5x30' }],
    doesNotFire: ['15m', { 'logloom_ingest_syslog_dropped_datagrams_total{where="quota"}': '0+5x30' }],
  },
  {
    alert: 'LogloomConsumerLag',
    severity: 'page',
    fires: [
      '10m',
      { 'logloom_consumer_lag_seconds{group="indexer",topic="logs.events",partition="0"}': '0+60x20' },
    ],
    doesNotFire: [
      '20m',
      { 'logloom_consumer_lag_seconds{group="indexer",topic="logs.events",partition="0"}': '0 200 0x30' },
    ],
  },
  {
    alert: 'LogloomConsumerLagGrows',
    severity: 'ticket',
    fires: [
      '25m',
      { 'logloom_consumer_lag_seconds{group="indexer",topic="logs.events",partition="0"}': '0+30x40' },
    ],
    doesNotFire: [
      '25m',
      { 'logloom_consumer_lag_seconds{group="indexer",topic="logs.events",partition="0"}': '100x40' },
    ],
  },
  {
    alert: 'LogloomSearchableAge',
    severity: 'ticket',
    fires: [
      '20m',
      {
        'logloom_event_age_seconds_bucket{stage="searchable",le="30"}': '0+1x30',
        'logloom_event_age_seconds_bucket{stage="searchable",le="60"}': '0+100x30',
        'logloom_event_age_seconds_bucket{stage="searchable",le="+Inf"}': '0+100x30',
      },
    ],
    doesNotFire: [
      '20m',
      {
        'logloom_event_age_seconds_bucket{stage="searchable",le="1"}': '0+100x30',
        'logloom_event_age_seconds_bucket{stage="searchable",le="60"}': '0+100x30',
        'logloom_event_age_seconds_bucket{stage="searchable",le="+Inf"}': '0+100x30',
      },
    ],
  },
  {
    alert: 'LogloomCorrelatedAge',
    severity: 'ticket',
    fires: [
      '20m',
      {
        'logloom_event_age_seconds_bucket{stage="correlated",le="30"}': '0+1x30',
        'logloom_event_age_seconds_bucket{stage="correlated",le="60"}': '0+100x30',
        'logloom_event_age_seconds_bucket{stage="correlated",le="+Inf"}': '0+100x30',
      },
    ],
    doesNotFire: [
      '20m',
      {
        'logloom_event_age_seconds_bucket{stage="correlated",le="1"}': '0+100x30',
        'logloom_event_age_seconds_bucket{stage="correlated",le="60"}': '0+100x30',
        'logloom_event_age_seconds_bucket{stage="correlated",le="+Inf"}': '0+100x30',
      },
    ],
  },
  {
    alert: 'LogloomSentAge',
    severity: 'ticket',
    fires: [
      '20m',
      {
        'logloom_event_age_seconds_bucket{stage="sent",le="5"}': '0+1x30',
        'logloom_event_age_seconds_bucket{stage="sent",le="60"}': '0+100x30',
        'logloom_event_age_seconds_bucket{stage="sent",le="+Inf"}': '0+100x30',
      },
    ],
    doesNotFire: [
      '20m',
      {
        'logloom_event_age_seconds_bucket{stage="sent",le="1"}': '0+100x30',
        'logloom_event_age_seconds_bucket{stage="sent",le="60"}': '0+100x30',
        'logloom_event_age_seconds_bucket{stage="sent",le="+Inf"}': '0+100x30',
      },
    ],
  },
  {
    alert: 'LogloomUnreadRecordsOld',
    severity: 'ticket',
    fires: ['20m', { 'logloom_log_oldest_unread_seconds{topic="logs.events"}': '50000x30' }],
    doesNotFire: ['20m', { 'logloom_log_oldest_unread_seconds{topic="logs.events"}': '60x30' }],
  },
  {
    alert: 'LogloomRecordsLost',
    severity: 'page',
    fires: ['5m', { 'logloom_log_gap_records_total{consumer="indexer",topic="logs.events"}': '0 0 0 1x10' }],
    doesNotFire: [
      '25m',
      { 'logloom_log_gap_records_total{consumer="indexer",topic="logs.events"}': '0 0 3x70' },
    ],
  },
  {
    alert: 'LogloomUndecodableRecords',
    severity: 'ticket',
    fires: ['5m', { 'logloom_live_undecodable_total{stream="events"}': '0 0 0 1x10' }],
    doesNotFire: ['25m', { 'logloom_live_undecodable_total{stream="events"}': '0 0 3x70' }],
  },
  {
    alert: 'LogloomIndexerDeadLetters',
    severity: 'ticket',
    fires: ['5m', { 'logloom_indexer_dead_letters_total{reason="refused-by-store"}': '0 0 0 1x10' }],
    doesNotFire: ['25m', { 'logloom_indexer_dead_letters_total{reason="refused-by-store"}': '0 0 3x70' }],
  },
  {
    alert: 'LogloomDamagedFile',
    severity: 'page',
    // Counted by the second process, before it was scraped the first time; no series had known it before.
    fires: [
      '25m',
      {
        'logloom_indexer_damaged_files_total{instance="a",file="catalog.db"}': '_x20 1x20',
        'logloom_start_timestamp_seconds{instance="a"}': '0x20 1200x20',
      },
    ],
    doesNotFire: [
      '45m',
      {
        'logloom_indexer_damaged_files_total{instance="a",file="catalog.db"}': '_x20 1x40',
        'logloom_start_timestamp_seconds{instance="a"}': '0x20 1200x40',
      },
    ],
  },
  {
    alert: 'LogloomViewLost',
    severity: 'ticket',
    // Counted by the second process, before it was scraped the first time; no series had known it before.
    fires: [
      '25m',
      {
        'logloom_indexer_lost_records_total{instance="a",view="search"}': '_x20 1x20',
        'logloom_start_timestamp_seconds{instance="a"}': '0x20 1200x20',
      },
    ],
    doesNotFire: [
      '45m',
      {
        'logloom_indexer_lost_records_total{instance="a",view="search"}': '_x20 1x40',
        'logloom_start_timestamp_seconds{instance="a"}': '0x20 1200x40',
      },
    ],
  },
  {
    alert: 'LogloomJobsFailing',
    severity: 'ticket',
    fires: ['5m', { 'logloom_jobs_total{name="retention",outcome="failed"}': '0 0 0 1x10' }],
    doesNotFire: ['25m', { 'logloom_jobs_total{name="retention",outcome="failed"}': '0 0 3x70' }],
  },
  {
    alert: 'LogloomWebhooksFailing',
    severity: 'ticket',
    fires: ['5m', { 'logloom_webhooks_total{outcome="failed"}': '0 0 0 1x10' }],
    doesNotFire: ['25m', { 'logloom_webhooks_total{outcome="failed"}': '0 0 3x70' }],
  },
  {
    alert: 'LogloomAlertsDropped',
    severity: 'ticket',
    fires: ['5m', { 'logloom_alerts_dropped_total{service="indexer"}': '0 0 0 1x10' }],
    doesNotFire: ['25m', { 'logloom_alerts_dropped_total{service="indexer"}': '0 0 3x70' }],
  },
  {
    alert: 'LogloomNotificationsFailing',
    severity: 'page',
    fires: [
      '12m',
      {
        'logloom_notifications_total{receiver="oncall",outcome="dead"}': '0x20',
        'logloom_notifications_total{receiver="oncall",outcome="failed"}': '0+1x20',
        'logloom_notifications_total{receiver="oncall",outcome="sent"}': '7x20',
      },
    ],
    doesNotFire: [
      '25m',
      {
        'logloom_notifications_total{receiver="oncall",outcome="dead"}': '0 1x40',
        'logloom_notifications_total{receiver="oncall",outcome="failed"}': '0+1x40',
        'logloom_notifications_total{receiver="oncall",outcome="sent"}': '0+1x40',
      },
    ],
  },
  {
    alert: 'LogloomReceiversFileUnusable',
    severity: 'ticket',
    fires: ['5m', { 'logloom_receivers_file_errors_total{service="indexer"}': '0 0 0 1x10' }],
    doesNotFire: ['25m', { 'logloom_receivers_file_errors_total{service="indexer"}': '0 0 3x70' }],
  },
  {
    alert: 'LogloomWorkerRestarts',
    severity: 'ticket',
    fires: ['5m', { 'logloom_live_worker_restarts_total{service="fanout"}': '0 0 0 1x10' }],
    doesNotFire: ['25m', { 'logloom_live_worker_restarts_total{service="fanout"}': '0 0 3x70' }],
  },
  {
    alert: 'LogloomRulesFileUnusable',
    severity: 'ticket',
    fires: ['5m', { 'logloom_correlator_rules_file_errors_total{service="correlator"}': '0 0 0 1x10' }],
    doesNotFire: ['25m', { 'logloom_correlator_rules_file_errors_total{service="correlator"}': '0 0 3x70' }],
  },
  {
    alert: 'LogloomViewIncomplete',
    severity: 'ticket',
    fires: ['10m', { 'logloom_indexer_missing_items{view="search",kind="events"}': '3x20' }],
    doesNotFire: ['10m', { 'logloom_indexer_missing_items{view="search",kind="events"}': '0x20' }],
  },
  {
    alert: 'LogloomClockAhead',
    severity: 'ticket',
    fires: ['15m', { 'logloom_log_clock_ahead_seconds{instance="a"}': '30x20' }],
    doesNotFire: ['15m', { 'logloom_log_clock_ahead_seconds{instance="a"}': '0.2x20' }],
  },
  {
    alert: 'LogloomClockSetBack',
    severity: 'ticket',
    fires: ['5m', { 'logloom_correlator_clock_setbacks_total{service="correlator"}': '0 0 0 1x10' }],
    doesNotFire: ['25m', { 'logloom_correlator_clock_setbacks_total{service="correlator"}': '0 0 3x70' }],
  },
  {
    alert: 'LogloomDiskFull',
    severity: 'page',
    fires: [
      '5m',
      {
        'logloom_disk_free_bytes{service="logloom"}': '10x10',
        'logloom_disk_reserve_bytes{service="logloom"}': '100x10',
      },
    ],
    doesNotFire: [
      '5m',
      {
        'logloom_disk_free_bytes{service="logloom"}': '200x10',
        'logloom_disk_reserve_bytes{service="logloom"}': '100x10',
      },
    ],
  },
  {
    alert: 'LogloomDiskFillsUp',
    severity: 'ticket',
    fires: [
      '240m',
      {
        'logloom_disk_free_bytes{service="logloom"}': '3000-5x300',
        'logloom_disk_reserve_bytes{service="logloom"}': '100x300',
        'logloom_disk_size_bytes{service="logloom"}': '10000x300',
      },
    ],
    doesNotFire: [
      '240m',
      {
        'logloom_disk_free_bytes{service="logloom"}': '3000x300',
        'logloom_disk_reserve_bytes{service="logloom"}': '100x300',
        'logloom_disk_size_bytes{service="logloom"}': '10000x300',
      },
    ],
  },
  {
    alert: 'LogloomMemoryBudgetNearLimit',
    severity: 'ticket',
    fires: [
      '10m',
      {
        'logloom_memory_budget_used_bytes{budget="live"}': '95x20',
        'logloom_memory_budget_bytes{budget="live"}': '100x20',
      },
    ],
    doesNotFire: [
      '10m',
      {
        'logloom_memory_budget_used_bytes{budget="live"}': '50x20',
        'logloom_memory_budget_bytes{budget="live"}': '100x20',
      },
    ],
  },
  {
    alert: 'LogloomMemoryGrows',
    severity: 'ticket',
    fires: ['480m', { 'process_resident_memory_bytes{job="logloom",instance="a"}': '500000000+1500000x500' }],
    doesNotFire: ['480m', { 'process_resident_memory_bytes{job="logloom",instance="a"}': '900000000x500' }],
  },
  {
    alert: 'LogloomCorrelatorShortOfMemory',
    severity: 'ticket',
    fires: ['20m', { 'logloom_correlator_short_of_memory_total{instance="a"}': '0+5x30' }],
    doesNotFire: ['20m', { 'logloom_correlator_short_of_memory_total{instance="a"}': '5x30' }],
  },
  {
    alert: 'LogloomRulesShortOfMemory',
    severity: 'ticket',
    fires: ['20m', { 'logloom_rules_keys_evicted_total{instance="a"}': '0+5x30' }],
    doesNotFire: ['20m', { 'logloom_rules_keys_evicted_total{instance="a"}': '5x30' }],
  },
  {
    alert: 'LogloomEventLoopSlow',
    severity: 'ticket',
    fires: [
      '15m',
      { 'nodejs_eventloop_lag_p99_seconds{job="logloom",instance="a",service="fanout"}': '2x20' },
    ],
    doesNotFire: [
      '15m',
      { 'nodejs_eventloop_lag_p99_seconds{job="logloom",instance="a",service="fanout"}': '0.02x20' },
    ],
  },
  {
    alert: 'LogloomCertificateExpires',
    severity: 'ticket',
    fires: ['15m', { 'logloom_certificate_expiry_timestamp_seconds{setting="KAFKA_SSL_CERT"}': '86400x30' }],
    doesNotFire: [
      '15m',
      { 'logloom_certificate_expiry_timestamp_seconds{setting="KAFKA_SSL_CERT"}': '2592000x30' },
    ],
  },
  {
    alert: 'LogloomViewersNearLimit',
    severity: 'ticket',
    fires: [
      '10m',
      {
        'logloom_live_viewers{instance="a",transport="websocket"}': '60x20',
        'logloom_live_viewers{instance="a",transport="sse"}': '35x20',
        'logloom_live_max_viewers{instance="a"}': '100x20',
      },
    ],
    doesNotFire: [
      '10m',
      {
        'logloom_live_viewers{instance="a",transport="websocket"}': '60x20',
        'logloom_live_max_viewers{instance="a"}': '100x20',
      },
    ],
  },
  {
    alert: 'LogloomViewersRefused',
    severity: 'page',
    fires: ['15m', { 'logloom_live_refusals_total{reason="too-many-viewers"}': '0+5x30' }],
    doesNotFire: ['15m', { 'logloom_live_refusals_total{reason="unauthorized"}': '0+5x30' }],
  },
  {
    alert: 'LogloomViewersMissEvents',
    severity: 'ticket',
    fires: [
      '20m',
      {
        'logloom_live_missed_total{stream="events"}': '0+50x30',
        'logloom_live_deliveries_total{stream="events"}': '0+100x30',
      },
    ],
    doesNotFire: [
      '20m',
      {
        'logloom_live_missed_total{stream="events"}': '0+1x30',
        'logloom_live_deliveries_total{stream="events"}': '0+100x30',
      },
    ],
  },
  {
    alert: 'LogloomApiOverloaded',
    severity: 'ticket',
    fires: ['15m', { 'logloom_api_refused_requests_total{instance="a"}': '0+60x30' }],
    doesNotFire: ['15m', { 'logloom_api_refused_requests_total{instance="a"}': '4x30' }],
  },
  {
    alert: 'LogloomIngestErrorBudget',
    severity: 'page',
    fires: [
      '30m',
      {
        logloom_ingest_request_duration_seconds_count: '0+600x100',
        'logloom_ingest_failed_requests_total{code="disk-full"}': '0+60x100',
      },
    ],
    doesNotFire: [
      '30m',
      {
        logloom_ingest_request_duration_seconds_count: '0+600x100',
        'logloom_ingest_failed_requests_total{code="bad-json"}': '0+60x100',
      },
    ],
  },
  {
    alert: 'LogloomIngestErrorBudget',
    severity: 'ticket',
    fires: [
      '30m',
      {
        logloom_ingest_request_duration_seconds_count: '0+600x100',
        'logloom_ingest_failed_requests_total{code="disk-full"}': '0+60x100',
      },
    ],
    doesNotFire: [
      '30m',
      {
        logloom_ingest_request_duration_seconds_count: '0+600x100',
        'logloom_ingest_failed_requests_total{code="bad-json"}': '0+60x100',
      },
    ],
  },
  {
    alert: 'LogloomApiErrorBudget',
    severity: 'page',
    fires: [
      '30m',
      {
        logloom_api_started_requests_total: '0+600x100',
        logloom_api_refused_requests_total: '0x100',
        'logloom_api_failed_requests_total{code="store-unavailable"}': '0+60x100',
      },
    ],
    doesNotFire: [
      '30m',
      {
        logloom_api_started_requests_total: '0+600x100',
        logloom_api_refused_requests_total: '0x100',
        'logloom_api_failed_requests_total{code="bad-filter"}': '0+60x100',
      },
    ],
  },
  {
    alert: 'LogloomApiErrorBudget',
    severity: 'ticket',
    fires: [
      '30m',
      {
        logloom_api_started_requests_total: '0+600x100',
        logloom_api_refused_requests_total: '0x100',
        'logloom_api_failed_requests_total{code="store-unavailable"}': '0+60x100',
      },
    ],
    doesNotFire: [
      '30m',
      {
        logloom_api_started_requests_total: '0+600x100',
        logloom_api_refused_requests_total: '0x100',
        'logloom_api_failed_requests_total{code="bad-filter"}': '0+60x100',
      },
    ],
  },
  {
    alert: 'LogloomViewerAgeBudget',
    severity: 'page',
    fires: [
      '30m',
      {
        'logloom_event_age_seconds_count{stage="sent"}': '0+600x100',
        'logloom_event_age_seconds_bucket{stage="sent",le="2.5"}': '0+60x100',
      },
    ],
    doesNotFire: [
      '30m',
      {
        'logloom_event_age_seconds_count{stage="sent"}': '0+600x100',
        'logloom_event_age_seconds_bucket{stage="sent",le="2.5"}': '0+600x100',
      },
    ],
  },
  {
    alert: 'LogloomViewerAgeBudget',
    severity: 'ticket',
    fires: [
      '30m',
      {
        'logloom_event_age_seconds_count{stage="sent"}': '0+600x100',
        'logloom_event_age_seconds_bucket{stage="sent",le="2.5"}': '0+60x100',
      },
    ],
    doesNotFire: [
      '30m',
      {
        'logloom_event_age_seconds_count{stage="sent"}': '0+600x100',
        'logloom_event_age_seconds_bucket{stage="sent",le="2.5"}': '0+600x100',
      },
    ],
  },
  ...canaryCases,
];
