import { formatDateTime } from './format.js';

const minute = 60_000;

/** The ranges to choose from: name in the URL, label, length in ms. */
export const ranges = /** @type {const} */ ([
  ['15m', 'Last 15 minutes', 15 * minute],
  ['1h', 'Last hour', 60 * minute],
  ['6h', 'Last 6 hours', 360 * minute],
  ['24h', 'Last 24 hours', 1440 * minute],
  ['7d', 'Last 7 days', 7 * 1440 * minute],
  ['all', 'All time', undefined],
  ['custom', 'From … to', undefined],
]);
export const defaultRange = '24h';

/**
 * The bounds from the URL's parameters, in epoch ms; an absent bound is open.
 * @param {Record<string, string>} parameters
 * @param {number} now
 * @returns {{ from?: number, to?: number }}
 */
export function boundsOf(parameters, now) {
  const name = parameters['range'] ?? defaultRange;
  if (name === 'custom') {
    const from = Number(parameters['from'] || Number.NaN);
    const to = Number(parameters['to'] || Number.NaN);
    return { ...(Number.isFinite(from) && { from }), ...(Number.isFinite(to) && { to }) };
  }
  const length = ranges.find(([known]) => known === name)?.[2];
  return length === undefined ? {} : { from: now - length, to: now };
}

/** @param {number | undefined} time epoch ms @returns {string} the value of a datetime-local input */
export function inputValue(time) {
  return time === undefined ? '' : formatDateTime(time, 'T');
}
