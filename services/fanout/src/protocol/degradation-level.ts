import type { Level } from '@logloom/schemas';

/** The degradation levels at which a viewer gets only a part. The level above them is `full`. */
export type DegradedLevel = 'sampled' | 'counts';
export type DegradationLevel = 'full' | DegradedLevel;

/** Numbers of items by their log level. */
export type CountsByLogLevel = Partial<Record<Level, number>>;
