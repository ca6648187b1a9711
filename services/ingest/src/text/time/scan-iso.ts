import { parts, scanDigits, scanFraction, scannedEnd, scanZone } from './scan-parts.ts';

/**
 * Reads ISO 8601 and its relatives: 2025-03-14T09:26:53.589Z, a blank or an underscore for the T, a comma for the point, slashes or points
 * in the date, an hour of one digit, and a zone by offset or name, also behind a blank. Returns the place behind it, or -1.
 */
export function scanIso(text: string, at: number, end: number): number {
  parts.year = scanDigits(text, at, end, 4, 4);
  if (parts.year < 0) return -1;
  const separator = text.charCodeAt(at + 4);
  if (separator !== 0x2d && separator !== 0x2f && separator !== 0x2e) return -1;
  parts.month = scanDigits(text, at + 5, end, 1, 2);
  if (parts.month < 0 || text.charCodeAt(scannedEnd) !== separator) return -1;
  parts.day = scanDigits(text, scannedEnd + 1, end, 1, 2);
  if (parts.day < 0) return -1;
  const clock = clockStart(text, scannedEnd, end);
  return clock < 0 ? -1 : scanClock(text, clock, end);
}

function clockStart(text: string, at: number, end: number): number {
  const code = text.charCodeAt(at);
  if (code === 0x54 || code === 0x74 || code === 0x5f) return at + 1;
  if (code === 0x3a || code === 0x2c) return text.charCodeAt(at + 1) === 0x20 ? at + 2 : at + 1;
  if (text.startsWith('][', at)) return at + 2;
  let i = at;
  while (i < end && i - at < 3 && (text.charCodeAt(i) === 0x20 || text.charCodeAt(i) === 0x09)) i++;
  return i === at ? -1 : i;
}

/** Reads 9:26:53.589 with its zone. */
export function scanClock(text: string, at: number, end: number): number {
  parts.hour = scanDigits(text, at, end, 1, 2);
  if (parts.hour < 0 || text.charCodeAt(scannedEnd) !== 0x3a) return -1;
  parts.minute = scanDigits(text, scannedEnd + 1, end, 2, 2);
  if (parts.minute < 0) return -1;
  let behind = scannedEnd;
  if (text.charCodeAt(behind) === 0x3a) {
    parts.second = scanDigits(text, behind + 1, end, 2, 2);
    if (parts.second < 0) return -1;
    behind = scannedEnd;
    const mark = text.charCodeAt(behind);
    const isPoint = mark === 0x2e || mark === 0x2c;
    // 09:26:53:589, as Windows writes it.
    const isColon =
      mark === 0x3a && scanDigits(text, behind + 1, end, 3, 4) >= 0 && scannedEnd === behind + 4;
    const fraction = isPoint || isColon ? scanFraction(text, behind + 1, end) : -1;
    if (fraction > 0) behind = fraction;
  }
  const half = text.charCodeAt(behind) === 0x20 ? behind + 1 : behind;
  if ((text.charCodeAt(half + 1) | 0x20) === 0x6d && /^[AaPp]$/.test(text.charAt(half))) {
    parts.half = /[Aa]/.test(text.charAt(half)) ? 1 : 2;
    behind = half + 2;
  }
  const joined = behind < end ? scanZone(text, behind, end, false) : -1;
  if (joined > 0) return joined;
  if (text.charCodeAt(behind) !== 0x20) return behind;
  const apart = scanZone(text, behind + 1, end, true);
  return apart > 0 ? apart : behind;
}
