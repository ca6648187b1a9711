/** Texts for people. The level names, lowest first. */
export const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

const number = new Intl.NumberFormat();

/** @param {number} value */
export function formatCount(value) {
  return number.format(value);
}

/** @param {number} count @param {string} one @param {string} [many] */
export function plural(count, one, many = `${one}s`) {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** @param {number} value @param {number} width */
function pad(value, width) {
  return String(value).padStart(width, '0');
}

/** The local time of day with milliseconds, e.g. 13:05:09.042. @param {string} timestamp RFC 3339 */
export function formatClock(timestamp) {
  const at = new Date(timestamp);
  if (Number.isNaN(at.getTime())) return timestamp;
  return `${pad(at.getHours(), 2)}:${pad(at.getMinutes(), 2)}:${pad(at.getSeconds(), 2)}.${pad(at.getMilliseconds(), 3)}`;
}

/** The local date, e.g. 2026-01-30. @param {string | number} timestamp RFC 3339 or epoch ms */
export function formatDate(timestamp) {
  const at = new Date(timestamp);
  return `${at.getFullYear()}-${pad(at.getMonth() + 1, 2)}-${pad(at.getDate(), 2)}`;
}

/** Local date and time to the second; the form that `<input type="datetime-local">` takes when `separator` is T. @param {string | number} timestamp @param {string} [separator] */
export function formatDateTime(timestamp, separator = ' ') {
  return `${formatDate(timestamp)}${separator}${formatClock(new Date(timestamp).toISOString()).slice(0, 8)}`;
}

/** @param {number} ms */
export function formatDuration(ms) {
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h ${Math.round((ms % 3_600_000) / 60_000)} min`;
  return `${(ms / 86_400_000).toFixed(1)} days`;
}

/** Microseconds since 1970 of RFC 3339 with up to six decimals; `Date` alone would cut them to three. @param {string} timestamp */
export function microsOf(timestamp) {
  const fraction = /\.(\d+)/.exec(timestamp)?.[1] ?? '';
  return Date.parse(timestamp) * 1000 + Number(fraction.slice(3, 6).padEnd(3, '0'));
}
