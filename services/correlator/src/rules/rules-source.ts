import { formatProblem, type RuleProblem, type RuleSet, type RulesResult } from '@logloom/rules';
import { SettingsError } from '@logloom/settings/settings-error';
import { readFileSync } from 'node:fs';

const pollMs = 1000;

/**
 * The wanted rules, from a file that is read again every second, so that no change is missed: neither one within the resolution of a
 * modification time nor an exchanged link. The log of a partition says which rules are in force there; these are the ones that get written
 * to it.
 */
export class RulesSource implements Disposable {
  readonly #onProblems: (problems: readonly string[]) => void;
  #timer: NodeJS.Timeout | undefined;
  #current: RuleSet | null = null;
  /** The problems that were reported last. */
  #told = '';

  private constructor(onProblems: (problems: readonly string[]) => void) {
    this.#onProblems = onProblems;
  }

  /** Throws SettingsError with every problem of the file. Later problems go to `onProblems`, and the rules stay as they were. */
  static async open(
    path: string | undefined,
    onProblems: (problems: readonly string[]) => void,
  ): Promise<RulesSource> {
    const source = new RulesSource(onProblems);
    if (path === undefined) return source;
    const { loadRules } = await import('@logloom/rules/rules-file');
    const loaded = loadRules(path);
    if (!loaded.ok) throw new SettingsError(problemLines(path, loaded.problems));
    source.#current = loaded.rules;
    source.#timer = setInterval(() => source.#read(path, loadRules), pollMs).unref();
    return source;
  }

  /** null: none. */
  get current(): RuleSet | null {
    return this.#current;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #read(path: string, loadRules: (path: string) => RulesResult): void {
    if (textOf(path) === this.#current?.text) {
      this.#told = '';
      return;
    }
    const loaded = loadRules(path);
    if (loaded.ok) {
      this.#current = loaded.rules;
      return;
    }
    const lines = problemLines(path, loaded.problems);
    if (lines.join('\n') === this.#told) return;
    this.#told = lines.join('\n');
    this.#onProblems(lines);
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function problemLines(path: string, problems: readonly RuleProblem[]): string[] {
  return problems.map((problem) => formatProblem(path, problem));
}
