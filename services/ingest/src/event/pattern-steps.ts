/**
 * How many steps a pattern of the bounded subset (unboundedIn) can take at one place of a text before it fails there: what may follow is
 * tried again for each length of a repetition, and for each alternative. An engine that backtracks takes about a nanosecond for each.
 */
export function stepsOf(pattern: string): number {
  return new StepCounter(pattern).count();
}

interface Atom {
  /** The alternatives of a group; undefined for a character, a class or an assertion. */
  group: Atom[][] | undefined;
  least: number;
  most: number;
}

const repetition = /^\{(\d+)(?:,(\d+))?\}\??|^\?\??/;
const groupStart = /^\((?:\?(?:<[A-Za-z_$][\w$]*>|[a-z-]*:))?/;
const escape = /^\\(?:[pPu]\{[^}]*\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|[^])/;

class StepCounter {
  readonly #pattern: string;
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  count(): number {
    return sum(this.#alternatives(), 0);
  }

  #alternatives(): Atom[][] {
    const all: Atom[][] = [[]];
    while (this.#at < this.#pattern.length && this.#pattern[this.#at] !== ')') {
      if (this.#take(/^\|/) === undefined) all.at(-1)!.push(this.#atom());
      else all.push([]);
    }
    return all;
  }

  #atom(): Atom {
    let group: Atom[][] | undefined;
    if (this.#take(groupStart) !== undefined) {
      group = this.#alternatives();
      this.#at++;
    } else if (this.#pattern[this.#at] === '[') this.#class();
    else if (this.#take(escape) === undefined) this.#at++;
    const repeated = this.#take(repetition);
    if (repeated === undefined) return { group, least: 1, most: 1 };
    if (repeated[0].startsWith('?')) return { group, least: 0, most: 1 };
    return { group, least: Number(repeated[1]), most: Number(repeated[2] ?? repeated[1]) };
  }

  #class(): void {
    for (this.#at++; this.#at < this.#pattern.length && this.#pattern[this.#at] !== ']'; this.#at++)
      if (this.#pattern[this.#at] === '\\') this.#at++;
    this.#at++;
  }

  #take(part: RegExp): RegExpExecArray | undefined {
    const match = part.exec(this.#pattern.slice(this.#at));
    if (match === null || match[0] === '') return undefined;
    this.#at += match[0].length;
    return match;
  }
}

/** The steps of all alternatives, each followed by `rest`. */
function sum(alternatives: readonly Atom[][], rest: number): number {
  return alternatives.reduce((steps, atoms) => steps + sequence(atoms, rest), 0);
}

function sequence(atoms: readonly Atom[], rest: number): number {
  return atoms.reduceRight((behind, { group, least, most }) => {
    if (group === undefined) return most + (most - least + 1) * behind;
    return sum(group, behind) + (least === 0 ? behind : 0);
  }, rest);
}
