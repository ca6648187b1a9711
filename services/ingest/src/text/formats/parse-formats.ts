import { isNode, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import { PatternError } from '../pattern/parse-pattern.ts';
import { localContext } from '../time/scan-parts.ts';
import { formatsFileSchema, maxFormatsBytes, type FormatText } from './format-schema.ts';
import { compileFormat, createUserFormats, type UserFormat, type UserFormats } from './user-formats.ts';

/** What is wrong with a formats file, and where; line and column count from 1. */
export interface FormatProblem {
  line: number;
  column: number;
  message: string;
}

export type FormatsResult = { ok: true; formats: UserFormats } | { ok: false; problems: FormatProblem[] };

type Path = readonly (string | number)[];

/** Reads a formats file (docs/formats.md). Never throws; returns all problems at once, in the order of the text. */
export function parseFormats(text: string): FormatsResult {
  if (Buffer.byteLength(text) > maxFormatsBytes)
    return failed(`a formats file has at most ${maxFormatsBytes} bytes`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const problems: FormatProblem[] = [];
  const report = (offset: number, message: string): void => {
    const { line, col } = lines.linePos(offset);
    problems.push({ line: Math.max(1, line), column: Math.max(1, col), message });
  };
  for (const { pos, message } of [...document.errors, ...document.warnings]) report(pos[0], message);
  if (problems.length > 0) return { ok: false, problems };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return failed((error as Error).message);
  }
  const parsed = formatsFileSchema.safeParse(value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const path = issue.path as (string | number)[];
      const key = issue.code === 'unrecognized_keys' ? issue.keys[0]! : undefined;
      report(
        offsetOf(document, key === undefined ? path : [...path, key]),
        `${pathText(path)}${issue.message}`,
      );
    }
    return { ok: false, problems: sorted(problems) };
  }
  const formats: UserFormat[] = [];
  const names = new Set<string>();
  for (const [i, format] of parsed.data.formats.entries()) {
    if (names.has(format.name))
      report(offsetOf(document, ['formats', i, 'name']), `another format has the name ${format.name}`);
    names.add(format.name);
    const compiled = compile(format, (key, message, shift) =>
      report(offsetOf(document, ['formats', i, key]) + shift, message),
    );
    if (compiled !== undefined) formats.push(compiled);
  }
  return problems.length > 0
    ? { ok: false, problems: sorted(problems) }
    : { ok: true, formats: createUserFormats(formats) };
}

function compile(
  format: FormatText,
  report: (key: string, message: string, shift: number) => void,
): UserFormat | undefined {
  let compiled: UserFormat;
  try {
    compiled = compileFormat(format);
  } catch (error) {
    const isPattern = error instanceof PatternError;
    const key = isPattern ? 'pattern' : /time zone/.test((error as Error).message) ? 'timezone' : 'time';
    report(
      key,
      `${format.name}: ${(error as Error).message}`,
      isPattern && typeof format.pattern === 'string' ? error.at : 0,
    );
    return undefined;
  }
  for (const example of format.examples ?? [])
    if (compiled.read(example, localContext(Date.now())) === undefined)
      report('examples', `${format.name}: an example does not fit: ${example}`, 0);
  return compiled;
}

function failed(message: string): FormatsResult {
  return { ok: false, problems: [{ line: 1, column: 1, message }] };
}

function sorted(problems: FormatProblem[]): FormatProblem[] {
  return problems.sort((a, b) => a.line - b.line || a.column - b.column);
}

/** Where the value of a path begins in the text; of the nearest there is. A quote in front of it is not counted. */
function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (!isNode(node) || node.range === undefined || node.range === null) continue;
    const isQuoted = isScalar(node) && (node.type === 'QUOTE_SINGLE' || node.type === 'QUOTE_DOUBLE');
    return node.range[0] + (isQuoted ? 1 : 0);
  }
  return 0;
}

function pathText(path: Path): string {
  if (path.length === 0) return '';
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('');
  return `${text.slice(1)}: `;
}
