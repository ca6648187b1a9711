/** Who reads the store. Most rows belong to both; after a rebuild, or for a document that was joined into another, they can differ. */
export type ViewName = 'search' | 'archive';

export const viewNames: readonly ViewName[] = ['search', 'archive'];

/** The bit of a view in the column `views`. */
export const viewBit: Readonly<Record<ViewName, number>> = { search: 1, archive: 2 };

export const allViews = viewBit.search | viewBit.archive;
