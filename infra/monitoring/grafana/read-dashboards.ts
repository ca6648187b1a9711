import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'dashboards');

export interface PanelQuery {
  expr: string;
  /** The name of each line, with labels in double braces. */
  legendFormat: string;
}

export interface Panel {
  title: string;
  datasource: { uid: string };
  gridPos: { x: number; y: number; w: number; h: number };
  fieldConfig: { defaults: { unit: string; min?: number } };
  targets: PanelQuery[];
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

/** The queries of a panel, with Grafana's variable replaced by a range. */
export function queriesOf({ targets }: Panel, rateSeconds: number): PanelQuery[] {
  return targets.map(({ expr, legendFormat }) => ({
    expr: expr.replaceAll('$__rate_interval', `${rateSeconds}s`),
    legendFormat,
  }));
}

/** Every query of every panel, as queriesOf. */
export function dashboardQueries(rateSeconds = 15): { title: string; expr: string }[] {
  return readDashboards().flatMap(({ title, panels }) =>
    panels.flatMap((panel) =>
      queriesOf(panel, rateSeconds).map(({ expr }) => ({ title: `${title}: ${panel.title}`, expr })),
    ),
  );
}
