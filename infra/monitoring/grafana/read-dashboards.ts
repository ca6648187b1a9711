import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'dashboards');

export interface Panel {
  title: string;
  datasource: { uid: string };
  gridPos: { x: number; y: number; w: number; h: number };
  targets: { expr: string }[];
}

export interface Dashboard {
  uid: string;
  title: string;
  panels: Panel[];
}

/** Every dashboard of `dashboards/`. */
export function readDashboards(): Dashboard[] {
  return globSync('*.json', { cwd: folder })
    .sort()
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Dashboard);
}

/** Every query of every panel, with Grafana's variable replaced by a range. */
export function dashboardQueries(rangeSeconds = 15): { title: string; expr: string }[] {
  return readDashboards().flatMap(({ title, panels }) =>
    panels.flatMap((panel) =>
      panel.targets.map(({ expr }) => ({
        title: `${title}: ${panel.title}`,
        expr: expr.replaceAll('$__rate_interval', `${rangeSeconds}s`),
      })),
    ),
  );
}

/** Panels that show nothing while all is well, or without what they need, each with the reason. */
export const panelsWithoutData: ReadonlyMap<string, string> = new Map([
  ['Logloom: overview: Alerts that fire', 'no alert fires'],
  [
    'Logloom: overview: Error ratio of the objectives, 5 minutes',
    'an objective without requests has no ratio',
  ],
  ['Logloom: ingest: Failed requests', 'a code appears with its first failure'],
  ['Logloom: ingest: Rejected events', 'a code appears with its first event'],
  ['Logloom: ingest: Refused over a quota', 'no key, and no quota that was exceeded'],
  ['Logloom: ingest: Datagrams lost', 'no datagram was lost'],
  ['Logloom: indexer and API: Writes repeated', 'no store has refused a write'],
  ['Logloom: indexer and API: Dead letters', 'no record became a dead letter'],
  ['Logloom: indexer and API: Failed requests to the API', 'a code appears with its first failure'],
  ['Logloom: indexer and API: Jobs', 'no job has ended'],
  ['Logloom: indexer and API: Jobs in the store', 'no job is kept'],
  ['Logloom: indexer and API: Webhooks', 'no rule has a webhook'],
  ['Logloom: viewers: Refused', 'no viewer was refused'],
  ['Logloom: viewers: Workers started again', 'one process has no workers'],
  ['Logloom: engines and resources: Certificates expire in', 'no setting names a certificate'],
]);
