import type { CorrelationJson } from '@logloom/schemas';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { documentsFile } from './replay-views.ts';

/** How two views differ, by the newest revisions of their documents. */
export interface ViewComparison {
  same: number;
  /** In one view only: ids. */
  onlyInFirst: string[];
  onlyInSecond: string[];
  /** In both, but different: the id and the parts that differ. */
  different: { id: string; parts: string[] }[];
  /** Documents that each rule matched. */
  rules: Record<string, { first: number; second: number }>;
}

// Other rules have another version, which alone does not make a document different.
const ignored = new Set(['rulesVersion']);

/** Compares two folders that replays have written. */
export async function compareViews(first: string, second: string): Promise<ViewComparison> {
  const [a, b] = await Promise.all([readView(first), readView(second)]);
  const result: ViewComparison = {
    same: 0,
    onlyInFirst: [...a.keys()].filter((id) => !b.has(id)),
    onlyInSecond: [...b.keys()].filter((id) => !a.has(id)),
    different: [],
    rules: Object.create(null) as ViewComparison['rules'],
  };
  for (const [id, document] of a) {
    const other = b.get(id);
    if (other === undefined) continue;
    const parts = differences(document, other);
    if (parts.length === 0) result.same++;
    else result.different.push({ id, parts });
  }
  const count = (view: typeof a, side: 'first' | 'second'): void => {
    for (const { rules } of view.values())
      for (const rule of rules) (result.rules[rule] ??= { first: 0, second: 0 })[side]++;
  };
  count(a, 'first');
  count(b, 'second');
  return result;
}

function differences(a: CorrelationJson, b: CorrelationJson): string[] {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof CorrelationJson>;
  return [...names].filter(
    (name) => !ignored.has(name) && JSON.stringify(a[name]) !== JSON.stringify(b[name]),
  );
}

/** The documents of a view, at their newest revisions. */
async function readView(folder: string): Promise<Map<string, CorrelationJson>> {
  const documents = new Map<string, CorrelationJson>();
  const lines = createInterface({
    input: createReadStream(join(folder, documentsFile)),
    crlfDelay: Infinity,
  });
  for await (const line of lines) {
    const document = JSON.parse(line) as CorrelationJson;
    documents.set(document.id, document);
  }
  return documents;
}
