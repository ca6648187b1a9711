import { collectDefaultMetrics, Registry } from 'prom-client';
import { declaredMetrics } from '../../tools/docs/metrics-page.ts';
import { namesIn } from './promql-names.ts';

/** What Prometheus and the scrape add to each series, and Logloom to each of its own. */
const everywhere = ['job', 'instance', 'service'];
const parts = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['_sum', '_count', ''],
  counter: [''],
  gauge: [''],
};

/** The labels of each series' name that a scrape of Logloom can have. */
function knownSeries(): Map<string, string[]> {
  const known = new Map<string, string[]>([['up', ['job', 'instance']]]);
  for (const { name, type, labels } of declaredMetrics())
    for (const part of parts[type])
      known.set(name + part, [...everywhere, ...Object.keys(labels), ...(part === '_bucket' ? ['le'] : [])]);
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const { name, type } of registry.getMetricsAsArray() as { name: string; type: unknown }[])
    for (const part of parts[String(type) as keyof typeof parts] ?? [''])
      known.set(name + part, [...everywhere, 'kind', 'space', 'type', 'le', 'quantile']);
  return known;
}

/** Compares expressions with the declared metrics; `recorded` are names of recording rules with the labels that they keep. */
export function unknownNames(
  expressions: Iterable<string>,
  recorded = new Map<string, string[]>(),
): string[] {
  const known = new Map([...knownSeries(), ...recorded]);
  const wrong: string[] = [];
  for (const expression of expressions) {
    const { selectors, grouping } = namesIn(expression);
    if (selectors.length === 0) wrong.push(`${expression} names no metric`);
    for (const { metric, labels } of selectors) {
      const allowed = known.get(metric);
      if (allowed === undefined) wrong.push(`${metric} is not declared`);
      for (const label of labels)
        if (allowed?.includes(label) === false) wrong.push(`${metric} has no label ${label}`);
    }
    const all = new Set(selectors.flatMap(({ metric }) => known.get(metric) ?? []));
    for (const label of grouping)
      if (!all.has(label)) wrong.push(`no metric in ${expression} has the label ${label}`);
  }
  return wrong;
}
