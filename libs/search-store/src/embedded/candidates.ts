import {
  parquetRows,
  ReadInterrupted,
  SliceIndex,
  wordsPath,
  type ReadView,
  type Slice,
} from '@logloom/column-store';
import { sqlLiteral, textCondition, type FilterNode, type KeywordField } from '@logloom/filter';

/** Rows of a slice that may match: those of some blocks, or all. */
export interface Candidates {
  slice: Slice;
  /** Undefined: the slice has no index, and all its rows may match. */
  blocks: readonly CandidateBlock[] | undefined;
  /** How many rows match, where the index alone says it. */
  matches?: number | undefined;
}

export interface CandidateBlock {
  firstRow: number;
  rows: number;
  fromMicros: number;
  toMicros: number;
}

/** The blocks of an index that may hold matching rows; `all` costs less than a list of all. */
type Blocks = 'all' | ReadonlySet<number>;
type IdField = Extract<KeywordField, 'traceId' | 'spanId' | 'correlationId'>;

const idColumns = { traceId: 'trace_id', spanId: 'span_id', correlationId: 'correlation_id' } as const;
/** Indexes of slices that were used lately: their blocks take a few KB each. */
const rememberedIndexes = 2000;
const indexes = new Map<string, SliceIndex>();

/** SQL: a relation that has at least the rows of these candidates. */
export function relationOf(view: ReadView, candidates: readonly Candidates[], recent: boolean): string {
  const bySlice = new Map(candidates.map((each) => [each.slice, each.blocks]));
  return view.events({
    recent,
    only: (slice) => bySlice.has(slice),
    rows: (slice) => {
      const blocks = bySlice.get(slice);
      return blocks === undefined || sum(blocks) === slice.rows ? undefined : rowsCondition(blocks);
    },
  });
}

/** Neighbors share one range. */
function rowsCondition(blocks: readonly CandidateBlock[]): string {
  const ranges: { first: number; last: number }[] = [];
  for (const { firstRow, rows } of blocks.toSorted((a, b) => a.firstRow - b.firstRow)) {
    const before = ranges.at(-1);
    if (before?.last === firstRow - 1) before.last = firstRow + rows - 1;
    else ranges.push({ first: firstRow, last: firstRow + rows - 1 });
  }
  return ranges.map(({ first, last }) => `file_row_number BETWEEN ${first} AND ${last}`).join(' OR ');
}

function sum(blocks: readonly CandidateBlock[]): number {
  return blocks.reduce((rows, block) => rows + block.rows, 0);
}

/** What the indexes of the slices say about the rows that a filter can match; slices without such rows are left out. */
export async function candidatesOf(
  view: ReadView,
  filter: FilterNode,
  slices: readonly Slice[],
): Promise<Candidates[]> {
  const indexed = slices.flatMap((slice) => {
    const path = view.besideSlice(slice, 'parquet');
    const index = indexAt(path);
    return index === undefined ? [] : [{ slice, index, path }];
  });
  const globs = [...new Set(globsOf(filter))];
  let words: Awaited<ReturnType<typeof matchingWords>>;
  try {
    words = await matchingWords(
      view,
      globs,
      indexed.map(({ path }) => path),
    );
  } catch (error) {
    if (error instanceof ReadInterrupted) throw error;
    // An index that cannot be read costs time, and nothing else.
    return slices.map((slice) => ({ slice, blocks: undefined }));
  }
  const byFile = new Map(indexed.map((each) => [each.slice.file, each]));
  return slices.flatMap((slice): Candidates[] => {
    const indexed = byFile.get(slice.file);
    if (indexed === undefined) return [{ slice, blocks: undefined }];
    const { index, path } = indexed;
    const wordsOf = (glob: string): WordsOfFile | undefined => words.get(glob)?.get(wordsPath(path));
    const blocks = evaluate(filter, {
      word: (glob) => wordsOf(glob)?.blocks ?? none,
      id: (field, id) => new Set(index.blocksWithId(idColumns[field], id)),
    });
    const chosen = withRows(index).filter((_, number) => blocks === 'all' || blocks.has(number));
    if (chosen.length === 0) return [];
    const only = filter.type === 'words' && filter.words.length === 1 ? filter.words[0] : undefined;
    return [{ slice, blocks: chosen, matches: only === undefined ? undefined : wordsOf(only)?.rows }];
  });
}

/** The words of a file that match a glob. */
interface WordsOfFile {
  blocks: ReadonlySet<number>;
  /** In how many rows they are; undefined where there are several, because a row may have more than one of them. */
  rows: number | undefined;
}

const none: ReadonlySet<number> = new Set();

function indexAt(path: string): SliceIndex | undefined {
  const known = indexes.get(path);
  if (known !== undefined) return known;
  const index = SliceIndex.open(path);
  if (index === undefined) return undefined;
  if (indexes.size >= rememberedIndexes) indexes.clear();
  indexes.set(path, index);
  return index;
}

function withRows({ blocks }: SliceIndex): CandidateBlock[] {
  let firstRow = 0;
  return blocks.map((block) => {
    const placed = { firstRow, ...block };
    firstRow += block.rows;
    return placed;
  });
}

/** The words, as globs, that the index is asked for. Under NOT nothing can be left out. */
function globsOf(node: FilterNode): string[] {
  if (node.type === 'words') return node.words;
  return node.type === 'and' || node.type === 'or' ? node.children.flatMap(globsOf) : [];
}

interface Lookups {
  word: (glob: string) => ReadonlySet<number>;
  id: (field: IdField, id: string) => ReadonlySet<number>;
}

function evaluate(node: FilterNode, lookups: Lookups): Blocks {
  switch (node.type) {
    case 'none':
      return none;
    case 'and':
      return node.children.map((child) => evaluate(child, lookups)).reduce(both);
    case 'or':
      return node.children.map((child) => evaluate(child, lookups)).reduce(either);
    case 'words':
      return node.words.map((glob): Blocks => lookups.word(glob)).reduce(both);
    case 'keyword':
      return node.match.type === 'equals' && isIdField(node.field)
        ? lookups.id(node.field, node.match.value)
        : 'all';
    default:
      return 'all';
  }
}

/** Whether indexes know the values of the field. */
export function isIdField(field: KeywordField): field is IdField {
  return Object.hasOwn(idColumns, field);
}

function both(a: Blocks, b: Blocks): Blocks {
  if (a === 'all') return b;
  return b === 'all' ? a : new Set([...a].filter((block) => b.has(block)));
}

function either(a: Blocks, b: Blocks): Blocks {
  return a === 'all' || b === 'all' ? 'all' : new Set([...a, ...b]);
}

/** For each glob and file of words, the words that match. */
async function matchingWords(
  view: ReadView,
  globs: readonly string[],
  slices: readonly string[],
): Promise<Map<string, Map<string, WordsOfFile>>> {
  const found = new Map<string, Map<string, WordsOfFile>>(globs.map((glob) => [glob, new Map()]));
  if (slices.length === 0 || globs.length === 0) return found;
  const files = parquetRows(slices.map(wordsPath), 'filename');
  const plain = globs.filter((glob) => !isPattern(glob));
  const selects = globs.filter(isPattern).map(
    (glob) =>
      `SELECT ${sqlLiteral(glob)}, filename, list_distinct(flatten(list(blocks))), count(*), sum("rows") FROM ${files}
       WHERE ${textCondition('word', { type: 'matches', glob })} GROUP BY filename`,
  );
  if (plain.length > 0)
    selects.push(
      `SELECT word, filename, blocks, 1, "rows" FROM ${files} WHERE word IN (${plain.map(sqlLiteral).join(', ')})`,
    );
  for (const [glob, file, blocks, words, rows] of await view.rows(selects.join(' UNION ALL ')))
    found.get(glob as string)!.set(file as string, {
      blocks: new Set(blocks as number[]),
      rows: Number(words) === 1 ? Number(rows) : undefined,
    });
  return found;
}

function isPattern(glob: string): boolean {
  return /[*?\\]/.test(glob);
}
