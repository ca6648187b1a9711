import type { Measured } from '../verdict/measured.ts';

/** A run whose cause is known. */
export interface KnownRun {
  injection: string;
  seed: number;
  /** When the fault was there; null: none was, or all the time. */
  fault: { fromS: number; toS: number } | null;
  run: Measured;
}
