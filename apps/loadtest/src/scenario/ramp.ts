import type { Stage } from './scenario.ts';

const defaultCount = 5;
/** An exponential ramp is drawn by this many lines; it is off by less than 0.1 % of the larger end for a growth of a hundred times. */
const exponentialPieces = 64;
/** A burst takes this share of its turn. */
const burstShare = 0.2;

/** The value goes from v0 to v1 in a straight line. */
interface Piece {
  t0: number;
  t1: number;
  v0: number;
  v1: number;
  /** The integral before it. */
  before: number;
}

/** A value over time, from stages: so many viewers, or so many events a second. Before and after the stages it stays as it is at the ends. */
export class Ramp {
  readonly seconds: number;
  readonly #pieces: Piece[] = [];

  /** `start` is the value before the first stage. */
  constructor(stages: readonly Stage[], start = 0) {
    let value = start;
    let time = 0;
    let before = 0;
    for (const stage of stages) {
      for (const [seconds, v0, v1] of linesOf(stage, value)) {
        this.#pieces.push({ t0: time, t1: time + seconds, v0, v1, before });
        before += ((v0 + v1) / 2) * seconds;
        time += seconds;
      }
      if (stage.shape === 'linear' || stage.shape === 'exponential' || stage.shape === 'steps')
        value = stage.to;
    }
    this.seconds = time;
  }

  /** The integral over all stages: how many events are due in all. */
  get total(): number {
    return this.integral(this.seconds);
  }

  /** The highest value of any moment. */
  get peak(): number {
    return Math.max(0, ...this.#pieces.map(({ v0, v1 }) => Math.max(v0, v1)));
  }

  valueAt(seconds: number): number {
    const piece = this.#pieceAt(seconds);
    if (piece === undefined) return 0;
    const { t0, t1, v0, v1 } = piece;
    const part = Math.min(1, Math.max(0, (seconds - t0) / (t1 - t0)));
    return v0 + (v1 - v0) * part;
  }

  /** How many events are due until then. */
  integral(seconds: number): number {
    const piece = this.#pieceAt(seconds);
    if (piece === undefined) return 0;
    const { t0, t1, v0, v1, before } = piece;
    const elapsed = Math.min(t1, Math.max(t0, seconds)) - t0;
    return exact(before + v0 * elapsed + ((v1 - v0) * elapsed * elapsed) / (2 * (t1 - t0)));
  }

  /** When the integral reaches `count` first, in seconds; Infinity if it never does. */
  timeOf(count: number): number {
    let low = 0;
    let high = this.#pieces.length - 1;
    if (count > this.total) return Infinity;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#pieces[middle]!.before < count) low = middle;
      else high = middle - 1;
    }
    const piece = this.#pieces[low];
    if (piece === undefined) return Infinity;
    const { t0, t1, v0, v1, before } = piece;
    const rest = count - before;
    if (rest <= 0) return t0;
    // rest = v0 x + slope x² / 2, in the form that does not cancel out when the slope is near 0.
    const slope = (v1 - v0) / (t1 - t0);
    const root = Math.sqrt(Math.max(0, v0 * v0 + 2 * slope * rest));
    return Math.min(t1, t0 + (2 * rest) / (v0 + root));
  }

  #pieceAt(seconds: number): Piece | undefined {
    let low = 0;
    let high = this.#pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#pieces[middle]!.t0 <= seconds) low = middle;
      else high = middle - 1;
    }
    return this.#pieces[low];
  }
}

/** Sums of parts are off by a little, and the last event must not be lost by it. */
function exact(value: number): number {
  const nearest = Math.round(value);
  return Math.abs(value - nearest) < 1e-6 ? nearest : value;
}

/** The stage as straight lines: seconds, from, to. */
function linesOf(
  { to, seconds, shape, count = defaultCount, rates = [] }: Stage,
  from: number,
): [number, number, number][] {
  switch (shape) {
    case 'linear':
      return [[seconds, from, to]];
    case 'exponential': {
      // From 0 no factor leads anywhere: it begins at 1.
      const [first, last] = [Math.max(from, 1), Math.max(to, 1)];
      const at = (i: number): number => first * (last / first) ** (i / exponentialPieces);
      return Array.from({ length: exponentialPieces }, (_, i) => [
        seconds / exponentialPieces,
        i === 0 ? from : at(i),
        i === exponentialPieces - 1 ? to : at(i + 1),
      ]);
    }
    case 'steps':
      return Array.from({ length: count }, (_, i) => {
        const value = from + ((to - from) * (i + 1)) / count;
        return [seconds / count, value, value];
      });
    case 'recorded':
      return rates.map((rate) => [seconds / rates.length, rate, rate]);
    case 'spike':
      return [
        [seconds / 2, from, to],
        [seconds / 2, to, from],
      ];
    case 'bursts':
      return Array.from({ length: count }).flatMap((): [number, number, number][] => [
        [(seconds / count) * (1 - burstShare), from, from],
        [(seconds / count) * burstShare, to, to],
      ]);
  }
}
