import { innerFields } from '../field-names.ts';
import type { EventFormat } from './event-format.ts';

/** The formats of servers, shippers and clouds. */
export const platformFormats: readonly EventFormat[] = [
  {
    name: 'journald, syslog-ng',
    source: 'https://systemd.io/JOURNAL_EXPORT_FORMATS',
    has: [['__REALTIME_TIMESTAMP'], ['MESSAGE', 'PRIORITY'], ['MESSAGE', 'PROGRAM']],
    fields: {
      timestamp: ['__REALTIME_TIMESTAMP', '_SOURCE_REALTIME_TIMESTAMP', 'ISODATE', 'R_ISODATE', 'DATE'],
      level: ['PRIORITY', 'LEVEL', 'SEVERITY'],
      message: ['MESSAGE'],
      service: ['SYSLOG_IDENTIFIER', 'PROGRAM', '_SYSTEMD_UNIT', '_SYSTEMD_USER_UNIT', 'UNIT', '_COMM'],
      host: ['_HOSTNAME', 'HOST', 'HOST_FROM'],
    },
    levels: 'syslog',
  },
  {
    name: 'journald of Fluentd',
    source: 'https://github.com/fluent-plugin-systemd/fluent-plugin-systemd',
    has: [
      ['syslog_identifier', 'priority'],
      ['systemd_unit', 'priority'],
    ],
    fields: {
      timestamp: ['source_realtime_timestamp', 'realtime_timestamp'],
      level: ['priority'],
      service: ['syslog_identifier', 'systemd_unit', 'comm'],
    },
    levels: 'syslog',
  },
  {
    name: 'GELF',
    source: 'https://go2docs.graylog.org/current/getting_in_log_data/gelf.html',
    has: [['short_message']],
    fields: { level: ['_level_name', 'level'], message: ['short_message', 'full_message'] },
    levels: 'syslog',
  },
  {
    name: 'Google Cloud LogEntry',
    source: 'https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry',
    has: [
      ['logName', 'insertId'],
      ['jsonPayload', 'severity'],
      ['textPayload', 'severity'],
      ['logName', 'timestamp', 'resource'],
    ],
    fields: {
      message: ['textPayload', 'protoPayload.status.message', 'protoPayload.methodName'],
      service: [
        'resource.labels.container_name',
        'resource.labels.service_name',
        'resource.labels.function_name',
        'resource.labels.module_id',
        'resource.labels.job_name',
      ],
      host: ['resource.labels.instance_id'],
      traceId: ['trace'],
    },
    lifts: { jsonPayload: { fields: innerFields, leave: true } },
  },
  {
    name: 'Google Cloud agents',
    source: 'https://cloud.google.com/logging/docs/agent/logging/configuration#timestamp-processing',
    has: [['timestampSeconds']],
    make: ({ timestampSeconds, timestampNanos }) => ({
      timestamp: { seconds: timestampSeconds, nanos: timestampNanos },
    }),
  },
  {
    name: 'Datadog',
    source: 'https://docs.datadoghq.com/logs/log_configuration/attributes_naming_convention',
    has: [['ddsource'], ['ddtags']],
    fields: { level: ['status', 'level', 'severity'] },
  },
  {
    name: 'CloudEvents',
    source: 'https://github.com/cloudevents/spec/blob/main/cloudevents/formats/json-format.md',
    has: [['specversion', 'type', 'source']],
    fields: { timestamp: ['time'] },
    lifts: { data: { fields: innerFields, leave: true } },
    make: ({ type, data }) => {
      const hasMessage = typeof data === 'object' && data !== null && ('message' in data || 'msg' in data);
      return hasMessage ? {} : { message: typeof data === 'string' ? data : String(type) };
    },
  },
  {
    name: 'MongoDB',
    source: 'https://www.mongodb.com/docs/manual/reference/log-messages',
    has: [['t', 's', 'c', 'ctx', 'msg']],
    fields: { timestamp: ['t'], level: ['s'], message: ['msg'] },
    levels: 'mongodb',
    service: 'mongodb',
  },
  {
    name: 'PostgreSQL jsonlog',
    source: 'https://www.postgresql.org/docs/current/runtime-config-logging.html',
    has: [['error_severity', 'backend_type']],
    fields: { level: ['error_severity'] },
    service: 'postgres',
  },
  {
    name: 'Envoy, Istio',
    source: 'https://istio.io/latest/docs/tasks/observability/logs/access-log',
    has: [
      ['start_time', 'response_code'],
      ['start_time', 'response_flags'],
    ],
    fields: { timestamp: ['start_time'] },
  },
  {
    name: 'Traefik',
    source: 'https://doc.traefik.io/traefik/observability/access-logs',
    has: [['DownstreamStatus', 'RequestMethod'], ['StartUTC']],
    fields: { timestamp: ['time', 'StartUTC', 'StartLocal'] },
  },
  {
    name: 'NXLog, Windows',
    source: 'https://docs.nxlog.co/refman/current/im/msvistalog.html',
    has: [
      ['EventTime', 'SourceName'],
      ['EventTime', 'EventID'],
    ],
    fields: {
      timestamp: ['EventTime', 'EventReceivedTime'],
      level: ['Severity', 'EventType'],
      service: ['SourceName'],
    },
  },
  {
    name: 'Winlogbeat',
    source: 'https://www.elastic.co/docs/reference/beats/winlogbeat/exported-fields-winlog',
    has: [['winlog.provider_name'], ['winlog.channel']],
    fields: { service: ['winlog.provider_name'], host: ['winlog.computer_name'], message: ['message'] },
  },
  {
    name: 'AWS CloudTrail',
    source:
      'https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html',
    has: [['eventVersion', 'eventTime', 'eventSource', 'eventName']],
    fields: { timestamp: ['eventTime'], service: ['eventSource'] },
    make: ({ eventName, errorCode, errorMessage }) => {
      const parts = [eventName, errorCode, errorMessage].filter((part) => typeof part === 'string');
      return { message: parts.join(' '), level: errorCode === undefined ? undefined : 'error' };
    },
  },
  {
    name: 'Azure Monitor',
    source: 'https://learn.microsoft.com/azure/azure-monitor/platform/resource-logs-schema',
    has: [
      ['resourceId', 'operationName'],
      ['resourceId', 'category'],
    ],
    fields: {
      message: ['message', 'resultDescription', 'properties.message', 'properties.Message', 'operationName'],
    },
    lifts: { properties: { fields: innerFields } },
  },
  {
    name: 'Cloudflare',
    source: 'https://developers.cloudflare.com/logs/reference/log-fields/zone/http_requests',
    has: [['EdgeStartTimestamp'], ['RayID', 'Datetime']],
    fields: { timestamp: ['EdgeStartTimestamp', 'Datetime'], requestId: ['RayID'] },
  },
  {
    name: 'Kong',
    source: 'https://developer.konghq.com/gateway/logs',
    has: [['started_at', 'client_ip']],
    fields: { timestamp: ['started_at'] },
  },
  {
    name: 'Kubernetes audit',
    source: 'https://kubernetes.io/docs/tasks/debug/debug-cluster/audit',
    has: [['auditID', 'requestReceivedTimestamp']],
    fields: { timestamp: ['stageTimestamp', 'requestReceivedTimestamp'] },
    // Its level says how much of the request is there.
    make: () => ({ level: 'info' }),
  },
  {
    name: 'Kubernetes event',
    source: 'https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1',
    has: [['involvedObject', 'reason']],
    fields: {
      timestamp: ['lastTimestamp', 'eventTime', 'firstTimestamp'],
      level: ['type'],
      service: ['source.component', 'reportingComponent'],
      host: ['source.host'],
    },
  },
];
