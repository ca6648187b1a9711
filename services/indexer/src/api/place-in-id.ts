/** The place of a document's first member, from its id; undefined if the text is not such an id. */
export function placeInId(id: string): { partition: number; offset: number } | undefined {
  const [, partition, offset] = /(?:^|-)(\d{1,9})-(\d{1,15})$/.exec(id) ?? [];
  return offset === undefined ? undefined : { partition: Number(partition), offset: Number(offset) };
}
