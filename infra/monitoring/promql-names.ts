/** A selector of series in a PromQL expression: the metric and the labels that it is matched by. */
export interface Selector {
  metric: string;
  labels: string[];
}

/** Words of PromQL that are no metrics where they stand without a parenthesis. */
const keywords = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan', 'start', 'end']);

/**
 * The metrics and labels that a PromQL expression names: its selectors, and the labels of `by`, `on` and the like. It relies on the
 * expression being valid, which promtool checks.
 */
export function namesIn(expression: string): { selectors: Selector[]; grouping: string[] } {
  const grouping: string[] = [];
  const text = expression
    .replaceAll(/"(?:\\.|[^"\\])*"/g, '""')
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g, (_, labels: string) => {
      grouping.push(...labels.split(',').flatMap((label) => label.trim() || []));
      return ' ';
    })
    .replaceAll(/\boffset\s+\w+/g, ' ');
  const selectors: Selector[] = [];
  for (const [, metric = '', matchers = '', call] of text.matchAll(
    /(?<![\w:.])([a-zA-Z_:][\w:]*)\s*(?:\{([^}]*)\}|(\())?/g,
  )) {
    if (call !== undefined || keywords.has(metric.toLowerCase())) continue;
    const labels = [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label!);
    selectors.push({ metric, labels });
  }
  return { selectors, grouping };
}
