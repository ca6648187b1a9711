/** A part of a pattern. */
export type PatternNode =
  | { kind: 'text'; text: string }
  /** One or more blanks. */
  | { kind: 'blank' }
  | { kind: 'field'; type: string; name: string | undefined; at: number }
  | { kind: 'group'; choices: PatternNode[][]; isOptional: boolean };

/** What is wrong with a pattern, and at which of its characters. */
export class PatternError extends SyntaxError {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

const field = /%\{([A-Z][A-Z0-9_]*)(?::([A-Za-z_@][\w.@-]*))?\}/y;
const maxDepth = 8;

/**
 * Parses `%{LEVEL:level} [%{DATA:thread.name}] (%{INT:pid} )?%{GREEDYDATA:message}`: text as it stands, a blank for one or more blanks or
 * tabs, fields, groups with choices `(a|b)`, and `?` behind a group that may be missing. A backslash makes the next character text.
 * Throws PatternError.
 */
export function parsePattern(source: string): PatternNode[] {
  const parser = new Parser(source);
  const nodes = parser.sequence(0);
  if (parser.at < source.length)
    throw new PatternError(
      parser.at,
      `${source[parser.at]} has no group: write \\${source[parser.at]} for the character`,
    );
  return nodes;
}

class Parser {
  readonly #source: string;
  at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** Up to the end, `|` or `)`. */
  sequence(depth: number): PatternNode[] {
    const nodes: PatternNode[] = [];
    for (let char = this.#source[this.at]; char !== undefined; char = this.#source[this.at]) {
      if (char === '|' || char === ')') {
        if (depth === 0 && char === '|') addText(nodes, this.#take());
        else break;
      } else if (char === ' ') {
        while (this.#source[this.at] === ' ') this.at++;
        nodes.push({ kind: 'blank' });
      } else if (char === '(') nodes.push(this.#group(depth + 1));
      else if (char === '%' && this.#source[this.at + 1] === '{') nodes.push(this.#field());
      else if (char === '\\') {
        this.at++;
        if (this.at === this.#source.length)
          throw new PatternError(this.at - 1, 'a \\ stands before the character that it makes text');
        addText(nodes, this.#take());
      } else addText(nodes, this.#take());
    }
    return nodes;
  }

  #take(): string {
    return this.#source[this.at++]!;
  }

  #group(depth: number): PatternNode {
    const start = this.at;
    if (depth > maxDepth) throw new PatternError(start, `groups are at most ${maxDepth} deep`);
    this.at++;
    const choices = [this.sequence(depth)];
    while (this.#source[this.at] === '|') {
      this.at++;
      choices.push(this.sequence(depth));
    }
    if (this.#source[this.at] !== ')')
      throw new PatternError(start, 'the group has no end: write \\( for the character');
    this.at++;
    const isOptional = this.#source[this.at] === '?';
    if (isOptional) this.at++;
    else if (/^[*+{]/.test(this.#source.slice(this.at)))
      throw new PatternError(this.at, 'groups cannot be repeated: that could be slow');
    return { kind: 'group', choices, isOptional };
  }

  #field(): PatternNode {
    field.lastIndex = this.at;
    const match = field.exec(this.#source);
    if (match === null)
      throw new PatternError(this.at, 'write %{TYPE} or %{TYPE:name}; names are letters, digits, _, . and -');
    const at = this.at;
    this.at = field.lastIndex;
    return { kind: 'field', type: match[1]!, name: match[2], at };
  }
}

function addText(nodes: PatternNode[], character: string): void {
  const last = nodes.at(-1);
  if (last?.kind === 'text') last.text += character;
  else nodes.push({ kind: 'text', text: character });
}
