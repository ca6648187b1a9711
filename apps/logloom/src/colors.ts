import picocolors from 'picocolors';

/** Colours on a terminal that has them, and nowhere else: picocolors by itself also paints what a CI run writes to a file. */
export const colors = picocolors.createColors(Boolean(process.stdout.isTTY) && process.stdout.hasColors());
