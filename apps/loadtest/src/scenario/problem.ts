import type { Document, LineCounter } from 'yaml';

/** What is wrong with a scenario, and where: the names and numbers that lead there from its top. */
export interface Problem {
  at: readonly (string | number)[];
  text: string;
  /** Whose line it is, where that is another. */
  near?: readonly (string | number)[];
}

interface Place {
  document: Document;
  lines: LineCounter;
}

/** A problem with its line, as one line of text. */
export function describeProblem({ at, text, near = at }: Problem, place: Place): string {
  const where = at.length === 0 ? 'the scenario' : at.join('.');
  const line = lineOf(near, place);
  return `${line === undefined ? '' : `line ${line}: `}${where} ${text}`;
}

/** The line of the member, or of the nearest one above it that is there. */
function lineOf(at: readonly (string | number)[], { document, lines }: Place): number | undefined {
  for (let length = at.length; length > 0; length--) {
    const node = document.getIn(at.slice(0, length), true) as
      { range?: [number, number, number] } | undefined;
    if (node?.range) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}
