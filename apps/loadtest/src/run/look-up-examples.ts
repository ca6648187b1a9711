import { ownEvents } from '../generator/logloom-filter.ts';
import type { DeliveryResult, Example, Finding } from '../result.ts';
import { getJson, type SearchTarget } from '../target/get-json.ts';

/**
 * Adds to the example of each finding where its event is: id, partition, offset and a command that prints it. An event that a viewer did not
 * get has a place in the log all the same, and one that has none was lost before.
 */
export async function lookUpExamples(
  target: SearchTarget,
  run: string,
  delivery: DeliveryResult,
): Promise<DeliveryResult> {
  const found = await Promise.all(
    Object.entries(delivery).map(async ([key, value]): Promise<[string, unknown]> => {
      const finding = value as Partial<Finding>;
      if (!finding.example) return [key, value];
      return [key, { ...finding, example: await lookUp(target, run, finding.example) }];
    }),
  );
  return Object.fromEntries(found) as unknown as DeliveryResult;
}

async function lookUp(target: SearchTarget, run: string, example: Example): Promise<Example> {
  if (example.event === null) return example;
  const filter = `${ownEvents(run, target.isHidden)} AND attributes.loadtest.n:${example.event}`;
  const answer = await getJson<{ events: { id: string; partition: number; offset: number }[] }>(
    target,
    `/api/search?q=${encodeURIComponent(filter)}&limit=1`,
  );
  // No search, or one that does not respond.
  if (answer === undefined) return example;
  const [event] = answer.events;
  if (event === undefined) return { ...example, detail: `${example.detail}; the search does not find it` };
  return {
    ...example,
    partition: example.partition ?? event.partition,
    offset: example.offset ?? event.offset,
    id: event.id,
    lookUp: `logloom search --url ${target.url} --json '${filter}'`,
  };
}
