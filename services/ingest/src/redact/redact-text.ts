import { decodeEscapes, type DecodedText } from './decode-escapes.ts';

/** Finds secrets in a text. */
export interface Detector {
  name: string;
  pattern: RegExp;
  /** Replaces the secret part of a match; unset: the whole match is secret. */
  within?: (match: string, replacement: (secret: string) => string) => string;
}

/** Separators between the groups of a card number: spaces and dashes of every kind, and dots. */
const separator = '[ \\t\\u00a0\\u2000-\\u200b\\u202f\\u205f\\u3000\\ufeff\\u2010-\\u2015\\u2212_.-]';

/** The detectors that the settings can name. Their patterns run in linear time: what follows a repetition is not in its class. */
export const detectors: readonly Detector[] = [
  { name: 'token', pattern: /(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*/g },
  { name: 'token', pattern: /\b(?:bearer|apikey|basic)[ \t\u00a0]{1,4}[\w.~+/=-]{8,}/gi },
  { name: 'token', pattern: /\bbearer[:=]\s{0,4}[\w.~+/=-]{8,}/gi },
  { name: 'token', pattern: knownTokens() },
  {
    name: 'token',
    pattern:
      /-----BEGIN (?:[A-Z]{1,10} ){0,2}PRIVATE KEY-----[^-]{1,16384}(?:-----END (?:[A-Z]{1,10} ){0,2}PRIVATE KEY-----)?/g,
  },
  // Only the user and password of a URL are secret; the rest shows what was called.
  {
    name: 'token',
    pattern: /:\/\/[^\s:/@]{0,64}:[^\s:/@]{1,128}@/g,
    within: (match, replacement) => `://${replacement(match.slice(3, -1))}@`,
  },
  { name: 'card', pattern: new RegExp(`(?<!\\d)\\d(?:${separator}?\\d){12,}`, 'g'), within: replaceCards },
  {
    name: 'email',
    pattern: /[\p{L}\p{N}_.!#$%&'*+/=?^`{|}~-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,8}/gu,
  },
];

/** Tokens with a prefix of their provider, in the shapes that the providers document for secret scanners. */
function knownTokens(): RegExp {
  const shapes = [
    'gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\\w{22,255}', // GitHub
    'gl(?:pat|rt|dt|ptt)-[\\w-]{20,255}', // GitLab
    '(?:AKIA|ASIA)[A-Z0-9]{16}', // AWS
    'xox[abeoprs]-[A-Za-z0-9-]{10,255}', // Slack
    '(?:[rs]k_(?:live|test)|whsec)_[A-Za-z0-9]{16,255}', // Stripe
    'AIza[\\w-]{35}', // Google
    'npm_[A-Za-z0-9]{36}', // npm
    'SG\\.[\\w-]{16,64}\\.[\\w-]{16,64}', // SendGrid
    'sk-(?:(?:ant|proj|svcacct|admin)-[\\w-]{20,255}|[A-Za-z0-9]{32,255})', // Anthropic, OpenAI
  ];
  return new RegExp(`(?<![\\w-])(?:${shapes.join('|')})`, 'g');
}

/** The lengths of card numbers by first digit, as the networks issue them (ISO/IEC 7812). */
const cardShape = /^(?:4(?:\d{12}|\d{15}|\d{18})|[25]\d{15}|3\d{13,15}|6\d{15,18})$/;
const maxCardDigits = 19;

const betweenGroups = new RegExp(`(${separator})`);
/** How card numbers are grouped. Other digits around a dot are a fraction, an address or a version. */
const layouts = new Set(['4.4.4.4', '4.4.4.4.3', '4.6.5', '4.6.4', '4.4.4.1']);

/** Looks for card numbers among groups of digits: another number may stand right beside one, and zeros in front, as of a padded id. */
function replaceCards(match: string, replacement: (secret: string) => string): string {
  const zeros = /^0*/.exec(match)![0];
  const parts = match.slice(zeros.length).split(betweenGroups);
  let result = zeros;
  for (let from = 0; from < parts.length; from += 2) {
    let digits = '';
    let to = from;
    let end = -1;
    for (; to < parts.length && digits.length <= maxCardDigits; to += 2) {
      digits += parts[to]!;
      if (isCardNumber(digits) && areCardGroups(parts, from, to)) end = to;
    }
    if (end >= 0) {
      result += replacement(parts.slice(from, end + 1).join(''));
      from = end;
    } else result += parts[from]!;
    result += parts[from + 1] ?? '';
  }
  return result;
}

/** Whether the dots between these groups can be those of a card number; groups and separators alternate. */
function areCardGroups(parts: readonly string[], from: number, to: number): boolean {
  const separators = parts.slice(from + 1, to).filter((_, i) => i % 2 === 0);
  if (!separators.includes('.')) return parts[from - 1] !== '.';
  return layouts.has(
    parts
      .slice(from, to + 1)
      .filter((_, i) => i % 2 === 0)
      .map(({ length }) => length)
      .join('.'),
  );
}

/** Checks length and Luhn digit (ISO/IEC 7812-1). */
export function isCardNumber(digits: string): boolean {
  if (!cardShape.test(digits)) return false;
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 0 ? digit : digit * 2;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** Returns the text with `replacement` for each secret that the detectors find, also where it is percent-encoded. */
export function redactText(
  text: string,
  chosen: readonly Detector[],
  replacement: (rule: string, match: string) => string,
): string {
  let result = text;
  // Decoded once for all detectors that find nothing.
  let decoded: DecodedText | undefined;
  let decodedFrom: string | undefined;
  for (const detector of chosen) {
    result = replaceIn(result, detector, replacement);
    if (decodedFrom !== result) {
      decoded = result.includes('%') || result.includes('+') ? decodeEscapes(result) : undefined;
      decodedFrom = result;
    }
    if (decoded !== undefined) result = replaceEncoded(result, decoded, detector, replacement);
  }
  return result;
}

function replaceIn(
  text: string,
  { name, pattern, within }: Detector,
  replacement: (rule: string, match: string) => string,
): string {
  const replace = (secret: string): string => (secret === '' ? '' : replacement(name, secret));
  return text.replace(pattern, (match) => (within === undefined ? replace(match) : within(match, replace)));
}

/** Looks for secrets in the decoded text, and replaces their encoded form. */
function replaceEncoded(
  text: string,
  decoded: DecodedText,
  detector: Detector,
  replacement: (rule: string, match: string) => string,
): string {
  let result = '';
  let copied = 0;
  for (const match of decoded.text.matchAll(detector.pattern)) {
    const begin = decoded.starts[match.index]!;
    const end = decoded.starts[match.index + match[0].length]!;
    const written = text.slice(begin, end);
    const found = replaceIn(match[0], detector, (rule) => replacement(rule, written));
    // Skips matches that `within` leaves alone, and those that the text as it is has shown already.
    if (found === match[0]) continue;
    result += text.slice(copied, begin) + (detector.within === undefined ? found : encodeAround(found));
    copied = end;
  }
  return result + text.slice(copied);
}

/** Returns what a detector leaves of a match. Its replacement stays readable. */
function encodeAround(text: string): string {
  return text
    .split(/(\[redacted:[\w-]+\]|\*+)/)
    .map((part, i) => (i % 2 === 1 ? part : encodeURIComponent(part.toWellFormed())))
    .join('');
}
