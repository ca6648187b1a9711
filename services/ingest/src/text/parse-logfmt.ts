const pair = /\s*([A-Za-z_@][\w.@/-]*)=(?:"((?:[^"\\]|\\[^])*)"|([^\s"]*))(?=\s|$)/y;
/** One of these names must occur: other texts have equal signs too. */
const telling = new Set(['level', 'lvl', 'msg', 'message', 'time', 'ts', 'severity']);
/** Or two of these: a request, as lograge and Heroku's router write it. */
const ofRequests = new Set(['method', 'path', 'status', 'fwd', 'request_id']);

/** Returns the members of a logfmt line (`level=info msg="a b" n=1`), with numbers as numbers; undefined for any other text. */
export function parseLogfmt(text: string): Record<string, unknown> | undefined {
  const fields: Record<string, unknown> = {};
  let isTelling = false;
  let ofRequest = 0;
  let count = 0;
  for (pair.lastIndex = 0; pair.lastIndex < text.length; count++) {
    const match = pair.exec(text);
    if (match === null) return undefined;
    const [, name, quoted, bare] = match as unknown as [
      string,
      string,
      string | undefined,
      string | undefined,
    ];
    // An object cannot have a name twice.
    if (Object.hasOwn(fields, name) || name === '__proto__') return undefined;
    fields[name] = quoted === undefined ? bareValue(bare!) : unescape(quoted);
    isTelling ||= telling.has(name);
    if (ofRequests.has(name)) ofRequest++;
    if (pair.lastIndex === text.trimEnd().length) pair.lastIndex = text.length;
  }
  return count >= 2 && (isTelling || ofRequest >= 2) ? fields : undefined;
}

function bareValue(text: string): unknown {
  const number = /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?$/.test(text) ? Number(text) : Number.NaN;
  if (String(number) === text) return number;
  return text === 'true' ? true : text === 'false' ? false : text;
}

function unescape(quoted: string): string {
  if (!quoted.includes('\\')) return quoted;
  const escapes: Record<string, string> = { n: '\n', t: '\t', r: '\r' };
  return quoted.replace(/\\([^])/g, (_, character: string) => escapes[character] ?? character);
}
