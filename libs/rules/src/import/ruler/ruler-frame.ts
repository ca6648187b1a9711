import type { Severity } from '../../severity.ts';
import type { Findings } from '../imported-rule.ts';
import type { RuleFrame } from '../rule-frame.ts';
import type { RulerRule } from './ruler-groups.ts';

const severities: Readonly<Record<string, Severity>> = {
  critical: 'critical',
  page: 'critical',
  error: 'high',
  high: 'high',
  warning: 'medium',
  medium: 'medium',
  info: 'low',
  low: 'low',
};

/** What an alerting rule says of itself. */
export function rulerFrame(rule: RulerRule, findings: Findings): RuleFrame {
  const { severity: word, ...labels } = rule.labels ?? {};
  const severity = severities[word?.toLowerCase() ?? ''];
  if (word !== undefined && word !== severity)
    findings.note(`its severity ${word} is ${severity ?? 'left out'} here`);
  const { summary, description, runbook_url: runbook } = rule.annotations ?? {};
  const said = [summary, description].filter((text) => text !== undefined && text !== '').join('. ');
  const text = said === '' ? rule.alert! : plainText(said);
  if (text !== said && said !== '') findings.note('the templates of its annotations are not filled in');
  return {
    title: rule.alert!,
    description: text,
    severity,
    labels: { ...labels, ...(runbook === undefined ? {} : { runbook_url: runbook }) },
  };
}

/** A template with the names of what it would fill in. */
function plainText(template: string): string {
  return template
    .replaceAll(/\{\{[^}]*?\$(?:labels\.)?(\w+)[^}]*\}\}/g, '($1)')
    .replaceAll(/\{\{[^}]*\}\}/g, '(…)');
}
