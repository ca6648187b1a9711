/** What finds secrets in a text. */
export interface Detector {
  name: string;
  pattern: RegExp;
  /** Replaces what is secret in a match; without it all of it is. */
  within?: (match: string, replacement: (secret: string) => string) => string;
}

/** The secrets that can be looked for by name. None of the patterns can take long: what follows a repetition is not in its class. */
export const detectors: readonly Detector[] = [
  { name: 'token', pattern: /(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*/g },
  { name: 'token', pattern: /\b(?:bearer|apikey|basic) {1,4}[\w.~+/=-]{8,}/gi },
  { name: 'card', pattern: /(?<!\d|\d\.)\d(?:[ -]?\d){12,}/g, within: replaceCards },
  {
    name: 'email',
    pattern: /[\p{L}\p{N}_.!#$%&'*+/=?^`{|}~-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,8}/gu,
  },
];

/** Lengths by first digit, as the card networks issue them (ISO/IEC 7812). */
const cardShape = /^(?:4(?:\d{12}|\d{15}|\d{18})|[25]\d{15}|3\d{13,15}|6\d{15,18})$/;
const maxCardDigits = 19;

/** Looks for cards among groups of digits: another number may stand right beside one. */
function replaceCards(match: string, replacement: (secret: string) => string): string {
  const parts = match.split(/([ -])/);
  let result = '';
  for (let from = 0; from < parts.length; from += 2) {
    let digits = '';
    let to = from;
    let end = -1;
    for (; to < parts.length && digits.length <= maxCardDigits; to += 2) {
      digits += parts[to]!;
      if (isCardNumber(digits)) end = to;
    }
    if (end >= 0) {
      result += replacement(parts.slice(from, end + 1).join(''));
      from = end;
    } else result += parts[from]!;
    result += parts[from + 1] ?? '';
  }
  return result;
}

/** Shape and Luhn check of ISO/IEC 7812-1. */
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

/** The text with `replacement` for each secret that the detectors find. */
export function redactText(
  text: string,
  chosen: readonly Detector[],
  replacement: (rule: string, match: string) => string,
): string {
  let result = text;
  for (const { name, pattern, within } of chosen) {
    const replace = (secret: string): string => (secret === '' ? '' : replacement(name, secret));
    result = result.replace(pattern, (match) =>
      within === undefined ? replace(match) : within(match, replace),
    );
  }
  return result;
}
