/** One family of Prometheus' text format. */
export interface MetricFamily {
  type: string;
  help: string;
  samples: { name: string; labels: string; value: number }[];
}

/** Reads Prometheus' text format 0.0.4. Throws Error at what is none of it, or of a family without HELP and TYPE. */
export function parseMetrics(text: string): Map<string, MetricFamily> {
  const families = new Map<string, MetricFamily>();
  const familyOf = (name: string): MetricFamily => {
    const family = families.get(name) ?? families.get(name.replace(/_(?:bucket|sum|count)$/, ''));
    if (family === undefined) throw new Error(`${name} has no HELP before it`);
    return family;
  };
  for (const line of text.split('\n')) {
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (comment !== null) {
      const [, kind, name = '', rest = ''] = comment;
      if (kind === 'HELP' && families.has(name)) throw new Error(`${name} is there twice`);
      if (kind === 'HELP') families.set(name, { type: '', help: rest, samples: [] });
      else familyOf(name).type = rest;
      continue;
    }
    if (line === '') continue;
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (sample === null) throw new Error(`not a line of the format: ${line}`);
    const [, name = '', labels = '', value] = sample;
    const family = familyOf(name);
    if (family.type === '') throw new Error(`${name} has no TYPE before it`);
    family.samples.push({ name, labels, value: value === '+Inf' ? Infinity : Number(value) });
  }
  return families;
}

/** What breaks Prometheus' conventions, as `promtool check metrics` finds it. */
export function lintMetrics(families: ReadonlyMap<string, MetricFamily>): string[] {
  return [...families].flatMap(([name, { type, help }]) => [
    ...(help === '' ? [`${name} has no help`] : []),
    ...((type === 'counter') !== name.endsWith('_total') ? [`${name} is a ${type}`] : []),
    ...(/[A-Z]|_(?:ms|milliseconds|minutes|hours|days|percent|counter|gauge|histogram|info_total)$/.test(name)
      ? [`${name} is no name by the conventions`]
      : []),
  ]);
}

/** Samples of all families. */
export function seriesOf(families: ReadonlyMap<string, MetricFamily>): string[] {
  return [...families.values()].flatMap(({ samples }) =>
    samples.map(({ name, labels }) => `${name}{${labels}}`),
  );
}
