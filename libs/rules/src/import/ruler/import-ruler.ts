import { attempt } from '../attempt.ts';
import { Untranslatable, type ImportedRule } from '../imported-rule.ts';
import type { RuleMapping } from '../rule-mapping.ts';
import { rulerFileSchema, type RulerRule } from './ruler-groups.ts';
import { translateRuler } from './translate-ruler.ts';

/** Whether a document has groups of rules. */
export function isRuler(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { spec } = value as { spec?: unknown };
  return 'groups' in value || (typeof spec === 'object' && spec !== null && 'groups' in spec);
}

/** Translates the rules of a ruler's file. */
export function importRuler(file: string, value: unknown, mapping: RuleMapping): ImportedRule[] {
  const parsed = rulerFileSchema.safeParse(value);
  if (!parsed.success) {
    const reason = 'its groups are not those of a ruler: each has a list of rules with an expr';
    return [
      {
        from: 'ruler',
        file,
        title: file,
        status: 'not translated',
        differences: [],
        notes: [],
        reason,
        rule: null,
      },
    ];
  }
  return parsed.data.flatMap(({ labels, rules }) =>
    rules.map((rule) => {
      const title = rule.alert ?? rule.record ?? 'a rule without a name';
      return attempt({ from: 'ruler', file, title }, (findings) => {
        if (rule.alert === undefined) throw new Untranslatable('it records a metric, and raises no alert');
        const given: RulerRule = { ...rule, labels: { ...labels, ...rule.labels } };
        return translateRuler(given, mapping, findings);
      });
    }),
  );
}
