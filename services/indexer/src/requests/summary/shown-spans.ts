import type { SpanTree } from './span-tree.ts';
import type { Span } from './span.ts';

/** Fewer siblings that are alike are shown one by one. */
const minAlike = 4;

/**
 * The spans to show, parents before their children, each with those that it stands for: of siblings with one service and name, and neither
 * children nor errors, the first stands for all; one on the critical path stands for itself.
 */
export function groupAlike({ spans }: SpanTree): Map<Span, Span[]> {
  const bySibling = new Map<Span | undefined, Map<string, Span[]>>();
  for (const span of spans) {
    if (span.children.length > 0 || span.errors > 0 || span.isCritical) continue;
    let siblings = bySibling.get(span.parent);
    if (siblings === undefined) bySibling.set(span.parent, (siblings = new Map<string, Span[]>()));
    const key = kindOf(span);
    const alike = siblings.get(key);
    if (alike === undefined) siblings.set(key, [span]);
    else alike.push(span);
  }
  const standsFor = new Map<Span, Span[]>();
  const hidden = new Set<Span>();
  for (const siblings of bySibling.values())
    for (const alike of siblings.values()) {
      if (alike.length < minAlike) continue;
      const [first, ...others] = alike as [Span, ...Span[]];
      standsFor.set(first, alike);
      for (const other of others) hidden.add(other);
    }
  return new Map(
    spans.filter((span) => !hidden.has(span)).map((span) => [span, standsFor.get(span) ?? [span]]),
  );
}

/** At most so many of the spans, with all above each of them: first those on the critical path, then errors, then by self time. */
export function chooseSpans(spans: readonly Span[], most: number): Set<Span> {
  const chosen = new Set<Span>();
  const weight = ({ isCritical, errors }: Span): number => (isCritical ? 2 : 0) + (errors > 0 ? 1 : 0);
  for (const span of spans.toSorted(
    (a, b) => weight(b) - weight(a) || b.self - a.self || a.enter - b.enter,
  )) {
    const missing: Span[] = [];
    for (let each: Span | undefined = span; each !== undefined && !chosen.has(each); each = each.parent) {
      missing.push(each);
      if (chosen.size + missing.length > most) break;
    }
    if (chosen.size + missing.length <= most) for (const each of missing) chosen.add(each);
  }
  return chosen;
}

/** What spans that are alike have in common: their service, and their name but for words with digits. */
export function kindOf({ service, name }: Span): string {
  return `${service}\0${name.replaceAll(/[\w.:-]+/g, (word) => (/\d/.test(word) ? '*' : word))}`;
}
