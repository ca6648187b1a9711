import { stringify } from 'yaml';
import { parseRules } from '../parse-rules.ts';
import type { RuleText } from '../rule-schema.ts';
import { Findings, Untranslatable, type ImportedRule } from './imported-rule.ts';

/** Translates one rule, and checks that a rules file may have the result. */
export function attempt(
  about: Pick<ImportedRule, 'from' | 'file' | 'title'>,
  translate: (findings: Findings) => RuleText,
): ImportedRule {
  const findings = new Findings();
  try {
    const rule = translate(findings);
    const checked = parseRules(stringify({ rules: [rule] }));
    if (!checked.ok) throw new Untranslatable(checked.problems.map(({ message }) => message).join('; '));
    for (const { message } of checked.warnings) findings.note(message);
    const { differences, notes } = findings;
    const status = differences.length > 0 ? 'translated with a difference' : 'translated';
    return { ...about, status, differences, notes, reason: '', rule };
  } catch (error) {
    if (!(error instanceof Untranslatable)) throw error;
    const { message: reason } = error;
    return { ...about, status: 'not translated', differences: [], notes: [], reason, rule: null };
  }
}
