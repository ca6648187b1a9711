import { isNode, isScalar, type Document, type Node } from 'yaml';

export type Path = readonly (string | number)[];

/** Where the value at the path begins in the text; if it is missing, where its nearest parent begins. */
export function valueOffset(document: Document, path: Path): number {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

/** Where the key at the end of the path begins. */
export function keyOffset(document: Document, path: Path): number {
  const map: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const items = (map as { items?: { key: Node }[] } | undefined)?.items ?? [];
  const key = items.find((item) => isScalar(item.key) && item.key.value === path.at(-1))?.key;
  return key?.range?.[0] ?? valueOffset(document, path);
}

export function pathText(path: Path): string {
  const text = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  return text.replace(/^\./, '');
}
