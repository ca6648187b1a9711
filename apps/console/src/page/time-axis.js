import { formatClock, formatDate } from './format.js';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const steps = [
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  ...[1, 2, 5, 10, 15, 30].map((count) => count * second),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minute),
  ...[1, 2, 3, 6, 12].map((count) => count * hour),
  ...[1, 2, 7, 14, 30, 90, 180, 365].map((count) => count * day),
];

/** The smallest round step, in ms, that divides a span into at most `count` parts. @param {number} span @param {number} count */
function roundStep(span, count) {
  return steps.find((step) => span / step <= count) ?? Math.ceil(span / count / (365 * day)) * 365 * day;
}

/**
 * The smallest step of the form 1, 2 or 5 times a power of ten that divides a span into at most `count` parts. @param {number} span @param
 * {number} count
 */
export function decimalStep(span, count) {
  const least = span / count;
  const power = 10 ** Math.floor(Math.log10(least));
  return (least <= power ? 1 : least <= 2 * power ? 2 : least <= 5 * power ? 5 : 10) * power;
}

/**
 * Round local times between two ends, at most `count`, with their labels.
 * @param {number} from epoch ms
 * @param {number} to
 * @param {number} count
 */
export function timeTicks(from, to, count) {
  const step = roundStep(to - from, count);
  const zone = new Date(from).getTimezoneOffset() * minute;
  const ticks = [];
  for (let at = Math.ceil((from - zone) / step) * step + zone; at <= to; at += step) {
    ticks.push({ at, label: tickLabel(at, step) });
  }
  return ticks;
}

/** @param {number} at @param {number} step */
function tickLabel(at, step) {
  const clock = formatClock(new Date(at).toISOString());
  if (step >= day) return formatDate(at).slice(step >= 90 * day ? 0 : 5);
  if (clock.startsWith('00:00:00.000')) return formatDate(at).slice(5);
  return step >= minute ? clock.slice(0, 5) : step >= second ? clock.slice(0, 8) : clock;
}
