import type { BatchFate } from '../sender.ts';

const action = JSON.stringify({ create: { _index: 'loadtest' } });

/** A bulk request that creates a document for each line. */
export function bulkBody(lines: readonly string[]): string {
  return lines.map((line) => `${action}\n${line}\n`).join('');
}

interface BulkResponse {
  errors?: boolean;
  items: Record<string, { status: number }>[];
}

export function bulkFate({ status, text }: { status: number; text: string }): BatchFate | undefined {
  if (status !== 200) return undefined;
  const { errors, items } = JSON.parse(text) as BulkResponse;
  if (errors !== true) return { fate: 'stored', rejected: [] };
  const rejected = items.flatMap((item, i) =>
    Object.values(item).some(({ status: of }) => of >= 300) ? [i + 1] : [],
  );
  return { fate: 'stored', rejected };
}
