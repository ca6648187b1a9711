/** Returns a value of a parsed request as an element of an array, with the comma after it. Never runs out of stack. */
export function jsonPart(value: unknown): Buffer {
  return Buffer.from(`${textOf(value)},`);
}

/** Returns the JSON of a frame with the parts in its array, which is empty and preceded by `open`. */
export function jsonDeadLetter(frame: unknown, open: string, parts: Buffer): Buffer {
  const text = textOf(frame);
  // The last occurrence: what comes before may hold the same text, in a string or not.
  const at = text.lastIndexOf(`${open}]`) + open.length;
  return Buffer.concat([
    Buffer.from(text.slice(0, at)),
    parts.subarray(0, parts.length - 1),
    Buffer.from(text.slice(at)),
  ]);
}

function textOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return deepText(value);
  }
}

/** JSON.stringify without recursion, for values that are nested too deep for it. */
function deepText(root: unknown): string {
  const out: string[] = [];
  const open: { names: string[] | undefined; values: unknown[]; next: number }[] = [];
  const begin = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) {
      out.push(JSON.stringify(value));
      return;
    }
    const names = Array.isArray(value) ? undefined : Object.keys(value);
    out.push(names === undefined ? '[' : '{');
    open.push({ names, values: Object.values(value), next: 0 });
  };
  begin(root);
  for (let top; (top = open.at(-1)) !== undefined;) {
    const i = top.next++;
    if (i === top.values.length) {
      out.push(top.names === undefined ? ']' : '}');
      open.pop();
      continue;
    }
    if (i > 0) out.push(',');
    if (top.names !== undefined) out.push(`${JSON.stringify(top.names[i])}:`);
    begin(top.values[i]);
  }
  return out.join('');
}
