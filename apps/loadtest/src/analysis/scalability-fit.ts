/** Throughput at a load, both in any units. */
export interface Point {
  load: number;
  throughput: number;
}

export interface Curve {
  gamma: number;
  sigma: number;
  kappa: number;
}

const steps = 200;
/** Ends when a step changes the sum of squares by less than this share. */
const tolerance = 1e-10;

/** Gunther's universal scalability law, with loads in units of the lowest. */
export function throughputAt({ gamma, sigma, kappa }: Curve, load: number): number {
  return (gamma * load) / (1 + sigma * (load - 1) + kappa * load * (load - 1));
}

/**
 * The curve with the least squares, by Levenberg and Marquardt's method; coefficients are kept from being negative, as contention and crosstalk
 * cannot be. Needs three different loads; null below.
 *
 * N. J. Gunther, Guerrilla Capacity Planning (2007), chapter 4 to 6; J. J. Moré, The Levenberg-Marquardt Algorithm (1978).
 */
export function fitCurve(points: readonly Point[]): { curve: Curve; rootMeanSquareError: number } | null {
  if (new Set(points.map(({ load }) => load)).size < 3) return null;
  const first = points.reduce((low, point) => (point.load < low.load ? point : low));
  let at: Curve = { gamma: first.throughput / first.load, sigma: 0.01, kappa: 1e-4 };
  let error = squares(at, points);
  let damping = 1e-3;
  for (let step = 0; step < steps; step++) {
    const { matrix, vector } = normalEquations(at, points);
    const damped = matrix.map((row, i) =>
      row.map((value, j) => (i === j ? value * (1 + damping) + 1e-15 : value)),
    );
    const change = solve(damped, vector);
    if (change === null) break;
    const next: Curve = {
      gamma: Math.max(0, at.gamma + change[0]!),
      sigma: Math.max(0, at.sigma + change[1]!),
      kappa: Math.max(0, at.kappa + change[2]!),
    };
    const nextError = squares(next, points);
    if (nextError <= error) {
      const isSettled = error - nextError <= tolerance * error;
      [at, error, damping] = [next, nextError, damping / 3];
      if (isSettled && step > 10) break;
    } else damping *= 4;
    if (damping > 1e12) break;
  }
  return { curve: at, rootMeanSquareError: Math.sqrt(error / points.length) };
}

function squares(curve: Curve, points: readonly Point[]): number {
  return points.reduce((sum, { load, throughput }) => sum + (throughput - throughputAt(curve, load)) ** 2, 0);
}

function normalEquations(curve: Curve, points: readonly Point[]): { matrix: number[][]; vector: number[] } {
  const matrix = [
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ];
  const vector = [0, 0, 0];
  for (const { load, throughput } of points) {
    const denominator = 1 + curve.sigma * (load - 1) + curve.kappa * load * (load - 1);
    const value = (curve.gamma * load) / denominator;
    const slope = [
      load / denominator,
      (-value * (load - 1)) / denominator,
      (-value * load * (load - 1)) / denominator,
    ];
    for (let i = 0; i < 3; i++) {
      vector[i] = vector[i]! + slope[i]! * (throughput - value);
      for (let j = 0; j < 3; j++) matrix[i]![j] = matrix[i]![j]! + slope[i]! * slope[j]!;
    }
  }
  return { matrix, vector };
}

/** Three linear equations, by Cramer's rule; null where they have no single solution. */
function solve(matrix: readonly (readonly number[])[], vector: readonly number[]): number[] | null {
  const of = determinant(matrix);
  if (!Number.isFinite(of) || of === 0) return null;
  return [0, 1, 2].map(
    (column) =>
      determinant(matrix.map((row, i) => row.map((value, j) => (j === column ? vector[i]! : value)))) / of,
  );
}

function determinant([a, b, c]: readonly (readonly number[])[]): number {
  return (
    a![0]! * (b![1]! * c![2]! - b![2]! * c![1]!) -
    a![1]! * (b![0]! * c![2]! - b![2]! * c![0]!) +
    a![2]! * (b![0]! * c![1]! - b![1]! * c![0]!)
  );
}

/** The highest throughput at loads up to `highest`: at the curve's peak, or before it. */
export function mostThroughput(curve: Curve, highest: number): number {
  const peak = curve.kappa > 0 ? Math.sqrt(Math.max(0, 1 - curve.sigma) / curve.kappa) : Infinity;
  return throughputAt(curve, Math.min(Math.max(1, peak), highest));
}
