import type { Announced } from '../protocol/cursor.ts';
import { isKept } from '../delivery/degraded-batch.ts';
import type { LiveFilter, LiveItem } from '../stream/stream-kind.ts';

/** Selects the items of the history that a viewer is sent. Equal keys select the same items. */
export interface Selection {
  key: string;
  includes: (item: LiveItem) => boolean;
}

/** Selects what the filter matches, except what a gap has announced to the viewer already. */
export function selectionOf(filter: LiveFilter, announced?: Announced): Selection {
  const matches = (item: LiveItem): boolean => filter.matches(item.subject());
  if (announced === undefined) return { key: filter.canonical, includes: matches };
  const { level, to } = announced;
  return {
    key: `${level} ${to.join('-')} ${filter.canonical}`,
    includes: (item) => (item.offset >= to[item.partition]! || isKept(item, level)) && matches(item),
  };
}
