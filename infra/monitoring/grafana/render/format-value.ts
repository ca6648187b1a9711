const binary = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
const decimal = ['', 'K', 'M', 'G', 'T'];

/** A value as Grafana writes it for the unit of a panel: `ops`, `reqps`, `short`, `bytes`, `Bps`, `s`, `percentunit`. Throws for others. */
export function formatValue(value: number, unit: string): string {
  switch (unit) {
    case 'ops':
      return `${scaled(value, 1000, decimal)}/s`;
    case 'reqps':
      return `${scaled(value, 1000, decimal)} req/s`;
    case 'short':
      return scaled(value, 1000, decimal);
    case 'bytes':
      return scaled(value, 1024, binary);
    case 'Bps':
      return `${scaled(value, 1024, binary)}/s`;
    case 's':
      return duration(value);
    case 'percentunit':
      return `${rounded(value * 100)} %`;
    default:
      throw new TypeError(`${unit} is a unit that panels do not have yet`);
  }
}

function scaled(value: number, base: number, prefixes: readonly string[]): string {
  const steps = value === 0 ? 0 : Math.floor(Math.log(Math.abs(value)) / Math.log(base));
  const step = Math.max(0, Math.min(prefixes.length - 1, steps));
  return `${rounded(value / base ** step)} ${prefixes[step]}`.trim();
}

function duration(seconds: number): string {
  const size = Math.abs(seconds);
  if (size === 0) return '0 s';
  if (size < 0.001) return `${rounded(seconds * 1e6)} µs`;
  if (size < 1) return `${rounded(seconds * 1000)} ms`;
  if (size < 120) return `${rounded(seconds)} s`;
  if (size < 7_200) return `${rounded(seconds / 60)} min`;
  return size < 172_800 ? `${rounded(seconds / 3_600)} h` : `${rounded(seconds / 86_400)} d`;
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(3)));
}
