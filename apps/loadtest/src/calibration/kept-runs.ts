import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { calibrate, isVoid, type Calibration } from './calibration.ts';
import type { KnownRun } from './known-run.ts';

/** The runs that ship with the load test. */
export const shippedRuns = join(import.meta.dirname, 'kept');

const suffix = '.json.gz';

/** All runs of a folder: a file for each injection. */
export function readKnownRuns(folder: string): KnownRun[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(suffix))
    .sort()
    .flatMap((name) => JSON.parse(gunzipSync(readFileSync(join(folder, name))).toString()) as KnownRun[]);
}

/** Adds a run to a folder, which it makes, and brings calibration.json there up to date. A void run is not kept; returns whether it was. */
export function keepRun(run: KnownRun, folder: string): boolean {
  if (isVoid(run)) return false;
  mkdirSync(folder, { recursive: true });
  const all = [...readKnownRuns(folder), run];
  const ofKind = all.filter(({ injection }) => injection === run.injection);
  writeFileSync(join(folder, `${run.injection}${suffix}`), gzipSync(JSON.stringify(ofKind), { level: 9 }));
  writeCalibration(calibrate(all), folder);
  return true;
}

export function writeCalibration(calibration: Calibration, folder: string): void {
  writeFileSync(join(folder, 'calibration.json'), `${JSON.stringify(calibration, null, 2)}\n`);
}
