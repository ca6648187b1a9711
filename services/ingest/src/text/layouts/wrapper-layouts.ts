import { levelsBySeverity } from '../../event/parse-level.ts';
import type { LayoutSource } from './layout.ts';

/** Lines around lines: what is behind the wrapping is read again, under the name `message`. */
export const wrapperLayouts: readonly LayoutSource[] = [
  {
    name: 'compose',
    title: 'docker compose logs: service-1  | …',
    pattern: '%{NAME:container.name} | %{GREEDYDATA:message}',
    refine: (event) => {
      const name = String((event['container'] as { name: string }).name);
      const service = /^(.+?)[-_]\d+$/.exec(name)?.[1];
      if (service === undefined || !/^[A-Za-z]/.test(service)) return false;
      event['service'] = service;
      return true;
    },
    examples: [
      [
        'shop-web-1  | listening',
        { service: 'shop-web', message: 'listening', container: { name: 'shop-web-1' } },
      ],
    ],
  },
  {
    name: 'kubectl-prefix',
    title: 'kubectl logs --prefix: [pod/name/container] …',
    pattern: '[pod/%{NAME:kubernetes.pod.name}/%{NAME:kubernetes.container.name}] %{GREEDYDATA:message}',
    refine: (event) => {
      const { container } = event['kubernetes'] as { container: { name: string } };
      event['service'] = container.name;
    },
    examples: [['[pod/shop-7d9c/web] listening', { service: 'web', message: 'listening' }]],
  },
  {
    name: 'kubectl-timestamps',
    title:
      'kubectl logs --timestamps, docker logs --timestamps: a time, and a line with its own time or level',
    pattern: '%{TIMESTAMP_ISO8601} %{GREEDYDATA:message}',
    refine: (_, text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7,9}(?:Z|[+-]\d\d:\d\d) (?!##\[)/.test(text),
    examples: [
      [
        '2025-03-14T09:26:53.589793238Z listening',
        { timestamp: '2025-03-14T09:26:53.589793Z', message: 'listening' },
      ],
    ],
  },
  {
    name: 'systemd-priority',
    title: 'a priority in front, as systemd reads it',
    pattern: '<%{INT:priority}>%{GREEDYDATA:message}',
    refine: (event, text) => {
      const priority = Number(event['priority']);
      delete event['priority'];
      // Above 7 it has a facility too: that is a message of syslog.
      if (priority > 7 || /^<\d>(?:1 |[A-Z][a-z]{2} )/.test(text)) return false;
      event['level'] = levelsBySeverity[priority];
      const dotnet = /^([A-Za-z][\w.`]*)\[\d+\] /.exec(String(event['message']));
      if (dotnet !== null && dotnet[1]!.includes('.')) {
        event['log'] = { logger: dotnet[1] };
        event['message'] = String(event['message']).slice(dotnet[0].length);
      }
      return true;
    },
    examples: [
      ['<3>Shop.Worker[13] failed', { level: 'error', message: 'failed', log: { logger: 'Shop.Worker' } }],
    ],
  },
];
