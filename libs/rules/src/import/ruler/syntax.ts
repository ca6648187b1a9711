import { parser } from '@grafana/lezer-logql';
import { Untranslatable } from '../imported-rule.ts';

/** A node of the syntax tree, with the text that it stands for. */
export class Syntax {
  readonly #node: SyntaxNode;
  readonly #source: string;

  constructor(node: SyntaxNode, source: string) {
    this.#node = node;
    this.#source = source;
  }

  get name(): string {
    return this.#node.name;
  }

  get text(): string {
    return this.#source.slice(this.#node.from, this.#node.to).trim();
  }

  /** Whether it is in parentheses of its own: not `(a) or (b)`. */
  get isParenthesized(): boolean {
    const { text } = this;
    if (!text.startsWith('(')) return false;
    let depth = 0;
    // Quoted texts are skipped as a whole.
    for (const { 0: token, index } of text.matchAll(/"(?:\\.|[^"\\])*"|`[^`]*`|[()]/g)) {
      if (token === '(') depth++;
      else if (token === ')' && --depth === 0) return index === text.length - 1;
    }
    return false;
  }

  get children(): Syntax[] {
    const found: Syntax[] = [];
    for (let child = this.#node.firstChild; child !== null; child = child.nextSibling)
      found.push(new Syntax(child, this.#source));
    return found;
  }

  child(name: string): Syntax | undefined {
    return this.children.find((child) => child.name === name);
  }

  /** All of a name below it, outermost first, in the order of the text; not those inside each other. */
  all(name: string): Syntax[] {
    return this.children.flatMap((child) => (child.name === name ? [child] : child.all(name)));
  }

  /** A text without its quotes. */
  get literal(): string {
    const { text } = this;
    if (text.startsWith('`')) return text.slice(1, -1);
    return text
      .slice(1, -1)
      .replaceAll(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))/g, (_, hex, code, char: string) =>
        hex !== undefined || code !== undefined
          ? String.fromCharCode(parseInt((hex ?? code) as string, 16))
          : ({ n: '\n', t: '\t', r: '\r' }[char] ?? char),
      );
  }
}

interface SyntaxNode {
  name: string;
  from: number;
  to: number;
  firstChild: SyntaxNode | null;
  nextSibling: SyntaxNode | null;
}

/** Parses LogQL. Throws Untranslatable for anything else, such as PromQL. */
export function parseLogql(source: string): Syntax {
  const root = new Syntax(parser.parse(source).topNode, source);
  const [wrong] = root.all('⚠');
  if (wrong !== undefined || root.children.length === 0) {
    const place = wrong === undefined || wrong.text === '' ? '' : ` (at "${wrong.text.slice(0, 40)}")`;
    throw new Untranslatable(
      `its expression is not LogQL${place}; one of PromQL is about metrics, and here are logs`,
    );
  }
  return root;
}
