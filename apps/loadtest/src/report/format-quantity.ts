const count = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const threeDigits = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });
const prefixes = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** What a report shows where nothing was measured. */
export const notMeasured = 'not measured';

/** A number of things, in full: `12,034`. */
export function formatCount(value: number): string {
  return count.format(value);
}

/** Three significant digits, but whole numbers in full. */
export function formatNumber(value: number): string {
  return Number.isInteger(value) || Math.abs(value) >= 1_000
    ? count.format(value)
    : threeDigits.format(value);
}

export function formatMs(ms: number | null): string {
  return ms === null ? notMeasured : `${formatNumber(ms)} ms`;
}

export function formatSeconds(seconds: number | null): string {
  return seconds === null ? notMeasured : `${formatNumber(seconds)} s`;
}

export function formatBytes(bytes: number | null): string {
  if (bytes === null) return notMeasured;
  const steps = bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10);
  const step = Math.min(prefixes.length - 1, steps);
  return `${threeDigits.format(bytes / 1024 ** step)} ${prefixes[step]}`;
}

/** A share, 0 to 1, as per cent. */
export function formatShare(share: number | null): string {
  return share === null ? notMeasured : `${formatNumber(Number((share * 100).toFixed(3)))} %`;
}
