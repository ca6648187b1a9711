import { levelOfText } from '../../event/parse-level.ts';

/** Reads a value: returns the place behind it, -1 where there is none. Never looks at a character more than a fixed number of times. */
export type Scan = (text: string, at: number, end: number) => number;

export interface FieldType {
  scan: Scan;
  /** The value of the text that was read; the text itself without it. */
  value?: (text: string) => unknown;
}

/** Whether each ASCII character is one of a class; `others`: those beyond. */
function charClass(pattern: RegExp, others: boolean): (code: number) => boolean {
  const table = Uint8Array.from({ length: 128 }, (_, code) =>
    pattern.test(String.fromCharCode(code)) ? 1 : 0,
  );
  return (code) => (code < 128 ? table[code] === 1 : others);
}

function run(pattern: RegExp, others = false, max = Infinity): Scan {
  const isMember = charClass(pattern, others);
  return (text, at, end) => {
    const limit = Math.min(end, at + max);
    let i = at;
    while (i < limit && isMember(text.charCodeAt(i))) i++;
    return i === at ? -1 : i;
  };
}

/** A run that does not end with one of these: `com.example.A:` is a logger and a colon. */
function trimmed(scan: Scan, ending: RegExp): Scan {
  const isEnding = charClass(ending, false);
  return (text, at, end) => {
    let i = scan(text, at, end);
    while (i > at && isEnding(text.charCodeAt(i - 1))) i--;
    return i <= at ? -1 : i;
  };
}

const digits = run(/\d/);

function signed(scan: Scan): Scan {
  return (text, at, end) => {
    const code = text.charCodeAt(at);
    return scan(text, code === 0x2d || code === 0x2b ? at + 1 : at, end);
  };
}

const decimal: Scan = (text, at, end) => {
  const whole = digits(text, at, end);
  if (whole < 0 || text.charCodeAt(whole) !== 0x2e) return whole;
  const fraction = digits(text, whole + 1, end);
  return fraction < 0 ? whole : fraction;
};

/** `"a \"b\""` with its quotes; they may also be single. */
const quoted: Scan = (text, at, end) => {
  const quote = text.charCodeAt(at);
  if (quote !== 0x22 && quote !== 0x27) return -1;
  for (let i = at + 1; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x5c) i++;
    else if (code === quote) return i + 1;
  }
  return -1;
};

const levelRun = run(/[A-Za-z]/, false, 16);
const levelStep = /[+-]\d{1,2}|\d(?!\d)/y;

/** A word that is a level; one letter alone is none. */
const level: Scan = (text, at, end) => {
  const behind = levelRun(text, at, end);
  if (behind < at + 2 || levelOfText(text.slice(at, behind)) === undefined) return -1;
  levelStep.lastIndex = behind;
  const step = levelStep.exec(text)?.[0].length ?? 0;
  return behind + step <= end ? behind + step : behind;
};

/** A number, or the digits where a number could not hold them. */
function numberOf(text: string): number | string {
  const number = Number(text);
  return Number.isFinite(number) && Math.abs(number) <= Number.MAX_SAFE_INTEGER ? number : text;
}

function unquoted(text: string): string {
  const inner = text.slice(1, -1);
  return inner.includes('\\') ? inner.replace(/\\(["'\\])/g, '$1') : inner;
}

const notSpace = run(/[^\s]/, true);
const host = trimmed(run(/[\w.:%-]/, true), /[:.]/);
const logger = trimmed(run(/[\w$.:/@#<>-]/, true), /[:.>-]/);
const name = run(/[\w.$+-]/, true);
const user = run(/[\w.@\\+-]/, true);
const hex = run(/[0-9a-fA-FxX]/);
const spaces: Scan = (text, at, end) => {
  let i = at;
  while (i < end && (text.charCodeAt(i) === 0x20 || text.charCodeAt(i) === 0x09)) i++;
  return i;
};
const uuid = /[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}/y;

/** The types that a pattern may name, those of grok among them. TIME and its relatives, DATA and GREEDYDATA are the compiler's. */
export const fieldTypes: Readonly<Record<string, FieldType>> = {
  WORD: { scan: run(/\w/, true) },
  DIGITS: { scan: digits },
  INT: { scan: signed(digits), value: numberOf },
  NUMBER: { scan: signed(decimal), value: numberOf },
  HEX: { scan: hex },
  NOTSPACE: { scan: notSpace },
  LOGGER: { scan: logger },
  HOST: { scan: host },
  IP: { scan: trimmed(run(/[0-9a-fA-F.:]/), /[:.]/) },
  NAME: { scan: name },
  USER: { scan: user },
  METHOD: { scan: run(/[A-Z]/, false, 20) },
  LETTER: { scan: (text, at, end) => (at < end && /[A-Za-z]/.test(text.charAt(at)) ? at + 1 : -1) },
  LEVEL: { scan: level },
  QUOTED: { scan: quoted, value: unquoted },
  SPACE: { scan: spaces },
  UUID: {
    scan: (text, at, end) => {
      uuid.lastIndex = at;
      return uuid.test(text) && uuid.lastIndex <= end ? uuid.lastIndex : -1;
    },
  },
};

/** Names of grok for the same. */
export const grokNames: Readonly<Record<string, string>> = {
  LOGLEVEL: 'LEVEL',
  POSINT: 'INT',
  NONNEGINT: 'INT',
  BASE10NUM: 'NUMBER',
  BASE16NUM: 'HEX',
  IPORHOST: 'HOST',
  HOSTNAME: 'HOST',
  IPV4: 'IP',
  IPV6: 'IP',
  USERNAME: 'USER',
  QS: 'QUOTED',
  QUOTEDSTRING: 'QUOTED',
  JAVACLASS: 'LOGGER',
  PROG: 'USER',
  PATH: 'NOTSPACE',
  UNIXPATH: 'NOTSPACE',
  URI: 'NOTSPACE',
  URIPATH: 'NOTSPACE',
  URIPATHPARAM: 'NOTSPACE',
};
