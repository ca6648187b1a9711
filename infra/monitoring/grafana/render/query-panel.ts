import { queriesOf, type Panel } from '../read-dashboards.ts';

/** A line of a panel; points are seconds since 1970 and values, NaN where there is none. */
export interface PanelSeries {
  name: string;
  points: readonly (readonly [atSeconds: number, value: number])[];
}

export interface PanelRange {
  fromSeconds: number;
  toSeconds: number;
  stepSeconds: number;
  /** What Grafana puts for `$__rate_interval`. */
  rateSeconds: number;
}

/** Runs the queries of a panel over a range. Throws where Prometheus refuses one, with its message. */
export async function queryPanel(
  prometheusUrl: string,
  panel: Panel,
  range: PanelRange,
): Promise<PanelSeries[]> {
  const found: PanelSeries[] = [];
  for (const { expr, legendFormat } of queriesOf(panel, range.rateSeconds)) {
    const url = new URL('/api/v1/query_range', prometheusUrl);
    url.search = new URLSearchParams({
      query: expr,
      start: String(range.fromSeconds),
      end: String(range.toSeconds),
      step: String(range.stepSeconds),
    }).toString();
    const response = await fetch(url);
    const body = (await response.json()) as Answer;
    if (body.status !== 'success') throw new Error(`${panel.title}: ${body.error}: ${expr}`);
    for (const { metric, values } of body.data.result)
      found.push({
        name: legendFormat.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_, label: string) => metric[label] ?? ''),
        points: values.map(([atSeconds, value]) => [atSeconds, Number(value)]),
      });
  }
  return found;
}

type Answer =
  | { status: 'error'; error: string }
  | {
      status: 'success';
      data: { result: { metric: Record<string, string>; values: [number, string][] }[] };
    };
