const format = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });

/** A number for a reader: three digits, whole from 1,000 on. */
export function figure(value: number): string {
  return (Math.abs(value) >= 1000 ? whole : format).format(value);
}
