/** Where a document's id says that its first member is; undefined where a text is no such id. */
export function placeInId(id: string): { partition: number; offset: number } | undefined {
  const [, partition, offset] = /(?:^|-)(\d{1,9})-(\d{1,15})$/.exec(id) ?? [];
  return offset === undefined ? undefined : { partition: Number(partition), offset: Number(offset) };
}
