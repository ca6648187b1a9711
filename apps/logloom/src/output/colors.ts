import picocolors from 'picocolors';

/**
 * Colors on a terminal that supports them, and nowhere else: picocolors by itself also colors the output of CI runs that goes to a file.
 */
export const colors = picocolors.createColors(Boolean(process.stdout.isTTY) && process.stdout.hasColors());
