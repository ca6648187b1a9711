import { unitMs } from '@logloom/schemas';

const prometheusUnitMs: Readonly<Record<string, number>> = { ...unitMs, w: 604_800_000, y: 31_536_000_000 };

/** A time such as 1h30m, in ms; NaN for anything else. */
export function prometheusDurationMs(text: string): number {
  if (text === '0') return 0;
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[smhdwy]))+$/.test(text)) return Number.NaN;
  return text
    .match(/\d+(?:\.\d+)?(?:ms|[smhdwy])/g)!
    .reduce(
      (sum, part) => sum + Number.parseFloat(part) * prometheusUnitMs[part.replaceAll(/[\d.]/g, '')]!,
      0,
    );
}

/** A time of a rule, in the largest unit that has no fraction. */
export function durationText(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const)
    if (ms % unitMs[unit]! === 0) return `${ms / unitMs[unit]!}${unit}`;
  return `${ms}ms`;
}
