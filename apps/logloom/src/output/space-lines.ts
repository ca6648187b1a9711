import type { SpaceReport } from '@logloom/runtime';
import { colors as pc } from './colors.ts';

/** Smaller files are of no interest: they are counted in the sum. */
const smallest = 2 ** 20;
const soonDays = 7;

/** The space as text: what takes most, what is free, and when that will be used up if it is known. */
export function spaceLines({ topics, stores, others, all, disk, growth, daysLeft }: SpaceReport): string[] {
  const parts = [
    ...Object.entries(topics),
    ...Object.entries(stores).map(([name, bytes]): [string, number] => [`stores/${name}`, bytes]),
    ...Object.entries(others),
  ].filter(([, bytes]) => bytes >= smallest);
  const free = `${formatBytes(disk.free)} of ${formatBytes(disk.size)} free, ${formatBytes(disk.reserve)} in reserve`;
  return [
    `  ${'data'.padEnd(24)} ${formatBytes(all)}`,
    ...parts
      .sort(([, a], [, b]) => b - a)
      .map(([name, bytes]) => `    ${name.padEnd(22)} ${formatBytes(bytes)}`),
    `  ${'disk'.padEnd(24)} ${disk.free < disk.reserve ? pc.red(`full: ${free}`) : free}`,
    ...(growth === null ? [] : [`  ${'growth'.padEnd(24)} ${growthText(growth, daysLeft)}`]),
  ];
}

function growthText(
  { bytesPerDay, windowSeconds }: NonNullable<SpaceReport['growth']>,
  daysLeft: number | null,
): string {
  const rate = `${bytesPerDay < 0 ? '-' : ''}${formatBytes(Math.abs(bytesPerDay))} a day (measured over ${(windowSeconds / 3600).toFixed(1)} h)`;
  if (daysLeft === null) return rate;
  const left = `full in ${daysLeft < 10 ? daysLeft.toFixed(1) : Math.round(daysLeft)} days`;
  return `${rate}: ${daysLeft < soonDays ? pc.yellow(left) : left}`;
}

/** With the decimal units that disks are sold in. */
function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}
