import { Document, isSeq, parseAllDocuments, type YAMLMap, type YAMLSeq } from 'yaml';
import { maxRules, maxRulesBytes } from '../rule-schema.ts';
import type { ImportedRule } from './imported-rule.ts';
import type { RuleMapping } from './rule-mapping.ts';
import { importRuler, isRuler } from './ruler/import-ruler.ts';
import { importSigma, isSigma, type ForeignDocument } from './sigma/import-sigma.ts';

export interface ImportResult {
  /** A rules file. */
  yaml: string;
  /** What became of each rule, in the order of the files. */
  rules: ImportedRule[];
  /** What is wrong with files, and with the rules file as a whole. */
  problems: string[];
}

/** Translates files with rules of Sigma or groups of a ruler, YAML, into a rules file. */
export function importRules(
  files: readonly { name: string; text: string }[],
  mapping: RuleMapping,
): ImportResult {
  const problems: string[] = [];
  const sigma: ForeignDocument[] = [];
  const ruler: ImportedRule[] = [];
  for (const { name, text } of files) {
    for (const value of documentsOf(name, text, problems))
      if (isRuler(value)) ruler.push(...importRuler(name, value, mapping));
      else if (isSigma(value)) sigma.push({ file: name, value });
      else problems.push(`${name}: it is neither a rule of Sigma nor groups of a ruler`);
  }
  const imported = [...importSigma(sigma, mapping), ...ruler];
  const order = new Map(files.map(({ name }, i) => [name, i]));
  const rules = withOwnNames(imported.sort((a, b) => order.get(a.file)! - order.get(b.file)!));
  const yaml = rulesFile(rules);
  const count = rules.filter(({ rule }) => rule !== null).length;
  if (count > maxRules) problems.push(`${count} rules: a rules file has at most ${maxRules}`);
  if (Buffer.byteLength(yaml) > maxRulesBytes)
    problems.push(`${Buffer.byteLength(yaml)} bytes: a rules file has at most ${maxRulesBytes}`);
  return { yaml, rules, problems };
}

function documentsOf(name: string, text: string, problems: string[]): unknown[] {
  return [parseAllDocuments(text, { prettyErrors: true, logLevel: 'error' })].flat().flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) {
      problems.push(`${name}: ${error.message.split('\n')[0]}`);
      return [];
    }
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    return value === null ? [] : [value];
  });
}

/** Rules of one name get numbers. */
function withOwnNames(rules: readonly ImportedRule[]): ImportedRule[] {
  const taken = new Set<string>();
  return rules.map((imported) => {
    if (imported.rule === null) return imported;
    let { name } = imported.rule;
    for (let i = 2; taken.has(name); i++) name = `${imported.rule.name}-${i}`;
    taken.add(name);
    return { ...imported, rule: { ...imported.rule, name } };
  });
}

/** The rules with what is different about them, as comments. */
function rulesFile(rules: readonly ImportedRule[]): string {
  const kept = rules.filter(({ rule }) => rule !== null);
  const document = new Document({ rules: kept.map(({ rule }) => rule) });
  const items = (document.get('rules') as YAMLSeq<YAMLMap>).items;
  for (const [i, { from, file, title, differences, notes }] of kept.entries()) {
    const by: unknown = items[i]!.get('by');
    if (isSeq(by)) by.flow = true;
    items[i]!.commentBefore = [
      ` ${from === 'sigma' ? 'Sigma' : 'ruler'}: ${title} (${file})`.replaceAll(/\s+/g, ' '),
      ...differences.map((text) => ` differs: ${text}`),
      ...notes.map((text) => ` note: ${text}`),
    ].join('\n');
  }
  return document.toString({ lineWidth: 120 });
}
