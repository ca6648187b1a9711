import type { Syntax } from './syntax.ts';

export interface Flattened {
  operands: Syntax[];
  /** One less; '' of operands with none of the names between them. */
  operators: string[];
}

/**
 * The operands and operators of a node in the order of the text, down to parentheses. The grammar is made for highlighting: it does not
 * nest operators by how tightly they bind, but its order is that of the text.
 */
export function flattened(node: Syntax, operandName: string, operatorNames: readonly string[]): Flattened {
  const operands: Syntax[] = [];
  const operators: string[] = [];
  const visit = (each: Syntax): void => {
    const parts = each.children.filter(({ name }) => name === operandName);
    if (parts.length < 2 || (each !== node && each.isParenthesized)) {
      operands.push(each);
      return;
    }
    const between = each.children.filter(({ name }) => operatorNames.includes(name));
    for (const [i, part] of parts.entries()) {
      visit(part);
      if (i < parts.length - 1) operators.push(between[i]?.name ?? '');
    }
  };
  visit(node);
  return { operands, operators };
}
