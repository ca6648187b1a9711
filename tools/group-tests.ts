import { longestFirst, longestTests } from './longest-tests.ts';

/** Most of a unit test's time would go into loading the modules that it shares with its neighbours. */
const unitFilesTogether = 30;
/** A third of the time of a service's integration tests would, too. Fewer, so that no lane is left with a long job at the end. */
const serviceFilesTogether = 8;
/** Tests that share a running engine (infra/local/shared-stack.ts). */
const onOneEngine: readonly (readonly string[])[] = [
  [
    'libs/search-store/src/elasticsearch/elasticsearch-search-store.int.test.ts',
    'libs/search-store/src/elasticsearch/faults.int.test.ts',
    'services/indexer/src/jobs/verify-elasticsearch.int.test.ts',
  ],
];

/** The test files in the order in which they begin, those together that share a process. */
export function groupTests({ unit, integration }: { unit: string[]; integration: string[] }): string[][] {
  const found = new Set(integration);
  const sharing = onOneEngine.map((files) => files.filter((file) => found.has(file)));
  const shared = new Set(sharing.flat());
  // The tests of a service beside its source run it in their own process.
  const isOfService = (file: string): boolean =>
    file.startsWith('services/') && !longestTests.includes(file) && !shared.has(file);
  const alone = longestFirst(integration.filter((file) => !shared.has(file) && !isOfService(file)));
  const [long, short] = [true, false].map((isLong) =>
    alone.filter((file) => longestTests.includes(file) === isLong).map((file) => [file]),
  ) as [string[][], string[][]];
  return [
    ...sharing,
    ...long,
    ...slices(integration.filter(isOfService), serviceFilesTogether),
    ...slices(unit, unitFilesTogether),
    ...short,
  ].filter((files) => files.length > 0);
}

function slices<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}
