const timesMs = [
  { unit: 'h', ms: 3_600_000 },
  { unit: 'min', ms: 60_000 },
  { unit: 's', ms: 1000 },
];

/**
 * What a rule measured, as people read it: `10.1 %`, `2.07 s`, `2.9/s`. What it is measured in follows from the first comparison of its
 * condition, such as `ratio(level:error) > 5% and count >= 20 in 5m`.
 */
export function measuredText(condition: string, value: number): string {
  if (/^ratio\s*\(/i.test(condition)) return `${rounded(value * 100)} %`;
  const rate = /^rate\s*[<>]=?\s*[\d.]+\s*\/\s*([smh])/i.exec(condition);
  if (rate !== null) return `${rounded(value)}/${rate[1]!.toLowerCase()}`;
  const ofField = /^(?:p\d\d?(?:_\d+)?|sum|avg|min|max)\s*\(([^()]*)\)\s*[<>]=?\s*[\d.]+\s*(ms|[smhd])?/i;
  const [, field, unit] = ofField.exec(condition) ?? [];
  const isTime = field !== undefined && (unit !== undefined || /Ms\s*$/.test(field));
  return isTime ? timeText(value) : rounded(value);
}

function timeText(ms: number): string {
  const { unit, ms: unitMs } = timesMs.find((each) => Math.abs(ms) >= each.ms) ?? { unit: 'ms', ms: 1 };
  return `${rounded(ms / unitMs)} ${unit}`;
}

/** Whole numbers as they are, others to three digits. */
function rounded(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return String(Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3)));
}
