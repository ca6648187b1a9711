import { formatProblem, loadRules, type RuleProblem, type RuleSet } from '@logloom/rules';
import { SettingsError } from '@logloom/settings';
import { unwatchFile, watchFile } from 'node:fs';

const pollMs = 1000;

/**
 * The rules that are wanted: those of a file, read again whenever it changes. What is in force on a partition is what its log says;
 * this is what gets written there.
 */
export class RulesSource implements Disposable {
  readonly #path: string | undefined;
  readonly #onProblems: (problems: readonly string[]) => void;
  readonly #listener = (): void => this.#read();
  #current: RuleSet | null = null;

  /** Throws SettingsError with every problem of the file. Later problems go to `onProblems`, and the rules stay as they were. */
  constructor(path: string | undefined, onProblems: (problems: readonly string[]) => void) {
    this.#path = path;
    this.#onProblems = onProblems;
    if (path === undefined) return;
    const loaded = loadRules(path);
    if (!loaded.ok) throw new SettingsError(problemLines(path, loaded.problems));
    this.#current = loaded.rules;
    watchFile(path, { interval: pollMs, persistent: false }, this.#listener);
  }

  /** null: none. */
  get current(): RuleSet | null {
    return this.#current;
  }

  [Symbol.dispose](): void {
    if (this.#path !== undefined) unwatchFile(this.#path, this.#listener);
  }

  #read(): void {
    const loaded = loadRules(this.#path!);
    if (loaded.ok) this.#current = loaded.rules;
    else this.#onProblems(problemLines(this.#path!, loaded.problems));
  }
}

function problemLines(path: string, problems: readonly RuleProblem[]): string[] {
  return problems.map((problem) => formatProblem(path, problem));
}
