import { attempt } from '../attempt.ts';
import { Untranslatable, type Findings, type ImportedRule } from '../imported-rule.ts';
import type { RuleMapping } from '../rule-mapping.ts';
import type { RuleText } from '../../rule-schema.ts';
import {
  sigmaCorrelationSchema,
  sigmaRuleSchema,
  type SigmaCorrelation,
  type SigmaRule,
} from './sigma-rule.ts';
import { translateCorrelation } from './translate-correlation.ts';
import { translateSigma } from './translate-sigma.ts';

/** A document of a file. */
export interface ForeignDocument {
  file: string;
  value: unknown;
}

/** Whether a document is a rule of Sigma. */
export function isSigma(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('detection' in value || 'correlation' in value);
}

/** Translates rules of Sigma; correlations find the rules that they name among all of them. */
export function importSigma(documents: readonly ForeignDocument[], mapping: RuleMapping): ImportedRule[] {
  const rules = documents.map(({ value }) => sigmaRuleSchema.safeParse(value).data);
  const byName = new Map<string, SigmaRule>();
  for (const rule of rules)
    for (const name of [rule?.title, rule?.name, rule?.id])
      if (rule && name !== undefined) byName.set(name, rule);
  const correlations = documents.map(({ value }) => sigmaCorrelationSchema.safeParse(value).data);
  const results = documents.map(({ file, value }, i) =>
    attempt({ from: 'sigma', file, title: titleOf(value) }, (findings) =>
      translate(value, rules[i], correlations[i], byName, mapping, findings),
    ),
  );
  // A rule that a correlation names raises no alert of its own, unless that says so.
  const parts = new Map<SigmaRule, ImportedRule>();
  for (const [i, given] of correlations.entries())
    if (given !== undefined && given.correlation.generate !== true)
      for (const name of given.correlation.rules ?? []) {
        const rule = byName.get(name);
        if (rule !== undefined) parts.set(rule, results[i]!);
      }
  return results.map((result, i) => {
    const whole = rules[i] === undefined ? undefined : parts.get(rules[i]);
    return whole === undefined ? result : partOf(result, whole);
  });
}

function partOf(part: ImportedRule, whole: ImportedRule): ImportedRule {
  const isLost = whole.status === 'not translated';
  const text = `it is a part of "${whole.title}" and has no alert of its own`;
  return {
    ...part,
    status: isLost ? 'not translated' : 'translated',
    differences: [],
    notes: isLost ? [] : [text],
    reason: isLost ? `${text}, and that is not translated` : '',
    rule: null,
  };
}

function translate(
  value: unknown,
  rule: SigmaRule | undefined,
  correlation: SigmaCorrelation | undefined,
  byName: ReadonlyMap<string, SigmaRule>,
  mapping: RuleMapping,
  findings: Findings,
): RuleText {
  if (rule !== undefined) return translateSigma(rule, mapping, findings);
  if (correlation === undefined) {
    const schema = 'correlation' in (value as object) ? sigmaCorrelationSchema : sigmaRuleSchema;
    const issue = schema.safeParse(value).error!.issues[0]!;
    throw new Untranslatable(`it is no rule of Sigma: ${issue.path.join('.')}: ${issue.message}`);
  }
  const named = (correlation.correlation.rules ?? []).map((name) => {
    const found = byName.get(name);
    if (found === undefined)
      throw new Untranslatable(`its rule ${name} is in none of the files, or is a correlation`);
    return found;
  });
  if (named.length === 0) throw new Untranslatable('it names no rules');
  return translateCorrelation(correlation, named, mapping, findings);
}

function titleOf(value: unknown): string {
  const { title } = value as { title?: unknown };
  return typeof title === 'string' ? title : 'a rule without a title';
}
