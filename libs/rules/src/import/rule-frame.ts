import type { RuleText } from '../rule-schema.ts';
import type { Severity } from '../severity.ts';

/** What another system says of a rule beside what it matches. */
export interface RuleFrame {
  title: string;
  description: string;
  severity: Severity | undefined;
  labels: Record<string, string>;
}

/** The rule that this frame and its decision make, with the keys in the order in which a person writes them. */
export function frameRule(frame: RuleFrame, decision: Omit<RuleText, 'name'>): RuleText {
  const { severity } = frame;
  const labels = Object.fromEntries(
    Object.entries(frame.labels)
      .filter(([name]) => /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(name))
      .map(([name, value]) => [name, cut(value, 256)]),
  );
  return {
    name: ruleName(frame.title),
    description: cut(frame.description.replaceAll(/\s+/g, ' ').trim(), 500),
    ...decision,
    ...(severity === undefined ? {} : { severity }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
  };
}

/** A title as the name of a rule. */
function ruleName(title: string): string {
  const name = title
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^A-Za-z0-9._]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 60)
    .replace(/-+$/, '');
  return name === '' ? 'rule' : name;
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
