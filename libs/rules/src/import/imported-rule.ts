import type { RuleText } from '../rule-schema.ts';

/** What became of a rule of another system. */
export interface ImportedRule {
  from: 'sigma' | 'ruler';
  file: string;
  /** As its author calls it. */
  title: string;
  status: 'translated' | 'translated with a difference' | 'not translated';
  /** Where the translation may match something else than the original. */
  differences: string[];
  /** What else is worth knowing; what it matches is the same. */
  notes: string[];
  /** Why it is not translated; empty if it is. */
  reason: string;
  rule: RuleText | null;
}

/** The rule cannot be translated; the message says why. */
export class Untranslatable extends Error {}

/** Collects, while a rule is translated, where it becomes another one. */
export class Findings {
  readonly #differences = new Set<string>();
  readonly #notes = new Set<string>();

  differs(text: string): void {
    this.#differences.add(text);
  }

  note(text: string): void {
    this.#notes.add(text);
  }

  /** Where a rule counts by fields that an event may lack. */
  noteKeys(by: readonly string[]): void {
    for (const field of by)
      if (field !== 'service' && field !== 'level') this.note(`events without ${field} are not counted`);
  }

  get differences(): string[] {
    return [...this.#differences];
  }

  get notes(): string[] {
    return [...this.#notes];
  }
}
