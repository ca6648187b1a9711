const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The number that a text writes in decimal, or undefined: `5`, `-0.5`, `1e3`; not ` 5`, `0x5`, `Infinity` or the empty text. */
export function parseNumber(text: string): number | undefined {
  if (!decimal.test(text)) return undefined;
  const number = Number(text);
  // `+ 0` turns -0 into 0, so that equal numbers have the same text.
  return Number.isFinite(number) ? number + 0 : undefined;
}
