export interface ChartScale {
  /** Where the marks of the axis are, ascending. */
  ticks: readonly number[];
  /** The place of a value, 0 at the bottom of the axis to 1 at its top. */
  placeOf(value: number): number;
}

/** From zero to a round number that is not below the highest value. */
export function linearScale(highest: number): ChartScale {
  const marks = 4;
  const rough = (highest > 0 ? highest : 1) / marks;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * (1 - 1e-9))! * power;
  const count = Math.ceil((highest > 0 ? highest : 1) / step - 1e-9);
  const top = count * step;
  return {
    ticks: Array.from({ length: count + 1 }, (_, i) => i * step),
    placeOf: (value) => value / top,
  };
}

/** From zero in powers of two, for bytes. */
export function binaryScale(highest: number): ChartScale {
  const step = 2 ** Math.ceil(Math.log2(Math.max(4, highest) / 4));
  const count = Math.ceil(Math.max(1, highest / step));
  return {
    ticks: Array.from({ length: count + 1 }, (_, i) => i * step),
    placeOf: (value) => value / (count * step),
  };
}

/** Powers of ten around the values, so that a quiet minute and an outage can be read in one chart. Values of zero and below are at its bottom. */
export function logarithmicScale(lowest: number, highest: number): ChartScale {
  const from = Math.floor(Math.log10(lowest > 0 ? lowest : 1));
  const to = Math.max(from + 1, Math.ceil(Math.log10(highest > 0 ? highest : 1) - 1e-9));
  return {
    ticks: Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i)),
    placeOf: (value) => (value > 0 ? Math.max(0, (Math.log10(value) - from) / (to - from)) : 0),
  };
}
