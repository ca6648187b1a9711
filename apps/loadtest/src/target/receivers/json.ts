import type { BatchFate } from '../sender.ts';

/** Of `POST /ingest`: 400 too may say of each line what became of it. */
export function jsonFate({ status, text }: { status: number; text: string }): BatchFate | undefined {
  const isOk = status === 200;
  if (!isOk && status !== 400) return undefined;
  let rejected: { line: number }[] | undefined;
  try {
    ({ rejected } = JSON.parse(text) as { rejected?: { line: number }[] });
  } catch (error) {
    // A proxy refuses in its own words; but only JSON tells what was stored.
    if (isOk) throw error;
    return undefined;
  }
  if (!isOk && !Array.isArray(rejected)) return undefined;
  return { fate: 'stored', rejected: (rejected ?? []).map(({ line }) => line) };
}
