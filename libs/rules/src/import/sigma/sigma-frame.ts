import type { Severity } from '../../severity.ts';
import type { RuleFrame } from '../rule-frame.ts';
import type { SigmaCorrelation, SigmaRule } from './sigma-rule.ts';

const severities: Readonly<Record<string, Severity>> = {
  low: 'low',
  medium: 'medium',
  high: 'high',
  critical: 'critical',
};

/** What a rule of Sigma says of itself. Its author and its id stay with it, as its license may ask for. */
export function sigmaFrame({
  title,
  id,
  description,
  author,
  level,
  tags,
}: SigmaRule | SigmaCorrelation): RuleFrame {
  return {
    title,
    description: description === undefined || description === '' ? title : `${title}: ${description}`,
    severity: severities[level ?? ''],
    labels: {
      ...(id === undefined ? {} : { sigma: id }),
      ...(author === undefined ? {} : { author: [author].flat().join(', ') }),
      ...(tags === undefined || tags.length === 0 ? {} : { tags: tags.join(' ') }),
    },
  };
}
